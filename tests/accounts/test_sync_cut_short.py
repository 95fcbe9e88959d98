"""An answer that lacks many accounts is more likely cut short than true: nothing of it is taken over unasked."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from numbers_app.actors import Actor
from numbers_app.callcap import AccountNode
from numbers_app.models import Account, Source
from numbers_app.services.account_sync import (
    CLAIM,
    STATE,
    ManyGone,
    accounts_sync,
    accounts_sync_run,
    accounts_sync_state,
)

from .tree import callcap_lists, node

CLOCK = Actor.portal("Clock", source=Source.WORKER)
# Two Divisions with three and two Locations, and a third with one.
BELOW = {"D-1": ("L-1", "L-2", "L-3"), "D-2": ("L-4", "L-5"), "D-3": ("L-6",)}
ALL = [*BELOW, *(key for keys in BELOW.values() for key in keys)]

pytestmark = pytest.mark.django_db


def listing(*, without: Iterable[str] = ()) -> list[AccountNode]:
    nodes = [node("C-1")]
    for division, locations in BELOW.items():
        nodes += [node(division, above="C-1"), *(node(key, above=division) for key in locations)]
    return [found for found in nodes if found.key not in without]


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.delete_many([STATE, CLAIM])
    callcap_lists(monkeypatch, *listing())
    accounts_sync(actor=CLOCK)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        (BELOW["D-2"], "none of 2 accounts that lay side by side"),
        (["D-2", *BELOW["D-2"]], "none of 2 accounts that lay side by side"),
        (ALL, "none of 3 accounts that lay side by side"),
        (["L-1", "L-2", "L-4", "L-6"], "4 of 6 Locations no longer"),
    ],
    ids=["a Division without Locations", "a whole Division", "a Corporate without Divisions", "more than half"],
)
def test_nothing_is_taken_over(monkeypatch: pytest.MonkeyPatch, missing: list[str], sentence: str) -> None:
    callcap_lists(monkeypatch, *listing(without=missing), node("L-99", above="C-1"))
    with pytest.raises(ManyGone, match=sentence):
        accounts_sync(actor=CLOCK)
    assert set(Account.objects.filter(active=True).values_list("key", flat=True)) == {"C-1", *ALL}


@pytest.mark.parametrize("missing", [["L-6"], ["L-1", "L-2"], ["L-1", "L-2", "L-4"], ["D-3", "L-6"]])
def test_fewer_are_gone_at_once(monkeypatch: pytest.MonkeyPatch, missing: list[str]) -> None:
    callcap_lists(monkeypatch, *listing(without=missing))
    assert accounts_sync(actor=CLOCK).vanished == len(missing)


def test_those_that_moved_are_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = [node(key, above="D-1") for key in BELOW["D-2"]]
    callcap_lists(monkeypatch, *listing(without=BELOW["D-2"]), *moved)
    assert accounts_sync(actor=CLOCK).vanished == 0


def test_those_that_were_gone_before_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in (["L-4"], ["L-4", "L-5"]):
        callcap_lists(monkeypatch, *listing(without=missing))
        assert accounts_sync(actor=CLOCK).vanished == 1


def test_the_clock_tells_it_as_a_failure_until_a_person_confirms_it(monkeypatch: pytest.MonkeyPatch) -> None:
    callcap_lists(monkeypatch, *listing(without=BELOW["D-2"]))
    assert accounts_sync_run(actor=CLOCK) is None
    state = accounts_sync_state()
    assert state.many_gone
    assert "Its answer was probably cut short." in state.trouble
    with pytest.raises(CommandError, match=r"The accounts stay as they were\..*--even-if-many-are-gone"):
        call_command("sync_accounts")
    out = StringIO()
    call_command("sync_accounts", "--even-if-many-are-gone", stdout=out)
    assert out.getvalue() == "8 accounts: 0 added, 0 changed, 2 gone.\n"
    assert (accounts_sync_state().trouble, accounts_sync_state().many_gone) == ("", False)
