"""Reminders of stop dates: 30, 7 and 1 days before, once each, to who asked for the number and its managers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from numbers_app.actors import Actor
from numbers_app.models import (
    Account,
    Campaign,
    MailState,
    Notification,
    NotificationKind,
    OrderKind,
    OrderStatus,
    Source,
    StopReminder,
    User,
)
from numbers_app.permissions import Role
from numbers_app.services.notifications import notification_mail
from numbers_app.services.stopping import stop_reminders_send
from tests.factories import CampaignFactory, GrantFactory, LocationFactory, OrderFactory, UserFactory
from tests.orders.steps import CAKE, WORKER, approve, ask, ask_change, at_once, carry_out
from tests.sandbox_server import SandboxServer
from tests.web.page import Page

pytestmark = pytest.mark.django_db

CLOCK = Actor.portal("Clock", source=Source.WORKER)
# Noon in Chicago.
NOON = datetime(2026, 11, 26, 18, tzinfo=UTC)
TODAY = date(2026, 11, 26)


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


def number(location: Account, days: int, phone_number: str = CAKE, **fields: Any) -> Campaign:
    made: Campaign = CampaignFactory(
        phone_number=phone_number, account=location, stop_date=TODAY + timedelta(days=days), **fields
    )
    return made


def bought_by(campaign: Campaign, person: User, **fields: Any) -> None:
    """The order that bought the number, asked for by this person."""
    defaults = {
        "decider_id": 1_000_000_001,
        "status": OrderStatus.DONE,
        "account": campaign.account,
        "campaign": campaign,
    }
    OrderFactory(**defaults | {"requester_id": person.pk, "author_id": person.pk} | fields)


def send(days_later: float = 0) -> int:
    with time_machine.travel(NOON + timedelta(days=days_later), tick=False):
        return stop_reminders_send(actor=CLOCK)


def told() -> list[tuple[str, str]]:
    """(who, what) of every notification, in order."""
    return list(Notification.objects.order_by("pk").values_list("user__username", "detail"))


def marked() -> list[int]:
    return list(StopReminder.objects.order_by("-days").values_list("days", flat=True))


# --- when ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "marks"), [(31, []), (30, [30]), (8, [30]), (7, [30, 7]), (2, [30, 7]), (1, [30, 7, 1]), (0, [30, 7, 1])]
)
def test_only_the_most_urgent_reminder_is_sent_and_the_earlier_ones_count_as_sent(
    location: Account, manager: User, days: int, marks: list[int]
) -> None:
    number(location, days)
    assert send() == (1 if marks else 0)
    assert (len(told()), marked()) == (1 if marks else 0, marks)


def test_each_of_the_three_comes_once_in_its_time(location: Account, manager: User) -> None:
    number(location, 40)
    sent = [send(days) for days in (0, 9, 10, 10.5, 32, 33, 34, 38, 39, 40, 41)]
    assert sent == [0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]
    assert told() == [("manager", "stops on Jan 5, 2027")] * 3


def test_what_has_passed_or_ended_or_runs_on_is_not_reminded_of(location: Account, manager: User) -> None:
    number(location, -1)
    number(location, 5, "3167340001", ended_at=NOON)
    CampaignFactory(phone_number="3167340002", account=location, stop_date=date(2099, 1, 1))
    CampaignFactory(phone_number="3167340003", account=location)
    assert send() == 0


def test_the_day_is_the_location_s(location: Account, manager: User) -> None:
    """At ten in the evening in Honolulu it is already the next day in Chicago."""
    Account.objects.filter(pk=location.pk).update(time_zone="Pacific/Honolulu")
    number(location, 31)
    night = (datetime(2026, 11, 27, 8, tzinfo=UTC) - NOON) / timedelta(days=1)
    assert send(night) == 0
    Account.objects.filter(pk=location.pk).update(time_zone="America/Chicago")
    assert send(night) == 1


def test_days_are_days_also_where_the_clocks_are_put_forward(location: Account, manager: User) -> None:
    """In Chicago the fourteenth of March 2027 has 23 hours: from 06:00 to 05:00 UTC."""
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2027, 3, 15))
    sent = []
    for hours in (5.9, 6, 29, 30):
        with time_machine.travel(datetime(2027, 3, 14, tzinfo=UTC) + timedelta(hours=hours), tick=False):
            sent.append((stop_reminders_send(actor=CLOCK), marked()))
    assert sent == [(1, [30, 7]), (1, [30, 7, 1]), (0, [30, 7, 1]), (0, [30, 7, 1])]


def test_a_location_without_a_known_zone_is_not_forgotten(location: Account, manager: User) -> None:
    Account.objects.filter(pk=location.pk).update(time_zone="")
    number(location, 7)
    assert send() == 1


# --- whom ----------------------------------------------------------------------------------------------------------


def test_who_asked_for_the_number_and_its_nearest_managers_are_told(
    location: Account, rep: User, manager: User, manager2: User, division_manager: User
) -> None:
    bought_by(number(location, 7), rep)
    send()
    assert told() == [(name, "stops on Dec 3, 2026") for name in ("rep", "manager", "manager2")]
    assert set(Notification.objects.values_list("kind", "campaign__phone_number")) == {
        (NotificationKind.STOPPING, CAKE)
    }


def test_of_a_number_that_was_not_bought_here_who_changed_it_last_is_told(location: Account, rep: User) -> None:
    campaign = number(location, 7)
    other: User = UserFactory(username="other", role=Role.SALES_REP)
    GrantFactory(user=other, account=location)
    for person in (other, rep):
        bought_by(campaign, person, kind=OrderKind.CHANGE)
    bought_by(campaign, other, kind=OrderKind.CHANGE, status=OrderStatus.FAILED)
    send()
    assert [who for who, _ in told()] == ["rep"]


def test_of_an_imported_number_only_the_managers_are_told(location: Account, rep: User, manager: User) -> None:
    number(location, 7, imported_at=NOON)
    send()
    assert [who for who, _ in told()] == ["manager"]


def test_who_asked_and_decides_is_told_once(location: Account, manager: User) -> None:
    bought_by(number(location, 7), manager)
    send()
    assert [who for who, _ in told()] == ["manager"]


def test_who_left_or_lost_the_grant_is_not_told(location: Account, rep: User, manager: User) -> None:
    bought_by(number(location, 7), rep)
    rep.grants.all().delete()
    gone: User = UserFactory(username="gone", role=Role.SALES_REP, is_active=False)
    GrantFactory(user=gone, account=location)
    bought_by(number(location, 7, "3167340001"), gone)
    send()
    assert {who for who, _ in told()} == {"manager"}


def test_of_a_number_that_concerns_nobody_else_administrators_are_told(location: Account, manager: User) -> None:
    UserFactory(username="admin", role=Role.ADMINISTRATOR)
    UserFactory(username="left", role=Role.ADMINISTRATOR, is_active=False)
    number(location, 7)
    manager.grants.all().delete()
    assert send() == 1
    assert [who for who, _ in told()] == ["admin"]


def test_a_number_that_concerns_nobody_is_not_looked_at_every_hour(location: Account) -> None:
    number(location, 7)
    assert (send(), send(), told(), marked()) == (1, 0, [], [30, 7])


# --- moved ---------------------------------------------------------------------------------------------------------


def test_an_extension_silences_until_the_new_date_is_near(
    location: Account, rep: User, manager: User, sandbox: SandboxServer
) -> None:
    now = time_machine.escape_hatch.datetime.datetime.now(UTC)
    # Orders are carried out by a clock that agrees with the database's.
    with time_machine.travel(now):
        stops = location.today() + timedelta(days=30)
        order = carry_out(approve(manager, ask(rep, location, stop_date=stops.isoformat())))
        carry_out(order.children.get())
        Notification.objects.all().delete()
        assert stop_reminders_send(actor=CLOCK) == 1
        longer = stops + timedelta(days=90)
        change = ask_change(manager, Campaign.objects.get(), stop_date=longer.isoformat())
        assert carry_out(change).status == OrderStatus.DONE
    sent = []
    for days in (0, 23, 29, 30, 60, 89, 90, 91):
        with time_machine.travel(now + timedelta(days=days), tick=False):
            sent.append(stop_reminders_send(actor=CLOCK))
    assert sent == [0, 0, 0, 0, 0, 0, 1, 0]
    assert list(StopReminder.objects.values_list("stop_date", "days")) == [(stops, 30), (longer, 30)]
    assert [who for who, _ in told()] == ["rep", "manager"] * 2


# --- many, and at once ---------------------------------------------------------------------------------------------


def test_reminders_that_were_sent_cost_no_query_each(location: Account, manager: User) -> None:
    for place in range(30):
        number(location, place, f"31673400{place:02d}")
    with CaptureQueriesContext(connection) as first:
        assert send() == 30
    with CaptureQueriesContext(connection) as again:
        assert send() == 0
    assert (len(again), len(first) < 30) == (2, True)


@pytest.mark.django_db(transaction=True)
def test_two_clocks_send_one_reminder(location: Account, manager: User) -> None:
    for place in range(5):
        number(location, 7, f"316734000{place}")
    sent = at_once(*[lambda: stop_reminders_send(actor=CLOCK)] * 3)
    assert sum(sent) == 5
    assert len(told()) == 5


# --- how it reads --------------------------------------------------------------------------------------------------


def test_the_mail_speaks_of_the_number_and_leads_to_its_extension(
    location: Account, manager: User, settings: Any
) -> None:
    settings.SITE_URL = "https://numbers.example"
    number(location, 7, campaign_name="Spring cakes")
    send()
    notification = Notification.objects.get()
    notification_mail(actor=WORKER, notification_id=notification.pk)
    notification.refresh_from_db()
    [message] = mail.outbox
    assert (notification.mail, message.subject) == (MailState.SENT, "(316) 734-2253 stops on Dec 3, 2026")
    body = str(message.body)
    assert "Campaign: Spring cakes\nLocation: Location 3 (L-3)\nRings: (316) 444-7896\n" in body
    assert "Last day for calls when this was sent: Dec 3, 2026, by the date at the Location\n" in body
    assert f"https://numbers.example/numbers/{CAKE}/extend/" in body
    assert f"https://numbers.example/numbers/{CAKE}/\n" in body
    assert body.count("stops on Dec 3, 2026") == 1


def test_the_bell_s_list_names_the_number_and_opening_it_is_reading_it(
    location: Account, manager: User, signed_in: Any
) -> None:
    number(location, 7)
    send()
    client = signed_in(manager)
    page = Page(client.get("/notifications/"))
    row = page.one("form", action=f"/numbers/{CAKE}/seen/")
    assert "(316) 734-2253 stops on Dec 3, 2026" in row.text
    assert "Now: Dec 3, 2026 (America/Chicago time)" in page.text
    assert client.post(f"/numbers/{CAKE}/seen/")["Location"] == f"/numbers/{CAKE}/"
    assert Notification.objects.get().read_at == NOON
    assert Page(client.get("/notifications/")).links("stops on Dec 3, 2026") == [f"/numbers/{CAKE}/"]


def test_what_was_told_of_a_number_that_is_no_longer_granted_says_only_that(
    location: Account, manager: User, signed_in: Any
) -> None:
    number(location, 7)
    send()
    manager.grants.all().delete()
    GrantFactory(user=manager, account=LocationFactory())
    page = Page(signed_in(manager).get("/notifications/"))
    assert "(316) 734-2253 lies in an account that is not granted to you any more." in page.text
    assert "stops on" not in page.text
