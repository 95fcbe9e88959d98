"""How each row of a batch is judged before anybody decides on it."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numbers_app.actors import Actor
from numbers_app.batch_csv import read_file
from numbers_app.models import Account, BatchKind, BatchRow, Campaign, User
from numbers_app.services import batch_judging
from numbers_app.services.batch_judging import rows_of_file
from numbers_app.services.inventory import inventory_export
from numbers_app.services.orders import WantedNumber, order_request_purchase
from tests.factories import CampaignFactory, GrantFactory, LocationFactory

pytestmark = pytest.mark.django_db

CAKE, PIE, FREE = "3167342253", "3167342254", "3167342255"


@pytest.fixture
def cake(location: Account) -> Campaign:
    made: Campaign = CampaignFactory(phone_number=CAKE, account=location, campaign_name="Cakes", brand="Blue")
    return made


def judged(user: User, kind: str, heading: str, *lines: str) -> list[BatchRow]:
    data = "\r\n".join([heading, *lines]).encode()
    return list(rows_of_file(user=user, kind=BatchKind(kind), rows=read_file(data, kind)))


def one(user: User, kind: str, heading: str, line: str) -> BatchRow:
    (row,) = judged(user, kind, heading, line)
    return row


def problem(user: User, kind: str, heading: str, line: str) -> str:
    row = one(user, kind, heading, line)
    assert (row.state, row.parameters, row.criteria) == ("refused", {}, {})
    return row.problem


# --- changes ---------------------------------------------------------------------------------------------------------
def test_only_what_differs_is_changed(rep: User, cake: Campaign) -> None:
    row = one(rep, "change", "phone_number,destination,brand,memo1", "(316) 734-2253,316-555-0100,Blue,x")
    assert (row.state, row.problem, row.line) == ("ready", "", 2)
    assert (row.number, row.campaign, row.account, row.author_id) == (CAKE, cake, cake.account, rep.pk)
    assert row.parameters == {"destination": "3165550100", "memo1": "x"}
    assert row.before == {"destination": "3164447896", "memo1": ""}


def test_a_row_that_says_what_is_so_changes_nothing(rep: User, cake: Campaign) -> None:
    row = one(rep, "change", "phone_number,destination,brand", f"{CAKE},3164447896,Blue")
    assert (row.state, row.parameters) == ("unchanged", {})


def test_empty_cells_leave_every_value_as_it_is(rep: User, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, **everything())
    heading = ",".join(["phone_number", *everything(), "destination"])
    assert one(rep, "change", heading, CAKE + "," * (len(everything()) + 1)).state == "unchanged"
    assert one(rep, "change", heading, CAKE + ", " * (len(everything()) + 1)).state == "unchanged"


def everything() -> dict[str, Any]:
    return {
        "stop_date": date(2098, 1, 1),
        "recording": True,
        "evaluation": "delayed",
        "campaign_name": "Cakes",
        "media_type_id": 7,
        "brand": "Blue",
        "service": "Heating",
        "target": "Owners",
        "offer": "Free",
        "memo1": "1",
        "memo2": "2",
        "notes": "one\ntwo",
    }


def test_the_word_for_clearing_clears_information(rep: User, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, **everything())
    row = one(
        rep, "change", "phone_number,brand,media_type_id,campaign_name,notes", f"{CAKE},(empty),(empty),(Empty),(empty)"
    )
    assert row.parameters == {"brand": "", "media_type_id": None, "campaign_name": CAKE, "notes": ""}
    assert row.before == {"brand": "Blue", "media_type_id": 7, "campaign_name": "Cakes", "notes": "one\ntwo"}


def test_text_that_reads_like_the_word_for_clearing_is_kept(rep: User, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, memo1="(empty)")
    assert one(rep, "change", "phone_number,memo1", f"{CAKE},(empty)").state == "unchanged"


@pytest.mark.parametrize("words", ["run on", "2099-01-01"])
def test_a_stop_date_is_lifted_by_letting_the_number_run_on(words: str, rep: User, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2098, 1, 1))
    assert one(rep, "change", "phone_number,stop_date", f"{CAKE},{words}").parameters == {"stop_date": "2099-01-01"}


def test_what_runs_on_already_is_unchanged(rep: User, cake: Campaign) -> None:
    assert one(rep, "change", "phone_number,stop_date", f"{CAKE},run on").state == "unchanged"


def test_a_stop_date_that_has_passed_is_refused_by_the_locations_date(rep: User, cake: Campaign) -> None:
    yesterday = cake.account.today() - timedelta(days=1)
    said = problem(rep, "change", "phone_number,stop_date", f"{CAKE},{yesterday}")
    assert said.startswith(f"stop_date “{yesterday}”: {yesterday} has passed at")
    assert one(rep, "change", "phone_number,stop_date", f"{CAKE},{cake.account.today()}").state == "ready"


def test_a_stop_date_that_is_so_already_is_not_looked_at(rep: User, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2020, 1, 1))
    assert one(rep, "change", "phone_number,stop_date,memo1", f"{CAKE},2020-01-01,x").parameters == {"memo1": "x"}


def test_every_problem_of_a_row_is_told_at_once(rep: User) -> None:
    said = problem(rep, "change", "phone_number,destination,recording", f"{FREE},12,perhaps")
    for column in ("phone_number", "destination", "recording"):
        assert f"{column} “" in said


def test_a_number_of_another_account_is_as_unknown_as_any(rep: User, elsewhere: Account) -> None:
    CampaignFactory(phone_number=PIE, account=elsewhere)
    unknown, strange = judged(rep, "change", "phone_number,memo1", f"{FREE},x", f"{PIE},x")
    assert unknown.problem == f"phone_number “{FREE}”: This is not among your numbers."
    assert strange.problem == unknown.problem.replace(FREE, PIE)
    assert (strange.account, strange.campaign) == (None, None)


def test_a_number_that_has_stopped_is_refused_and_a_newer_campaign_of_it_is_not(rep: User, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, ended_at=timezone.now())
    CampaignFactory(phone_number=PIE, account=location, ended_at=timezone.now())
    newer = CampaignFactory(phone_number=PIE, account=location)
    stopped, alive = judged(rep, "change", "phone_number,memo1", f"{CAKE},x", f"{PIE},x")
    assert "has stopped" in stopped.problem
    assert (alive.state, alive.campaign) == ("ready", newer)


def test_the_same_number_twice_is_refused_with_the_line_of_the_first(rep: User, cake: Campaign) -> None:
    first, second = judged(rep, "change", "phone_number,memo1", f"{CAKE},x", "(316) 734-2253,y")
    assert (first.state, second.state) == ("ready", "refused")
    assert "stands on line 2 already" in second.problem


def test_only_a_row_that_is_not_refused_counts_as_the_first(rep: User, cake: Campaign) -> None:
    heading = "phone_number,destination"
    rows = judged(rep, "change", heading, f"{CAKE},12", f"{CAKE},3165550100", f"{CAKE},3165550101")
    assert [row.state for row in rows] == ["refused", "ready", "refused"]
    assert rows[2].problem == f"phone_number “{CAKE}”: The number stands on line 3 already."


def test_several_purchases_may_be_by_search(rep: User, location: Account) -> None:
    rows = judged(rep, "purchase", "account,destination,area_code", *["L-3,3164447896,316"] * 2)
    assert [(row.state, row.problem) for row in rows] == [("ready", "")] * 2


def test_calls_are_not_sent_to_a_number_of_ours_whoever_has_it(
    rep: User, cake: Campaign, elsewhere: Account, location: Account
) -> None:
    CampaignFactory(phone_number=PIE, account=elsewhere)
    order_request_purchase(
        actor=Actor.person(rep),
        account=location,
        wanted=[WantedNumber(FREE)],
        parameters={"destination": "3164447896"},
        reason="",
        form_token=uuid.uuid4(),
    )
    assert "one of our tracking numbers" in problem(rep, "change", "phone_number,destination", f"{CAKE},{PIE}")
    assert "about to become one" in problem(rep, "change", "phone_number,destination", f"{CAKE},{FREE}")


def test_a_number_cannot_move_to_another_account(rep: User, cake: Campaign, elsewhere: Account) -> None:
    GrantFactory(user=rep, account=elsewhere)
    assert "It cannot move" in problem(rep, "change", "phone_number,account,memo1", f"{CAKE},L-30,x")
    assert one(rep, "change", "phone_number,account,memo1", f"{CAKE},L-3,x").state == "ready"


def test_an_account_that_callcap_no_longer_lists_takes_no_change(rep: User, cake: Campaign) -> None:
    Account.objects.filter(pk=cake.account_id).update(active=False)
    said = problem(rep, "change", "phone_number,account,memo1", f"{CAKE},L-3,x")
    assert said == f"{cake.account} is no longer in Callcap's account tree."


# --- purchases -------------------------------------------------------------------------------------------------------
NEW = "phone_number,account,destination"


def test_a_purchase_has_its_number_its_account_and_what_is_said_of_it(rep: User, location: Account) -> None:
    row = one(rep, "purchase", f"{NEW},stop_date,brand,evaluation", f"{FREE},L-3,3164447896,2098-01-01,Blue,")
    assert (row.state, row.number, row.account, row.campaign) == ("ready", FREE, location, None)
    assert row.parameters == {"destination": "3164447896", "stop_date": "2098-01-01", "brand": "Blue"}
    assert (row.criteria, row.before) == ({}, {})


def test_a_purchase_may_describe_its_number(rep: User, location: Account) -> None:
    heading = f"{NEW},area_code,vanity_text,state,show_local,show_reserved_pool"
    row = one(rep, "purchase", heading, ",L-3,3164447896,316,###cake,ks,yes,true")
    assert (row.state, row.number) == ("ready", "")
    assert row.criteria == {
        "area_code": "316",
        "vanity_text": "###cake",
        "state": "KS",
        "show_local": True,
        "show_reserved_pool": True,
        "account": "L-3",
    }


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (",,,", "Give the number, or something to search for"),
        ("31,,,", "area_code “31”: An area code has three digits"),
        (",c@ke,,", "vanity_text “c@ke”: @ cannot be dialled"),
        (",,XX,", "state “XX”: Give the two letters"),
        (",,KS,true", "state “KS”: Toll-free numbers have no place"),
        (",,,no", "say nothing to look for"),
    ],
)
def test_a_search_that_cannot_be_is_refused(cells: str, words: str, rep: User) -> None:
    said = problem(rep, "purchase", f"{NEW},area_code,vanity_text,state,show_tollfree", f",L-3,3164447896,{cells}")
    assert words in said


def test_a_number_that_is_held_or_wanted_is_not_bought(rep: User, location: Account, elsewhere: Account) -> None:
    CampaignFactory(phone_number=PIE, account=elsewhere)
    order = order_request_purchase(
        actor=Actor.person(rep),
        account=location,
        wanted=[WantedNumber(FREE)],
        parameters={"destination": "3164447896"},
        reason="",
        form_token=uuid.uuid4(),
    )
    assert "already one of our numbers" in problem(rep, "purchase", NEW, f"{PIE},L-3,3164447896")
    assert f"asked for in order {order.pk}" in problem(rep, "purchase", NEW, f"{FREE},L-3,3164447896")
    assert f"asked for in order {order.pk}" in problem(rep, "import", NEW, f"{FREE},L-3,3164447896")


@pytest.mark.parametrize("kind", ["purchase", "import"])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"{FREE},L-30,3164447896", "account “L-30”: This is not one of your Locations"),
        (f"{FREE},,3164447896", "account: Give the Location"),
        (f"{FREE},L-3,", "destination: Give the number that calls should ring to"),
        (f"{FREE},L-3,{FREE}", "the number itself"),
        ("316,L-3,3164447896", "phone_number “316”: 316 is not a US or Canadian number"),
    ],
)
def test_a_new_number_needs_what_an_order_needs(
    kind: str, line: str, words: str, rep: User, elsewhere: Account
) -> None:
    assert words in problem(rep, kind, NEW, line)


@pytest.mark.parametrize("kind", ["purchase", "import"])
def test_calls_of_a_new_number_do_not_ring_another_one_of_the_file(kind: str, rep: User) -> None:
    first, second = judged(rep, kind, NEW, f"{CAKE},L-3,{PIE}", f"{PIE},L-3,3164447896")
    assert "a number of this file, on line 3" in first.problem
    assert second.state == "ready"


def test_calls_do_not_ring_a_number_far_down_in_the_file(rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_judging, "CHUNK", 1)
    rows = judged(rep, "import", "phone_number,account,destination", f"{CAKE},L-3,{PIE}", f"{PIE},L-3,3164447896")
    assert [row.state for row in rows] == ["refused", "ready"]
    assert "This is itself a number of this file, on line 3." in rows[0].problem


@pytest.mark.parametrize("kind", ["purchase", "import"])
def test_a_location_that_callcap_no_longer_lists_takes_no_number(kind: str, rep: User, location: Account) -> None:
    location.active = False
    location.save()
    said = problem(rep, kind, "phone_number,account,destination", f"{FREE},L-3,3164447896")
    assert said == f"account “L-3”: {location} is no longer in Callcap's account tree."


@pytest.mark.parametrize("name", ["L-3", "l-3", "3", "Salina", "Salina (L-3)"])
def test_a_location_is_named_by_key_number_or_name(name: str, rep: User, location: Account) -> None:
    Account.objects.filter(pk=location.pk).update(name="Salina")
    assert one(rep, "import", NEW, f"{FREE},{name},3164447896").account == location


def test_a_name_that_two_locations_have_is_refused_with_their_keys(rep: User, location: Account) -> None:
    Account.objects.filter(pk=location.pk).update(name="Salina")
    GrantFactory(user=rep, account=LocationFactory(key="L-4", callcap_id=4, name="Salina"))
    assert "Give the key: L-3, L-4" in problem(rep, "import", NEW, f"{FREE},Salina,3164447896")


# --- imports ---------------------------------------------------------------------------------------------------------
def test_an_import_of_a_number_that_is_as_the_row_says_does_nothing(rep: User, cake: Campaign) -> None:
    row = one(rep, "import", f"{NEW},brand", f"{CAKE},L-3,3164447896,Blue")
    assert (row.state, row.campaign, row.parameters) == ("unchanged", cake, {})


def test_an_import_does_not_change_a_number(rep: User, cake: Campaign) -> None:
    said = problem(rep, "import", f"{NEW},brand", f"{CAKE},L-3,3165550100,Red")
    assert "with another destination, brand. Use a change." in said


def test_a_number_that_has_stopped_is_not_imported(rep: User, location: Account) -> None:
    said = problem(rep, "import", f"{NEW},status", f"{FREE},L-3,3164447896,Stopped")
    assert said == "status “Stopped”: A number that has stopped is not imported: it would count as ours again."


def test_a_row_about_an_earlier_time_of_a_number_does_not_change_it(rep: User, cake: Campaign) -> None:
    heading = "phone_number,destination,status"
    rows = judged(rep, "change", heading, f"{CAKE},3165550100,stopped", f"{CAKE},3165550101,active")
    assert [row.state for row in rows] == ["refused", "ready"]
    assert "in use again" in rows[0].problem


def test_a_number_of_somebody_elses_is_not_imported_and_not_told_of(rep: User, elsewhere: Account) -> None:
    CampaignFactory(phone_number=PIE, account=elsewhere)
    said = problem(rep, "import", NEW, f"{PIE},L-3,3164447896")
    assert said == f"phone_number “{PIE}”: This is already one of our numbers."


def test_the_export_of_the_inventory_imports_as_nothing_to_do(rep: User, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, **everything())
    CampaignFactory(phone_number=PIE, account=location, memo1="=1+1", notes="'quoted'", stop_date=date(2099, 1, 1))
    made = inventory_export(actor=Actor.person(rep), campaigns=Campaign.objects.all(), filters="")
    data = b"".join(made.stream)
    for kind in (BatchKind.IMPORT, BatchKind.CHANGE):
        rows = list(rows_of_file(user=rep, kind=kind, rows=read_file(data, kind)))
        assert [(row.state, row.problem) for row in rows] == [("unchanged", "")] * 2


NUMBERS = st.from_regex(r"316[2-9][0-9]{6}", fullmatch=True).filter(lambda number: not number.startswith("316734"))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\u2400\r"), max_size=30).map(str.strip)
VALUES = st.fixed_dictionaries(
    {
        "destination": NUMBERS,
        "stop_date": st.none() | st.dates(date(2090, 1, 1), date(2099, 12, 31)),
        "recording": st.none() | st.booleans(),
        "evaluation": st.sampled_from(["", "off", "realtime", "delayed"]),
        "campaign_name": TEXTS.filter(bool),
        "media_type_id": st.none() | st.integers(1, 2_147_483_647),
        "brand": TEXTS,
        "notes": TEXTS | st.just("(empty)"),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=VALUES, has_stopped=st.booleans())
def test_an_exported_row_changes_nothing_and_imports_with_the_same_values(
    values: dict[str, Any], has_stopped: bool, rep: User, location: Account
) -> None:
    exported = CampaignFactory(account=location, ended_at=timezone.now() if has_stopped else None, **values)
    campaigns = Campaign.objects.filter(pk=exported.pk)
    data = b"".join(inventory_export(actor=Actor.person(rep), campaigns=campaigns, filters="").stream)
    (same,) = rows_of_file(user=rep, kind=BatchKind.CHANGE, rows=read_file(data, "change"))
    assert same.state == ("refused" if has_stopped else "unchanged")
    # A number that is not ours yet, in every other respect as it was exported.
    fresh = f"620{exported.phone_number[3:]}".encode()
    (row,) = read_file(data.replace(exported.phone_number.encode(), fresh, 1), "import")
    (imported,) = rows_of_file(user=rep, kind=BatchKind.IMPORT, rows=[row])
    if has_stopped:
        assert (imported.state, imported.parameters) == ("refused", {})
        return
    expected = {name: value for name, value in values.items() if value not in (None, "")}
    if "stop_date" in expected:
        expected["stop_date"] = expected["stop_date"].isoformat()
    assert (imported.state, imported.problem, imported.parameters) == ("ready", "", expected)
