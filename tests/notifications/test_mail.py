"""Mails about orders: sent once, off for who does not want them, tried again when they fail, and never in the way."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.models import Account, HistoryEntry, MailState, Notification, Order, OrderStatus, Source, User
from numbers_app.services import notifications
from numbers_app.services.notifications import MOST_MAIL_TRIES, notification_mail, user_set_mail
from numbers_app.services.sweep import mails_sweep
from numbers_app.tasks import send_mail
from tests.orders.steps import WORKER, approve, ask, at_once, carry_out
from tests.sandbox_server import SandboxServer

CLOCK = Actor.portal("Clock", source=Source.WORKER)

pytestmark = pytest.mark.django_db


@pytest.fixture
def due(order: Order, manager: User) -> Notification:
    """What the manager was told of a request, and is to be mailed."""
    return manager.notifications.get()


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: EmailMessage, *args: Any, **kwargs: Any) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(EmailMessage, "send", refuse)


def deliver(notification: Notification) -> Notification:
    """The worker gets to the mail once."""
    notification_mail(actor=WORKER, notification_id=notification.pk)
    notification.refresh_from_db()
    return notification


def pause_is_over(notification: Notification) -> None:
    Notification.objects.filter(pk=notification.pk).update(mail_after=timezone.now() - timedelta(seconds=1))


def minutes_until_next(notification: Notification) -> float:
    assert notification.mail_after
    return round((notification.mail_after - timezone.now()).total_seconds() / 60, 1)


# --- sent once -----------------------------------------------------------------------------------------------------


def test_mail_goes_to_the_person_s_address(due: Notification, settings: Any) -> None:
    settings.SITE_URL = "https://numbers.example"
    assert deliver(due).mail == MailState.SENT
    [message] = mail.outbox
    assert (message.recipients(), message.from_email) == (["manager@example.com"], settings.DEFAULT_FROM_EMAIL)
    assert f"Order {due.order_id}" in message.subject
    assert f"https://numbers.example/orders/{due.order_id}/" in str(message.body)
    assert "Rep Test: For the spring campaign" in str(message.body)


def test_mail_is_sent_once(due: Notification) -> None:
    for _ in range(3):
        deliver(due)
        pause_is_over(due)
    assert (len(mail.outbox), due.mail_tries) == (1, 1)


def test_nothing_is_sent_before_it_is_due(due: Notification) -> None:
    Notification.objects.update(mail_after=timezone.now() + timedelta(minutes=1))
    assert deliver(due).mail == MailState.DUE
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one_mail(due: Notification) -> None:
    assert at_once(*[lambda: notification_mail(actor=WORKER, notification_id=due.pk)] * 4) == [None] * 4
    due.refresh_from_db()
    assert (len(mail.outbox), due.mail, due.mail_tries) == (1, MailState.SENT, 1)


def test_mail_of_something_that_is_gone_is_no_trouble(due: Notification) -> None:
    notification_mail(actor=WORKER, notification_id=due.pk + 1)
    assert mail.outbox == []


# --- the clock's part ----------------------------------------------------------------------------------------------


def mail_rings() -> list[int]:
    told = DBTaskResult.objects.filter(task_path__endswith="send_mail").order_by("enqueued_at")
    return [told_of["args"][0] for told_of in told.values_list("args_kwargs", flat=True)]


def test_clock_rings_once_for_what_is_due_and_the_worker_sends_it(due: Notification) -> None:
    assert (mails_sweep(actor=CLOCK), mails_sweep(actor=CLOCK)) == (1, 0)
    assert mail_rings() == [due.pk]
    send_mail.call(due.pk)
    assert len(mail.outbox) == 1
    Notification.objects.update(rung_at=None)
    assert mails_sweep(actor=CLOCK) == 0


def test_mail_that_nobody_got_to_is_rung_again_after_a_minute(due: Notification) -> None:
    mails_sweep(actor=CLOCK)
    Notification.objects.update(rung_at=timezone.now() - timedelta(seconds=55))
    assert mails_sweep(actor=CLOCK) == 0
    Notification.objects.update(rung_at=timezone.now() - timedelta(seconds=61))
    assert mails_sweep(actor=CLOCK) == 1


@pytest.mark.parametrize("state", [MailState.NONE, MailState.SENT, MailState.FAILED])
def test_clock_leaves_alone_what_is_not_due(due: Notification, state: MailState) -> None:
    Notification.objects.update(mail=state)
    assert mails_sweep(actor=CLOCK) == 0
    Notification.objects.update(mail=MailState.DUE, mail_after=timezone.now() + timedelta(minutes=1))
    assert mails_sweep(actor=CLOCK) == 0


# --- not wanted ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("without", [{"mail_wanted": False}, {"email": ""}])
def test_person_without_mail_is_told_in_the_portal_only(
    rep: User, manager: User, location: Account, without: dict[str, Any]
) -> None:
    User.objects.filter(pk=manager.pk).update(**without)
    ask(rep, location)
    told = manager.notifications.get()
    assert (told.mail, mails_sweep(actor=CLOCK)) == (MailState.NONE, 0)
    assert deliver(told).mail == MailState.NONE
    assert mail.outbox == []


def test_turning_mail_off_stops_what_still_waits(due: Notification, manager: User, rep: User) -> None:
    user_set_mail(actor=Actor.person(manager), wanted=False)
    manager.refresh_from_db()
    assert (manager.mail_wanted, deliver(due).mail, mail.outbox) == (False, MailState.NONE, [])
    rep.refresh_from_db()
    assert rep.mail_wanted


def test_turning_mail_on_again_mails_only_what_comes_then(
    due: Notification, manager: User, rep: User, location: Account
) -> None:
    for wanted in (False, True):
        user_set_mail(actor=Actor.person(manager), wanted=wanted)
    later = ask(rep, location, "3164440002").notifications.get()
    assert (deliver(due).mail, deliver(later).mail) == (MailState.NONE, MailState.SENT)


def test_everybody_chooses_for_themselves(rep: User, manager: User, manager2: User, location: Account) -> None:
    user_set_mail(actor=Actor.person(manager), wanted=False)
    order = ask(rep, location)
    for notification in order.notifications.all():
        deliver(notification)
    assert [message.recipients() for message in mail.outbox] == [["manager2@example.com"]]


# --- failures ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_server")
def test_failed_mail_is_tried_again_after_growing_pauses_and_then_given_up(due: Notification) -> None:
    pauses = []
    for tries in range(1, MOST_MAIL_TRIES):
        deliver(due)
        assert (due.mail, due.mail_tries) == (MailState.DUE, tries)
        pauses.append(minutes_until_next(due))
        deliver(due)
        assert due.mail_tries == tries
        pause_is_over(due)
    assert pauses == [2, 4, 8, 16]
    deliver(due)
    assert (due.mail, due.mail_tries) == (MailState.FAILED, 5)
    pause_is_over(due)
    assert deliver(due).mail_tries == 5
    assert mails_sweep(actor=CLOCK) == 0


def test_mail_that_failed_is_sent_when_the_server_is_back(due: Notification, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(EmailMessage, "send", lambda self: 1 / 0)
        deliver(due)
    assert (due.mail, mail.outbox) == (MailState.DUE, [])
    pause_is_over(due)
    assert (deliver(due).mail, len(mail.outbox), due.mail_tries) == (MailState.SENT, 1, 2)


@pytest.mark.usefixtures("no_server")
def test_failure_is_an_error_in_the_log(due: Notification, caplog: pytest.LogCaptureFixture) -> None:
    deliver(due)
    [alarm] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (alarm.msg["event"], alarm.msg["notification"], alarm.msg["tries"]) == ("mail_not_sent", due.pk, 1)


@pytest.mark.usefixtures("no_server")
def test_turning_mail_off_while_it_fails_ends_it(due: Notification, manager: User) -> None:
    deliver(due)
    user_set_mail(actor=Actor.person(manager), wanted=False)
    pause_is_over(due)
    assert deliver(due).mail == MailState.NONE


def test_worker_that_dies_while_it_sends_leaves_the_mail_to_another_one(
    due: Notification, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: EmailMessage) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as mortal:
        mortal.setattr(EmailMessage, "send", die)
        with pytest.raises(SystemExit):
            deliver(due)
    due.refresh_from_db()
    assert (due.mail, minutes_until_next(due)) == (MailState.DUE, 5)
    assert deliver(due).mail == MailState.DUE
    pause_is_over(due)
    assert deliver(due).mail == MailState.SENT


@pytest.mark.parametrize("address", ["manager@example.com\nBcc: evil@example.com", "not an address", "a@b, c@d"])
def test_address_that_no_mail_can_go_to_ends_as_failed(
    due: Notification, manager: User, address: str, settings: Any
) -> None:
    User.objects.filter(pk=manager.pk).update(email=address)
    for _ in range(MOST_MAIL_TRIES + 1):
        pause_is_over(due)
        deliver(due)
    sent = [recipient for message in mail.outbox for recipient in message.recipients()]
    assert "evil@example.com" not in sent
    assert due.mail in (MailState.FAILED, MailState.SENT)


# --- never in the way of an order ----------------------------------------------------------------------------------


def everything_about(order: Order) -> tuple[Any, ...]:
    """The order's row, its calls and its history."""
    return (
        Order.objects.values().get(pk=order.pk),
        list(order.attempts.values()),
        list(HistoryEntry.objects.values_list("hash", flat=True)),
    )


@pytest.mark.usefixtures("no_server")
def test_mail_that_fails_for_good_changes_nothing_about_the_order(due: Notification, order: Order) -> None:
    before = everything_about(order)
    for _ in range(MOST_MAIL_TRIES):
        deliver(due)
        pause_is_over(due)
    assert due.mail == MailState.FAILED
    assert everything_about(order) == before


@pytest.mark.usefixtures("no_server")
def test_order_is_bought_while_no_mail_can_be_sent(order: Order, manager: User, sandbox: SandboxServer) -> None:
    approve(manager, order)
    for notification in Notification.objects.all():
        deliver(notification)
    assert carry_out(order).status == OrderStatus.DONE


def test_deciding_and_buying_send_no_mail_themselves(
    order: Order, manager: User, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmailMessage, "send", lambda self: pytest.fail("A mail was sent in the way of an order."))
    assert carry_out(approve(manager, order)).status == OrderStatus.DONE


def test_template_that_is_broken_harms_only_the_mail(
    due: Notification, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "render_to_string", lambda *args: 1 / 0)
    before = everything_about(order)
    assert deliver(due).mail == MailState.DUE
    assert everything_about(order) == before


# --- the subject ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["One\nBcc: evil@example.com", "One\r\n\r\nTwo", "One\u2028Two\x0bThree\x85Four"])
def test_subject_is_one_line_whatever_is_in_it(due: Notification, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setattr(notifications, "render_to_string", lambda template, context: f"\n {words} \n")
    assert deliver(due).mail == MailState.SENT
    [message] = mail.outbox
    assert len(message.subject.splitlines()) == 1
    assert message.recipients() == ["manager@example.com"]


def test_names_with_line_breaks_do_not_break_the_mail(
    rep: User, manager: User, location: Account, mailing: Callable[[Order], EmailMessage]
) -> None:
    evil = "Ann\r\nBcc: evil@example.com"
    Account.objects.filter(pk=location.pk).update(name=evil)
    User.objects.update(first_name=evil)
    location.refresh_from_db()
    rep.refresh_from_db()
    message = mailing(ask(rep, location))
    head = message.message().as_bytes().partition(b"\n\n")[0]
    assert (message.recipients(), b"\nBcc:" in head) == (["manager@example.com"], False)


@pytest.fixture
def mailing() -> Callable[[Order], EmailMessage]:
    """``mailing(order)``: the one mail about what was told of the order."""

    def send(order: Order) -> EmailMessage:
        assert deliver(order.notifications.get()).mail == MailState.SENT
        [message] = mail.outbox
        return message

    return send


def test_mail_that_every_worker_died_over_is_given_up(order: Order, manager: User, mailoutbox: list[Any]) -> None:
    one = manager.notifications.get()
    type(one).objects.update(mail_tries=5, mail_after=timezone.now())
    notification_mail(actor=WORKER, notification_id=one.pk)
    one.refresh_from_db()
    assert (one.mail, mailoutbox) == (MailState.FAILED, [])


def test_who_has_left_gets_no_mail(order: Order, manager: User, mailoutbox: list[Any]) -> None:
    one = manager.notifications.get()
    User.objects.filter(pk=manager.pk).update(is_active=False)
    notification_mail(actor=WORKER, notification_id=one.pk)
    one.refresh_from_db()
    assert (one.mail, mailoutbox) == (MailState.NONE, [])
