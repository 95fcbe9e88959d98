"""Text that somebody stored is shown as text, on every page, never as markup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from numbers_app.actors import Actor
from numbers_app.models import Account, Attempt, AttemptKind, Campaign, Order, OrderStatus, User, Verb
from numbers_app.services.decisions import order_approve, order_cancel, order_reject
from numbers_app.services.history import history_append
from tests.factories import CampaignFactory

from .conftest import CAKE, Purchase

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
    bought.choices.update(place=hostile("place"), dropped_because=hostile("dropped"))
    Order.objects.filter(pk=bought.pk).update(reason=hostile("reason"))
    changed = change(campaign, notes=hostile("new_notes"))
    rejected = purchase("3167342255")
    order_reject(actor=Actor.person(manager), order_id=rejected.pk, revision=1, reason=hostile("rejected"))
    unknown = purchase("3167342256")
    Order.objects.filter(pk=unknown.pk).update(
        status=OrderStatus.UNKNOWN, decider_id=manager.pk, decider_name=hostile("decider"), result=hostile("result")
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
    return {"orders": [bought, changed, rejected, unknown], "hostile": hostile}


def pages(world: dict[str, Any]) -> list[str]:
    orders = [f"/orders/{order.pk}/" for order in world["orders"]]
    return [
        "/",
        "/search/",
        "/orders/",
        "/orders/new/",
        *orders,
        f"{orders[0]}reject/",
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
    ("/orders/new/", {"number": "", "account": "", "location_id": ""}),
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
    as_manager: Client, campaign: Campaign, purchase: Purchase, text: str
) -> None:
    order = purchase("3167342254")
    names = ("number", "account", "destination", "notes", "reason", "version", "form_token", "evaluation", "stop_date")
    sent = dict.fromkeys(names, text) | {"revision": text}
    for path in ("/orders/new/", f"/numbers/{CAKE}/change/", f"/orders/{order.pk}/reject/", "/accounts/login/"):
        html = as_manager.post(path, sent).content.decode()
        assert text not in html, path


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
