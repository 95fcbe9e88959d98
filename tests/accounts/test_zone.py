"""A Location's time zone, set by hand, and what the next reading of Callcap's tree makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied

from numbers_app.actors import Actor
from numbers_app.errors import InvalidInput
from numbers_app.models import Account, HistoryEntry, Source, User, Verb
from numbers_app.permissions import Role
from numbers_app.services.account_sync import accounts_sync
from numbers_app.services.accounts import account_set_zone
from tests.factories import GrantFactory, LocationFactory, UserFactory

from .tree import callcap_lists, tree

CLOCK = Actor.portal("Clock", source=Source.WORKER)
CHICAGO, DENVER, PHOENIX, NEW_YORK = "America/Chicago", "America/Denver", "America/Phoenix", "America/New_York"

pytestmark = pytest.mark.django_db

type Told = Callable[[str], str]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """``told(zone)``: the zone that L-1 has here once Callcap's tree was read, in which it has that one."""

    def read(zone: str) -> str:
        callcap_lists(monkeypatch, *tree("L-1", zone=zone))
        accounts_sync(actor=CLOCK)
        return Account.objects.get(key="L-1").time_zone

    return read


@pytest.fixture
def by_hand(told: Told) -> Callable[[str], None]:
    """``by_hand(zone)``: a manager sets the zone of L-1, for which Callcap tells America/Denver."""
    told(DENVER)
    manager: User = UserFactory(role=Role.MANAGER)
    GrantFactory(user=manager, account=Account.objects.get(key="D-1"))

    def set_zone(zone: str) -> None:
        account_set_zone(actor=Actor.person(manager), account=Account.objects.get(key="L-1"), time_zone=zone)

    return set_zone


def zones() -> list[tuple[str, list[str]]]:
    """(by whom, [before, after]) of every change of the zone, in order."""
    entries = HistoryEntry.objects.filter(verb=Verb.ACCOUNT_CHANGED, account_key="L-1").order_by("sequence")
    return [(entry.actor_name, entry.changes["time_zone"]) for entry in entries if "time_zone" in entry.changes]


def test_a_zone_set_by_hand_stays_while_callcap_tells_what_it_told_then(
    told: Told, by_hand: Callable[[str], None]
) -> None:
    by_hand(PHOENIX)
    assert [told(DENVER), told(DENVER)] == [PHOENIX, PHOENIX]
    assert [change for _, change in zones()] == [[DENVER, PHOENIX]]


def test_another_zone_told_by_callcap_takes_its_place(told: Told, by_hand: Callable[[str], None]) -> None:
    by_hand(PHOENIX)
    assert [told(NEW_YORK), told(DENVER)] == [NEW_YORK, DENVER]
    assert [change for _, change in zones()] == [[DENVER, PHOENIX], [PHOENIX, NEW_YORK], [NEW_YORK, DENVER]]
    assert zones()[1][0] == "Clock"


def test_of_several_set_by_hand_in_a_row_the_first_says_what_callcap_told(
    told: Told, by_hand: Callable[[str], None]
) -> None:
    for zone in (PHOENIX, CHICAGO):
        by_hand(zone)
    assert told(DENVER) == CHICAGO
    # It is another one than Callcap told, though a person had it set for a while.
    assert told(PHOENIX) == PHOENIX


def test_one_set_by_hand_again_after_callcap_had_its_way_stays(told: Told, by_hand: Callable[[str], None]) -> None:
    by_hand(PHOENIX)
    told(NEW_YORK)
    by_hand(CHICAGO)
    assert [told(NEW_YORK), told(DENVER)] == [CHICAGO, DENVER]


def test_zones_that_callcap_does_not_tell_change_nothing(told: Told, by_hand: Callable[[str], None]) -> None:
    by_hand(PHOENIX)
    assert [told(""), told(DENVER), told("")] == [PHOENIX, PHOENIX, PHOENIX]


def test_the_first_zone_that_callcap_tells_takes_the_place_of_one_set_by_hand(told: Told) -> None:
    told("")
    manager: User = UserFactory(role=Role.MANAGER)
    GrantFactory(user=manager, account=Account.objects.get(key="L-1"))
    account_set_zone(actor=Actor.person(manager), account=Account.objects.get(key="L-1"), time_zone=PHOENIX)
    assert [told(""), told(DENVER)] == [PHOENIX, DENVER]


def test_the_same_zone_again_is_no_change(by_hand: Callable[[str], None]) -> None:
    by_hand(DENVER)
    assert zones() == []


def test_it_is_recorded_with_who_did_it(location: Account, manager: User) -> None:
    account_set_zone(actor=Actor.person(manager), account=location, time_zone=PHOENIX)
    entry = HistoryEntry.objects.get()
    assert (entry.verb, entry.account_key, entry.actor_id) == ("account.changed", "L-3", manager.pk)
    assert entry.changes == {"time_zone": [CHICAGO, PHOENIX]}
    location.refresh_from_db()
    assert location.today()


def may(person: User, account: Account) -> bool:
    try:
        account_set_zone(actor=Actor.person(person), account=account, time_zone=PHOENIX)
    except PermissionDenied:
        return False
    return True


def test_managers_may_where_they_were_granted_and_administrators_everywhere(
    location: Account, rep: User, manager: User, auditor: User
) -> None:
    elsewhere: Account = LocationFactory()
    administrator: User = UserFactory(role=Role.ADMINISTRATOR)
    people = {"rep": rep, "manager": manager, "auditor": auditor, "administrator": administrator}
    assert {name for name, person in people.items() if may(person, location)} == {"manager", "administrator"}
    assert {name for name, person in people.items() if may(person, elsewhere)} == {"administrator"}


def test_a_manager_who_sees_everything_as_an_auditor_still_needs_the_grant(auditor: User) -> None:
    auditor.groups.add(*UserFactory(role=Role.MANAGER).groups.all())
    assert not may(auditor, LocationFactory())


@pytest.mark.parametrize("zone", ["", "US/Nowhere", "../../etc/passwd"])
def test_what_is_no_zone_is_refused(location: Account, manager: User, zone: str) -> None:
    with pytest.raises(InvalidInput, match="Choose one of the time zones"):
        account_set_zone(actor=Actor.person(manager), account=location, time_zone=zone)
    assert not HistoryEntry.objects.exists()


def test_accounts_above_the_locations_have_none(location: Account) -> None:
    administrator: User = UserFactory(role=Role.ADMINISTRATOR)
    assert location.parent
    with pytest.raises(InvalidInput, match="Only Locations"):
        account_set_zone(actor=Actor.person(administrator), account=location.parent, time_zone=PHOENIX)
