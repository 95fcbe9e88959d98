"""Narrowing the history: each filter, several together, and the chips that say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, Source, User, Verb
from numbers_app.services.history import NumberState, history_append
from tests.factories import GrantFactory, LocationFactory, UserFactory

from .page import Page

pytestmark = pytest.mark.django_db

CAKE = "3167342253"
WORKER = Actor.portal("Worker", source=Source.WORKER, request_id="request-7")


@pytest.fixture
def written(location: Account, elsewhere: Account) -> None:
    """Seven entries: two numbers' routing and stop dates, an order, an account of another Corporate, a pause."""
    moved = NumberState("3165550100", None)
    sibling = LocationFactory(key="L-4", callcap_id=4, parent=location.parent)
    with transaction.atomic():
        for fields in (
            {"verb": Verb.NUMBER_BOUGHT, "changes": {"destination": [None, "3165550100"], "notes": [None, "x"]}},
            {"verb": Verb.NUMBER_CHANGED, "changes": {"stop_date": [None, "2027-01-31"]}},
            {"verb": Verb.NUMBER_CHANGED, "changes": {"notes": ["x", "y"]}},
            {"verb": Verb.ORDER_REQUESTED, "order_id": 12, "changes": {"destination": [None, "3165550100"]}},
        ):
            state = moved if fields["verb"].startswith("number") else None
            history_append(actor=WORKER, number=CAKE, account_key=location.key, state=state, **fields)
        other = Actor.portal("Clock", source=Source.WORKER)
        history_append(actor=other, verb=Verb.ACCOUNT_CHANGED, account_key=sibling.key, changes={"name": ["a", "b"]})
        history_append(actor=other, verb=Verb.ACCOUNT_CHANGED, account_key=elsewhere.key)
        history_append(actor=other, verb=Verb.SENDING_PAUSED, changes={"paused": ["nothing", "purchases"]})


@pytest.fixture
def found(written: None, auditor: User, signed_in: Any) -> Callable[..., list[int]]:
    """``found(verb="number.changed")``: the sequences that the auditor's list shows."""

    def show(**filters: str) -> list[int]:
        response = signed_in(auditor).get("/history/", filters)
        assert response.status_code == 200
        return [entry.sequence for entry in response.context["page"].rows]

    return show


@pytest.mark.parametrize(
    ("filters", "sequences"),
    [
        ({}, [7, 6, 5, 4, 3, 2, 1]),
        ({"verb": "number.changed"}, [3, 2]),
        ({"field": "notes"}, [3, 1]),
        # The order wished for a destination, but nothing was re-routed by that.
        ({"routing": "on"}, [1]),
        ({"stop": "on"}, [2]),
        ({"routing": "on", "stop": "on"}, [2, 1]),
        ({"account": "L-3"}, [4, 3, 2, 1]),
        ({"account": "L-30"}, [6]),
        ({"order": "12"}, [4]),
        ({"order": "13"}, []),
        ({"request": "request-7"}, [4, 3, 2, 1]),
        ({"actor": "clock"}, [7, 6, 5]),
        ({"actor": "o"}, [7, 6, 5, 4, 3, 2, 1]),
        ({"actor": "Worker", "verb": "number.changed", "field": "notes"}, [3]),
    ],
)
def test_each_filter_shows_exactly_what_it_says(
    found: Callable[..., list[int]], filters: dict[str, str], sequences: list[int]
) -> None:
    assert found(**filters) == sequences


def test_an_account_stands_for_everything_below_it(found: Callable[..., list[int]], location: Account) -> None:
    division = location.parent
    assert division is not None
    assert found(account=division.key) == [5, 4, 3, 2, 1]
    assert division.parent is not None
    assert found(account=division.parent.key) == [5, 4, 3, 2, 1]


@pytest.mark.usefixtures("written")
def test_only_ones_own_accounts_can_be_chosen(as_rep: Client) -> None:
    page = Page(as_rep.get("/history/"))
    assert page.choices("account") == ["", "L-3"]
    refused = Page(as_rep.get("/history/", {"account": "L-30"}))
    assert refused.status == 422
    assert "not one of the available choices" in refused.error_at("account")


@pytest.mark.usefixtures("written")
def test_names_of_people_elsewhere_are_not_suggested(as_rep: Client, auditor: User, signed_in: Any) -> None:
    assert "Clock" not in as_rep.get("/history/").content.decode()
    names = Page(signed_in(auditor).get("/history/")).one("datalist", id="actor-names").all("option")
    assert [name.attributes["value"] for name in names] == ["Clock", "Worker"]


@pytest.mark.usefixtures("written")
def test_each_filter_is_a_chip_that_takes_it_away(as_rep: Client) -> None:
    asked = {"number": CAKE, "verb": "number.changed", "stop": "on", "date_from": "2026-01-31", "before": "3"}
    chips = Page(as_rep.get("/history/", asked)).one("ul", aria_label="Filters").all("a")
    assert [chip.text for chip in chips] == [
        "Number: 3167342253 Remove this filter",
        "What happened: Changed Remove this filter",
        "From: Jan 31, 2026 Remove this filter",
        "Stop date only Remove this filter",
    ]
    # One leaves the others, and starts again with the newest.
    assert chips[0].attributes["href"] == "?verb=number.changed&stop=on&date_from=2026-01-31"


@pytest.mark.usefixtures("written")
def test_the_last_chip_leads_to_everything(as_rep: Client) -> None:
    chips = Page(as_rep.get("/history/", {"number": CAKE})).one("ul", aria_label="Filters").all("a")
    assert [chip.attributes["href"] for chip in chips] == ["?all=1"]


@pytest.mark.parametrize(
    ("filters", "field", "sentence"),
    [
        ({"verb": "number.stolen"}, "verb", "not one of the available choices"),
        ({"field": "hash"}, "field", "not one of the available choices"),
        ({"order": "twelve"}, "order", "Enter a number"),
        ({"order": "0"}, "order", "greater than or equal to 1"),
        ({"order": "9" * 30}, "order", "less than or equal to"),
        ({"request": "x\x00"}, "request", "Remove the null character"),
    ],
)
def test_nonsense_is_refused_at_its_field(as_rep: Client, filters: dict[str, str], field: str, sentence: str) -> None:
    page = Page(as_rep.get("/history/", filters))
    assert page.status == 422
    assert sentence in page.error_at(field)


@pytest.mark.usefixtures("written")
def test_several_accounts_are_one_list_and_nonsense_or_nobody_finds_nothing_in_it(
    as_rep: Client, rep: User, elsewhere: Account
) -> None:
    GrantFactory(user=rep, account=elsewhere)
    assert [entry.sequence for entry in as_rep.get("/history/").context["page"].rows] == [6, 4, 3, 2, 1]
    assert as_rep.get("/history/", {"actor": "nobody"}).context["page"].rows == []
    refused = as_rep.get("/history/", {"verb": "number.stolen"})
    assert (refused.status_code, refused.context["page"].rows) == (422, [])


@pytest.mark.parametrize("key", ["", "-1", "x", "9" * 19, "²", "٣", "1.5"])
@pytest.mark.usefixtures("written")
def test_a_page_that_is_none_leads_to_the_newest(as_rep: Client, key: str) -> None:
    response = as_rep.get("/history/", {"before": key})
    assert [entry.sequence for entry in response.context["page"].rows] == [4, 3, 2, 1]


@pytest.fixture
def namesakes(location: Account) -> list[User]:
    """Two people called Ann Lee, each with a change to a number of L-3, and one who is gone."""
    people = [UserFactory(username=name, first_name="Ann", last_name="Lee") for name in ("ann", "ann2", "ann3")]
    with transaction.atomic():
        for person in people:
            history_append(
                actor=Actor.person(person),
                verb=Verb.NUMBER_CHANGED,
                number=CAKE,
                account_key=location.key,
                changes={"notes": ["", person.username]},
                state=NumberState("3165550100", None),
            )
    people[2].delete()
    return people


@pytest.mark.usefixtures("namesakes")
def test_people_of_one_name_are_told_apart(auditor: User, signed_in: Any) -> None:
    client = signed_in(auditor)
    page = Page(client.get("/history/"))
    names = [name.attributes["value"] for name in page.one("datalist", id="actor-names").all("option")]
    assert names == ["Ann Lee", "Ann Lee (ann)", "Ann Lee (ann2)"]

    def found(actor: str) -> list[int]:
        return [entry.sequence for entry in client.get("/history/", {"actor": actor}).context["page"].rows]

    assert found("Ann Lee") == found("ann lee") == [3, 2, 1]
    assert found("Ann Lee (ann2)") == [2]
    assert found("Ann Lee (nobody)") == []
    for sequence in (1, 2, 3):
        [there] = Page(client.get(f"/history/{sequence}/")).links("Everything by Ann Lee")
        assert [entry.sequence for entry in client.get(there).context["page"].rows] == [sequence]


@pytest.mark.usefixtures("namesakes")
def test_reports_tell_them_apart_too(auditor: User, signed_in: Any) -> None:
    client = signed_in(auditor)
    ranking = client.get("/history/reports/").context["report"].people
    assert [group.name for group in ranking.first][:2] == ["Ann Lee (ann)", "Ann Lee (ann2)"]
    people = Page(client.get("/history/reports/")).one("section", aria_labelledby="by-person")
    for link in people.one("table").all("a"):
        assert len(client.get(link.attributes["href"]).context["page"].rows) == 1
