"""Text that somebody stored is shown as text, on every page, never as markup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from numbers_app.actors import Actor
from numbers_app.models import Account, Attempt, AttemptKind, Campaign, Order, OrderStatus, User, Verb
from numbers_app.services.decisions import (
    order_approve,
    order_cancel,
    order_comment,
    order_mark_urgent,
    order_reject,
)
from numbers_app.services.history import history_append
from numbers_app.services.orders import WantedNumber, order_amend
from numbers_app.services.settlement import Finding, order_settle
from numbers_app.services.switch import purchases_pause, sending_resume
from tests.factories import CampaignFactory

from .conftest import CAKE, HTMX, Purchase

pytestmark = pytest.mark.django_db

TEXTS = (
    "<script>alert({})</script>",
    '"><img src=x onerror=alert({})>',
    "'><svg onload=alert({})>",
    "</textarea></title><b>{}",
    "{{{{ 7|add:{} }}}}{{% now 'Y' %}}",
)


class Hostile:
    """A different hostile text for each field, so that one missing escape names its field."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.used: dict[str, str] = {}

    def __call__(self, field: str) -> str:
        return self.used.setdefault(field, self.text.format(1000 + len(self.used)))


@pytest.fixture(params=TEXTS)
def hostile(request: pytest.FixtureRequest) -> Hostile:
    return Hostile(request.param)


@pytest.fixture
def hostile_world(
    hostile: Hostile, location: Account, rep: User, manager: User, purchase: Purchase, change: Purchase
) -> dict[str, Any]:
    """Every stored field that a person, or Callcap, can fill with text, filled."""
    Account.objects.filter(pk=location.pk).update(name=hostile("account"))
    location.refresh_from_db()
    for user in (rep, manager):
        user.first_name, user.last_name = hostile(user.username)[:150], ""
        user.save()
    campaign = CampaignFactory(
        phone_number=CAKE,
        account=location,
        destination="3164447896",
        stop_date=date(2099, 5, 1),
        callcap_campaign_id=hostile("id")[:40],
        **{name: hostile(name) for name in ("campaign_name", "notes", "memo1", "memo2", "brand", "service")},
        **{name: hostile(name) for name in ("target", "offer", "state", "city", "rate_center")},
    )
    ended = CampaignFactory(
        phone_number=CAKE, account=location, ended_at=timezone.now(), campaign_name=hostile("earlier")
    )
    Campaign.objects.filter(pk=ended.pk).update(created_at=timezone.now().replace(year=2020))
    bought = purchase("3167342254", notes=hostile("wish"), campaign_name=hostile("wished_name"))
    # As much of it as fits.
    hostile.used["spelling"] = hostile("spelling")[:12]
    bought.choices.update(place=hostile("place"), dropped_because=hostile("dropped"), spelling=hostile("spelling"))
    Order.objects.filter(pk=bought.pk).update(reason=hostile("reason"))
    order_comment(actor=Actor.person(rep), order_id=bought.pk, text=hostile("comment"))
    order_mark_urgent(actor=Actor.person(rep), order_id=bought.pk)
    amended = purchase("3167342258", campaign_name=hostile("name_before"))
    order_amend(
        actor=Actor.person(rep),
        order_id=amended.pk,
        revision=1,
        wanted=[WantedNumber("3167342258")],
        parameters={"destination": "3164447896", "campaign_name": hostile("name_after"), "memo1": hostile("amended")},
        reason=hostile("reason_after"),
        urgent=False,
        execute_after=timezone.now() + timedelta(days=3),
    )
    scheduled = purchase("3167342259", execute_after=timezone.now() + timedelta(days=3))
    order_approve(actor=Actor.person(manager), order_id=scheduled.pk, revision=1)
    settled = purchase("3167342260")
    Order.objects.filter(pk=settled.pk).update(
        status=OrderStatus.UNKNOWN, decider_id=manager.pk, decider_name="Decider", phone_number="3167342260"
    )
    order_settle(
        actor=Actor.person(manager),
        order_id=settled.pk,
        finding=Finding.NOT_CARRIED_OUT,
        reason=hostile("settle_reason"),
    )
    purchases_pause(actor=Actor.person(manager), reason=hostile("pause_reason"))
    sending_resume(actor=Actor.person(manager), reason=hostile("resume_reason"))
    purchases_pause(actor=Actor.person(manager), reason=hostile("banner"))
    changed = change(campaign, notes=hostile("new_notes"))
    rejected = purchase("3167342255")
    order_reject(actor=Actor.person(manager), order_id=rejected.pk, revision=1, reason=hostile("rejected"))
    unknown = purchase("3167342256")
    Order.objects.filter(pk=unknown.pk).update(
        status=OrderStatus.UNKNOWN,
        decider_id=manager.pk,
        decider_name=hostile("decider"),
        result=hostile("result"),
        phone_number="3167342256",
    )
    Attempt.objects.create(
        order=unknown,
        kind=AttemptKind.BUY,
        number="3167342256",
        parameters={},
        preflight={"city": hostile("preflight")},
        started_at=timezone.now(),
        lease_until=timezone.now(),
        outcome="unknown",
        ever_unknown=True,
        named_number="3167342261",
        message=hostile("vendor"),
        excerpt=hostile("excerpt"),
    )
    with transaction.atomic():
        history_append(
            actor=Actor.person(rep),
            verb=Verb.ORDER_FAILED,
            account_key=location.key,
            order_id=unknown.pk,
            reason=hostile("history_reason"),
            approved_by=hostile("approved_by"),
            changes={"notes": [hostile("before"), hostile("after")]},
        )
    return {"orders": [bought, changed, rejected, unknown, amended, scheduled, settled], "hostile": hostile}


def pages(world: dict[str, Any]) -> list[str]:
    orders = [f"/orders/{order.pk}/" for order in world["orders"]]
    return [
        "/",
        "/search/",
        "/orders/",
        "/orders/new/",
        "/orders/upcoming/",
        "/orders/unknown/",
        "/orders/destination/?account=L-3&destination=3165550199",
        *orders,
        f"{orders[0]}reject/",
        f"{orders[0]}amend/",
        f"{orders[0]}availability/",
        f"{orders[1]}amend/",
        f"{orders[3]}settle/",
        f"{orders[4]}amend/",
        "/sending/",
        "/notifications/",
        "/numbers/",
        f"/numbers/{CAKE}/",
        f"/numbers/{CAKE}/change/",
        "/history/",
    ]


def test_every_stored_text_is_escaped_wherever_it_is_shown(hostile_world: dict[str, Any], as_manager: Client) -> None:
    hostile: Hostile = hostile_world["hostile"]
    shown: set[str] = set()
    for path in pages(hostile_world):
        response = as_manager.get(path)
        assert response.status_code == 200, path
        html = response.content.decode()
        for field, text in hostile.used.items():
            if escape(text) != text:
                assert text not in html, (path, field)
            if escape(text) in html:
                shown.add(field)
    never_shown = hostile.used.keys() - shown
    assert never_shown <= {"id"}, never_shown


ECHOES = [
    ("/search/", {"city": "", "area_code": "", "vanity_text": "", "account": "", "zipcode": ""}),
    ("/orders/", {"status": ""}),
    ("/orders/new/", {"number": "", "account": "", "location_id": "", "vanity_text": ""}),
    ("/orders/destination/", {"number": "", "account": "", "destination": ""}),
    ("/orders/upcoming/", {"page": ""}),
    ("/notifications/", {"unread": "", "page": ""}),
    ("/numbers/", {"q": "", "status": ""}),
    ("/history/", {"number": "", "actor": "", "date_from": ""}),
    ("/accounts/login/", {"next": ""}),
    ("/nowhere/", {"page": ""}),
]


@pytest.mark.parametrize(("path", "fields"), ECHOES)
@pytest.mark.parametrize("text", [text.format(7) for text in TEXTS[:4]])
def test_text_of_an_address_is_escaped(as_rep: Client, path: str, fields: dict[str, str], text: str) -> None:
    for client in (as_rep, Client()):
        html = client.get(path, dict.fromkeys(fields, text), follow=True).content.decode()
        assert text not in html


@pytest.mark.parametrize("text", [text.format(7) for text in TEXTS[:4]])
def test_text_of_a_refused_form_is_escaped(
    as_manager: Client, campaign: Campaign, purchase: Purchase, misnamed_elsewhere: Order, text: str
) -> None:
    order = purchase("3167342254")
    address = f"/orders/{order.pk}"
    names = ("number", "account", "destination", "notes", "reason", "version", "form_token", "evaluation", "stop_date")
    names += ("vanity_text", "execute_after", "urgent", "destination_checked", "finding", "order", "up_to", "wanted")
    # A comment with this text would be kept; with so much of it, it comes back.
    sent = dict.fromkeys(names, text) | {"revision": text, "text": text * 200, "next": f"/{text}"}
    paths = (
        "/orders/new/",
        f"/numbers/{CAKE}/change/",
        f"{address}/reject/",
        f"{address}/amend/",
        f"{address}/comment/",
        f"{address}/approve/",
        f"/orders/{misnamed_elsewhere.pk}/settle/",
        "/orders/approve/",
        "/sending/resume/",
        "/notifications/read/",
        "/notifications/mail/",
        "/accounts/login/",
    )
    for path in paths:
        for headers in ({}, HTMX):
            html = as_manager.post(path, sent, headers=headers).content.decode()
            assert text not in html, path
    for headers in ({}, HTMX):
        long_reason = {"revision": 1, "reason": text * 100}
        assert text not in as_manager.post(f"{address}/reject/", long_reason, headers=headers).content.decode()
    assert text not in as_manager.post("/sending/pause/", {"reason": text * 100}).content.decode()


@pytest.fixture
def misnamed_elsewhere(purchase: Purchase) -> Order:
    """An unknown order with a number of its own."""
    order = purchase("3167342270")
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.UNKNOWN, decider_id=999, phone_number="3167342270")
    Attempt.objects.create(
        order=order,
        kind=AttemptKind.BUY,
        number="3167342270",
        parameters={},
        started_at=timezone.now(),
        lease_until=timezone.now(),
        outcome="unknown",
        ever_unknown=True,
    )
    return order


@pytest.mark.parametrize("text", [text.format(7) for text in TEXTS[:4]])
def test_the_reason_of_an_overtaken_rejection_is_escaped(
    as_manager: Client, manager2: User, purchase: Purchase, text: str
) -> None:
    order = purchase()
    order_reject(actor=Actor.person(manager2), order_id=order.pk, revision=1, reason="No")
    for headers in ({}, HTMX):
        response = as_manager.post(f"/orders/{order.pk}/reject/", {"revision": 1, "reason": text}, headers=headers)
        assert response.status_code == 409
        assert text not in response.content.decode()
        assert escape(text) in response.content.decode()


def test_the_page_that_confirms_a_change_escapes_what_it_keeps(as_manager: Client, campaign: Campaign) -> None:
    text = TEXTS[1].format(7)
    html = as_manager.post(
        f"/numbers/{CAKE}/change/", {"destination": campaign.destination, "version": "1", "notes": text}
    ).content.decode()
    assert text not in html
    assert f'name="notes" value="{escape(text)}"' in html


def test_messages_escape_the_names_in_them(
    as_manager: Client, hostile_world: dict[str, Any], purchase: Purchase
) -> None:
    order = purchase("3167342257")
    response = as_manager.post(f"/orders/{order.pk}/reject/", {"revision": 1, "reason": "No"}, follow=True)
    name = hostile_world["hostile"]("rep")
    assert escape(f"{name} sees your reason.") in response.content.decode()
    assert name == escape(name) or name not in response.content.decode()


def test_the_conflict_page_escapes_the_name_in_it(
    as_manager: Client, hostile_world: dict[str, Any], manager2: User, purchase: Purchase
) -> None:
    manager2.first_name = "<i>Max</i>"
    manager2.save()
    order = purchase("3167342257")
    order_approve(actor=Actor.person(manager2), order_id=order.pk, revision=1)
    html = as_manager.post(f"/orders/{order.pk}/approve/", {"revision": 1}).content.decode()
    assert "<i>Max</i>" not in html
    assert "&lt;i&gt;Max&lt;/i&gt;" in html
    order_cancel(actor=Actor.person(manager2), order_id=order.pk)


@pytest.fixture
def as_admin(admin: User, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(admin)


@pytest.mark.parametrize(
    "model", ["account", "attempt", "campaign", "choice", "grant", "historyentry", "order", "user"]
)
def test_the_administration_escapes_too(as_admin: Client, hostile_world: dict[str, Any], model: str) -> None:
    from django.apps import apps

    rows = apps.get_model("numbers_app", model).objects.all()
    paths = [f"/admin/numbers_app/{model}/", *(f"/admin/numbers_app/{model}/{row.pk}/change/" for row in rows)]
    for path in paths:
        html = as_admin.get(path).content.decode()
        for field, text in hostile_world["hostile"].used.items():
            assert text == escape(text) or text not in html, (path, field)
