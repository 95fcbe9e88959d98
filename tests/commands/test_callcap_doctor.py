"""``manage.py callcap_doctor``: what it says of the sandbox, its exit status, and asking for one number."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from numbers_app.callcap.doctor import State
from numbers_app.management.commands import callcap_doctor
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderStatus, RateGate, User
from tests.factories import CampaignFactory
from tests.orders.steps import DESTINATION, approve, ask, carry_out
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


def doctor(**options: Any) -> tuple[int, str]:
    """The exit status and what is printed."""
    out = StringIO()
    try:
        call_command("callcap_doctor", stdout=out, **options)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def told() -> dict[str, dict[str, str]]:
    """Every finding by its subject."""
    _, printed = doctor(json=True)
    return {finding["subject"]: finding for finding in json.loads(printed)["findings"]}


@pytest.fixture
def offered(sandbox: SandboxServer) -> str:
    return sandbox.search(areaCode="316")[0]["phoneNumber"]


# --- looking -------------------------------------------------------------------------------------------------------


def test_everything_holds_of_the_sandbox(sandbox: SandboxServer) -> None:
    code, printed = doctor()
    assert code == 0
    assert "does not hold. " not in printed
    assert "Key: holds. The key is accepted.\n" in printed
    assert "Account tree: holds. Corporates: 3, Divisions: 8, Locations: 41.\n" in printed
    assert (
        "Shape of a search answer: holds. A list under numbers, of objects, the number under phoneNumber.\n" in printed
    )
    assert printed.endswith(" could not be told, 0 could not be reached.\n")
    states = {subject: finding["state"] for subject, finding in told().items()}
    untold = {subject for subject, state in states.items() if state != State.HOLDS}
    assert not untold & {"Flags and booleans", "No type flag", "No pool flag", "Reserved pool", "Whole number"}
    assert not untold & {"Vanity wildcards", "Text filters", "Cut-off lists", "Nothing found", "Fields of a number"}


def test_nothing_is_bought_or_changed(sandbox: SandboxServer) -> None:
    doctor()
    assert sandbox.journal() == []
    assert (Order.objects.count(), HistoryEntry.objects.count()) == (0, 0)


def test_a_wrong_key_ends_with_1_and_is_not_printed(sandbox: SandboxServer, settings: Any) -> None:
    settings.CALLCAP_API_KEY = "canary-key/4711"
    code, printed = doctor()
    assert code == 1
    assert "Key: does not hold. The key is wrong or was revoked." in printed
    assert "    Change: CALLCAP_API_KEY in the environment\n" in printed
    assert "canary" not in printed


def test_a_vendor_that_is_not_there_ends_with_3(settings: Any) -> None:
    settings.CALLCAP_API_URL = "http://127.0.0.1:1"
    code, printed = doctor()
    assert code == 3
    assert printed.startswith("Address: could not be told. This was not looked at, because something else")
    assert "Reachability: could not be reached. 127.0.0.1, port 1, takes no connections" in printed


def test_an_argument_that_is_none_ends_as_a_refused_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        callcap_doctor.Command().run_from_argv(["manage.py", "callcap_doctor", "--nonsense"])
    assert end.value.code == callcap_doctor.REFUSED
    assert "unrecognized arguments: --nonsense" in capsys.readouterr().err


def test_an_address_without_a_name_is_not_said_twice(sandbox: SandboxServer) -> None:
    assert told()["Reachability"]["sentence"] == "127.0.0.1 takes connections."


def test_machines_get_one_object(sandbox: SandboxServer, settings: Any) -> None:
    settings.CALLCAP_API_KEY = "wrong"
    code, printed = doctor(json=True)
    answer = json.loads(printed)
    assert (code, answer["exit"], answer["callcap"]) == (1, 1, sandbox.url)
    assert {"subject", "state", "sentence", "change"} == set(answer["findings"][0])


def test_an_area_code_without_numbers_says_so(sandbox: SandboxServer) -> None:
    code, printed = doctor(area_code="999")
    assert code == 0
    assert "Flags and booleans: could not be told. Area code 999 offers nothing. Try another" in printed


@pytest.mark.parametrize("area_code", ["", "31", "116", "3166", "abc"])
def test_an_area_code_that_is_none_is_refused(area_code: str) -> None:
    with pytest.raises(CommandError, match="An area code has three digits"):
        doctor(area_code=area_code)


def test_a_portal_without_its_tables_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr(callcap_doctor, "recorded_findings", refuse)
    with pytest.raises(CommandError, match=r"Run manage\.py migrate") as refused:
        doctor()
    assert refused.value.returncode == 2


@pytest.mark.django_db(transaction=True)
def test_calls_keep_to_the_rate_that_the_settings_allow(sandbox: SandboxServer, settings: Any) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 200
    assert doctor()[0] == 0
    assert RateGate.objects.get(name=RateGate.Name.BATCHES).next_at > 0


# --- what was sent so far ------------------------------------------------------------------------------------------


def test_before_anything_was_sent_a_person_is_told_what_to_do(sandbox: SandboxServer) -> None:
    findings = told()
    assert findings["Answer of a purchase"]["sentence"].endswith("Order one number, then run this again.")
    assert findings["A number that is sold"]["state"] == State.UNTOLD


def test_a_purchase_tells_what_callcap_answers_to_one(
    sandbox: SandboxServer, rep: User, manager: User, location: Account
) -> None:
    order = carry_out(approve(manager, ask(rep, location)))
    findings = told()
    answer = findings["Answer of a purchase"]
    assert answer["state"] == findings["Encoding of POST bodies"]["state"] == State.HOLDS
    assert f"Purchase of (316) 734-2253 in order {order.pk} was answered with status 200" in answer["sentence"]


def test_a_purchase_that_could_not_be_read_names_what_to_change(
    sandbox: SandboxServer, rep: User, manager: User, location: Account
) -> None:
    sandbox.arm_fault("other_number", "provision")
    carry_out(approve(manager, ask(rep, location)))
    answer = told()["Answer of a purchase"]
    assert (answer["state"], answer["change"]) == (
        State.FAILS,
        "NUMBER_NAMES and INNER_NAMES in numbers_app/callcap/reading.py",
    )


# --- asking for one number -----------------------------------------------------------------------------------------


def wish(number: str, **others: Any) -> dict[str, Any]:
    asked = {"buy": number, "account": "L-3", "destination": "(316) 444-7896", "requester": "rep", "yes": True}
    return asked | others


@pytest.mark.parametrize("missing", ["buy", "account", "destination", "requester", "yes"])
def test_a_wish_that_is_not_whole_is_refused_before_anything_is_sent(rep: User, settings: Any, missing: str) -> None:
    settings.CALLCAP_API_URL = "http://127.0.0.1:1"
    with pytest.raises(
        CommandError, match=f"Nothing was done: to ask for a number, give --{missing} as well"
    ) as refused:
        doctor(**wish("3167342253", **{missing: None}))
    assert refused.value.returncode == 2
    assert not Order.objects.exists()


def test_a_wish_becomes_an_order_that_waits_for_somebody_else(offered: str, rep: User, sandbox: SandboxServer) -> None:
    code, printed = doctor(**wish(offered))
    order = Order.objects.get()
    assert (code, order.status, order.requester_id, order.phone_number) == (0, OrderStatus.PENDING, rep.pk, offered)
    assert order.parameters == {"destination": DESTINATION}
    assert f"Order {order.pk} for " in printed
    assert "Nothing is bought before." in printed
    assert HistoryEntry.objects.get(verb="order.requested").source == "command"
    assert sandbox.journal() == []


def test_an_approved_wish_is_bought_once_and_reaches_the_mirror(
    offered: str, rep: User, manager: User, sandbox: SandboxServer
) -> None:
    doctor(**wish(offered))
    carry_out(approve(manager, Order.objects.get()))
    assert Campaign.objects.get().phone_number == offered
    assert len(sandbox.purchases()) == 1
    assert told()["Answer of a purchase"]["state"] == State.HOLDS


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({"buy": "555"}, "is not a US or Canadian number"),
        ({"destination": "call me"}, "has letters in it"),
        ({"requester": "nobody"}, "There is nobody called nobody."),
        ({"requester": "auditor"}, "Your role does not allow you to"),
        ({"account": "L-99"}, "There is no Location L-99."),
        ({"account": "D-1"}, "There is no Location D-1."),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(
    offered: str, rep: User, auditor: User, others: dict[str, str], sentence: str
) -> None:
    with pytest.raises(CommandError, match="Nothing was asked for: ") as refused:
        doctor(**wish(offered, **others))
    assert sentence in str(refused.value)
    assert refused.value.returncode == 2
    assert not Order.objects.exists()


def test_a_number_that_is_not_offered_is_not_asked_for(offered: str, rep: User, sandbox: SandboxServer) -> None:
    sandbox.take(offered)
    with pytest.raises(CommandError, match="Callcap does not offer"):
        doctor(**wish(offered))


def test_a_number_that_is_ours_or_wanted_is_not_asked_for(offered: str, rep: User, location: Account) -> None:
    ask(rep, location, offered)
    with pytest.raises(CommandError, match="is already asked for in order"):
        doctor(**wish(offered))
    CampaignFactory(phone_number="3167342253", account=location)
    with pytest.raises(CommandError, match="is already one of our numbers"):
        doctor(**wish("3167342253"))
