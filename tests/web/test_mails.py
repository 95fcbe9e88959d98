"""What a mail about an order or a watched search says, as plain text that a person understands without the portal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import (
    Account,
    Campaign,
    MailState,
    Notification,
    NotificationKind,
    Order,
    OrderStatus,
    SavedView,
    User,
    Watch,
)
from numbers_app.services.decisions import order_reject
from numbers_app.services.notifications import notification_mail

from .conftest import Purchase

pytestmark = pytest.mark.django_db

type Mailed = Callable[..., EmailMessage]


@pytest.fixture
def mailed(manager: User, worker: Actor, settings: Any) -> Mailed:
    """``mailed(order, NotificationKind.FAILED, to=rep)``: the mail that tells a person of an order."""
    settings.SITE_URL = "https://numbers.example"

    def send(order: Order, kind: NotificationKind, to: User = manager, detail: str = "") -> EmailMessage:
        notification = Notification.objects.create(
            user=to, order=order, kind=kind, detail=detail, mail=MailState.DUE, mail_after=timezone.now()
        )
        mail.outbox.clear()
        notification_mail(actor=worker, notification_id=notification.pk)
        [message] = mail.outbox
        return message

    return send


def to_do(message: EmailMessage) -> str:
    """What the mail asks its reader to do; empty when it asks for nothing."""
    return " ".join(line for line in str(message.body).splitlines() if line.startswith("What to do"))


def in_state(order: Order, status: OrderStatus, manager: User, **fields: Any) -> Order:
    for name, value in {"status": status, "decider_id": manager.pk, "phone_number": "3167342253", **fields}.items():
        setattr(order, name, value)
    order.save()
    return order


def test_a_request_says_everything_that_a_manager_needs(
    purchase: Purchase, manager: User, worker: Actor, settings: Any
) -> None:
    settings.SITE_URL = "https://numbers.example"
    order = purchase("3167342253", "3167342254")
    mail.outbox.clear()
    notification_mail(actor=worker, notification_id=manager.notifications.get().pk)
    [message] = mail.outbox
    assert message.to == ["manager@example.com"]
    assert message.subject == (
        f"Order {order.pk} waits for your decision - purchase of (316) 734-2253 or another choice"
    )
    assert message.body == (
        f"""Hello Manager Test,

Order {order.pk}, purchase of (316) 734-2253 or another choice, waits for your decision.

Rep Test: For the spring campaign

Location: {order.account}
Choice 1: (316) 734-2253
Choice 2: (316) 734-2254
Destination: (316) 444-7896
Asked for by: Rep Test
State when this was sent: Waiting for approval

What to do: approve or reject it on the order's page.

The order: https://numbers.example/orders/{order.pk}/

You get mails because they are turned on for you. Turn them off here: https://numbers.example/notifications/
"""
    )


def test_a_change_says_what_would_change(campaign: Campaign, change: Purchase, mailed: Mailed) -> None:
    order = change(campaign, destination="3165550100", notes="A & B <c>", recording=True)
    message = mailed(order, NotificationKind.REQUESTED)
    assert message.subject == f"Order {order.pk} waits for your decision - change of (316) 734-2253"
    body = str(message.body)
    assert "Number: (316) 734-2253\n" in body
    assert "Destination: (316) 555-0100 (before: (316) 444-7896)\n" in body
    assert "Notes: A & B <c> (before: empty)\n" in body
    assert "Call recording: on (before: empty)\n" in body


@pytest.mark.parametrize("kind", [kind for kind in NotificationKind if kind != NotificationKind.APPEARED])
def test_every_kind_makes_a_readable_mail(purchase: Purchase, mailed: Mailed, kind: NotificationKind) -> None:
    order = purchase()
    message = mailed(order, kind, detail="Ann: Said.")
    assert message.subject.startswith(f"Order {order.pk} {kind.label} - purchase of (316) 734-2253")
    body = str(message.body)
    assert f"Order {order.pk}, purchase of (316) 734-2253, {kind.label}.\n\nAnn: Said.\n" in body
    assert "\n\n\n" not in body
    assert "{" not in body


def test_nothing_is_escaped_as_html(location: Account, rep: User, purchase: Purchase, mailed: Mailed) -> None:
    Account.objects.update(name="Smith & Sons <North>")
    location.refresh_from_db()
    rep.first_name, rep.last_name = "Ann", "O'Neil & Co"
    rep.save()
    message = mailed(purchase(), NotificationKind.APPROVED, to=rep, detail='He said "no" & <left>')
    body = str(message.body)
    assert "Hello Ann O'Neil & Co,\n" in body
    assert 'He said "no" & <left>\n' in body
    assert f"Location: Smith & Sons <North> ({location.key})\n" in body
    assert message.content_subtype == "plain"


def test_a_reminder_tells_each_reader_what_to_do(
    purchase: Purchase, location: Account, rep: User, manager: User, mailed: Mailed
) -> None:
    order = purchase()
    detail = "It expires on 2026-12-01 unless somebody decides before."
    to_manager = mailed(order, NotificationKind.EXPIRING, to=manager, detail=detail)
    to_rep = mailed(order, NotificationKind.EXPIRING, to=rep, detail=detail)
    assert to_manager.subject.startswith(f"Order {order.pk} will expire soon - ")
    assert detail in str(to_manager.body)
    assert "approve or reject it on the order's page before it expires" in to_do(to_manager)
    assert f"remind a manager of {location}, or cancel the order" in to_do(to_rep)


def test_a_failure_says_that_nothing_more_happens_by_itself(
    purchase: Purchase, rep: User, manager: User, mailed: Mailed
) -> None:
    order = in_state(purchase(), OrderStatus.FAILED, manager)
    message = mailed(order, NotificationKind.FAILED, to=rep, detail="Callcap refused it: the number is taken.")
    assert "Callcap refused it" in str(message.body)
    assert "Nothing is tried again by itself. If it is still needed, ask again." in to_do(message)


def test_an_unknown_outcome_that_the_portal_looks_into_asks_for_patience(
    purchase: Purchase, manager: User, mailed: Mailed
) -> None:
    order = in_state(purchase(), OrderStatus.UNKNOWN, manager, execute_after=timezone.now())
    assert "nothing yet. The portal finds out by itself" in to_do(mailed(order, NotificationKind.UNKNOWN))
    assert "so that nothing is done twice" in to_do(mailed(order, NotificationKind.UNKNOWN))


@pytest.mark.parametrize("kind", [NotificationKind.UNKNOWN, NotificationKind.NEEDS_PERSON])
def test_what_only_a_person_can_settle_says_where_to_look(
    purchase: Purchase, manager: User, mailed: Mailed, kind: NotificationKind
) -> None:
    order = in_state(purchase(), OrderStatus.UNKNOWN, manager, execute_after=None)
    said = to_do(mailed(order, kind))
    assert "look for (316) 734-2253 in Callcap's own interface" in said
    assert "a manager who did not ask for it says on the order's page what was found" in said


def test_a_managers_own_change_may_be_settled_by_themselves(
    campaign: Campaign, change: Purchase, manager: User, mailed: Mailed
) -> None:
    order = in_state(change(campaign, by=manager, destination="3165550100"), OrderStatus.UNKNOWN, manager)
    Order.objects.filter(pk=order.pk).update(execute_after=None)
    assert order.self_approved
    assert "Then a manager says on the order's page" in to_do(mailed(order, NotificationKind.NEEDS_PERSON))


def test_a_late_mail_asks_for_nothing_that_is_already_done(
    purchase: Purchase, manager: User, manager2: User, mailed: Mailed
) -> None:
    order = purchase()
    order_reject(actor=Actor.person(manager2), order_id=order.pk, revision=1, reason="No")
    for kind in (NotificationKind.REQUESTED, NotificationKind.URGENT, NotificationKind.EXPIRING):
        message = mailed(order, kind)
        assert to_do(message) == ""
        assert "State when this was sent: Rejected\n" in str(message.body)


def test_no_name_breaks_the_subject_out_of_its_line(purchase: Purchase, mailed: Mailed, manager: User) -> None:
    manager.first_name = "Ann\r\nBcc: evil@example.com"
    manager.save()
    message = mailed(purchase(), NotificationKind.COMMENTED, detail="One\r\nBcc: evil@example.com")
    assert "\n" not in message.subject
    assert message.recipients() == ["manager@example.com"]
    assert b"\nBcc:" not in message.message().as_bytes().partition(b"\n\n")[0]


def test_a_watched_search_says_what_is_new_and_leads_to_it(rep: User, worker: Actor, settings: Any) -> None:
    settings.SITE_URL = "https://numbers.example"
    view = SavedView.objects.create(
        owner=rep, page=SavedView.Page.SEARCH, name="Smith & Sons\n<cakes>", query="area_code=316&vanity_text=cake"
    )
    notification = Notification.objects.create(
        user=rep,
        watch=Watch.objects.create(view=view, due_at=timezone.now()),
        kind=NotificationKind.APPEARED,
        detail="(316) 734-2253, (316) 444-2253, and 3 more",
        mail=MailState.DUE,
        mail_after=timezone.now(),
    )
    mail.outbox.clear()
    notification_mail(actor=worker, notification_id=notification.pk)
    [message] = mail.outbox
    assert message.subject == (
        "Your search Smith & Sons <cakes> found new numbers - (316) 734-2253, (316) 444-2253, and 3 more"
    )
    assert message.body == (
        """Hello Rep Test,

Your search Smith & Sons
<cakes> found new numbers.

(316) 734-2253, (316) 444-2253, and 3 more

Others may want them too: a number is yours only once an order for it is carried out.

The search: https://numbers.example/search/?area_code=316&vanity_text=cake

You get mails because they are turned on for you. Turn them off here: https://numbers.example/notifications/
"""
    )
