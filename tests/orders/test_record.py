"""A number that was bought is never known only to Callcap, even when writing it down fails."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import Outcome, WriteAnswer
from numbers_app.errors import Conflict
from numbers_app.models import (
    Account,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Campaign,
    HistoryEntry,
    Order,
    OrderStatus,
    User,
    Verb,
)
from numbers_app.services.decisions import order_approve
from numbers_app.services.recording import attempt_record, attempt_store
from numbers_app.services.sending import attempt_conclude
from numbers_app.services.sweep import orders_sweep
from numbers_app.services.transition import order_lock, order_lock_with_number, order_transition
from numbers_app.services.verification import history_verify
from tests.orders.steps import (
    CAKE,
    DESTINATION,
    WORKER,
    approve,
    ask,
    carry_out,
    database_obeys_again,
    database_refuses,
    keep_trying,
    outcomes,
    rings,
    verbs,
)
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db

# The first table that a statement is about.
TABLE = re.compile(r'(?:FROM|UPDATE|INTO) "(\w+)"')
APPLIED = WriteAnswer(Outcome.APPLIED, 200, "success", named_number=CAKE, campaign_id="77")


def record(attempt: Attempt) -> None:
    attempt_record(actor=WORKER, order=order_lock_with_number(attempt.order_id), attempt=attempt)


@pytest.fixture
def approved(rep: User, manager: User, location: Account) -> Order:
    return approve(manager, ask(rep, location, CAKE))


@pytest.fixture
def sending(approved: Order) -> Attempt:
    """The purchase's one call, whose answer has not come yet."""
    order_transition(
        actor=WORKER,
        order=order_lock(approved.pk),
        to=OrderStatus.SENDING,
        verb=Verb.ORDER_SENDING,
        phone_number=CAKE,
    )
    return Attempt.objects.create(
        order=approved,
        kind=AttemptKind.BUY,
        number=CAKE,
        parameters={"destination": DESTINATION},
        started_at=timezone.now(),
        lease_until=timezone.now() + timedelta(seconds=30),
    )


def test_outcome_is_kept_alone_with_an_alarm_when_the_record_fails(
    approved: Order, sandbox: SandboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    database_refuses("INSERT", "numbers_app_campaign")
    carry_out(approved)
    attempt = approved.attempts.get()
    assert (attempt.outcome, attempt.recorded, attempt.http_status) == (AttemptOutcome.APPLIED, False, 200)
    assert approved.status == OrderStatus.SENDING
    assert not Campaign.objects.exists()
    alarms = [record for record in caplog.records if record.levelname == "CRITICAL"]
    assert [alarm.msg["event"] for alarm in alarms] == ["outcome_not_recorded"]
    assert (alarms[0].msg["number"], alarms[0].msg["outcome"]) == (CAKE, "applied")
    assert history_verify().problems == []


def test_the_sweep_finishes_what_could_not_be_recorded(approved: Order, sandbox: SandboxServer) -> None:
    database_refuses("INSERT", "numbers_app_campaign")
    carry_out(approved)
    database_obeys_again()
    Order.objects.update(rung_at=timezone.now() - timedelta(seconds=61))
    assert orders_sweep(actor=WORKER) == 1
    assert rings()[-1] == approved.pk
    carry_out(approved)
    assert (approved.status, approved.result) == (OrderStatus.DONE, "Bought.")
    assert approved.campaign == Campaign.objects.get(phone_number=CAKE)
    assert approved.attempts.get().recorded
    assert len(sandbox.purchases()) == 1
    assert history_verify().problems == []
    assert orders_sweep(actor=WORKER) == 0


def test_nothing_is_sent_again_while_the_record_keeps_failing(approved: Order, sandbox: SandboxServer) -> None:
    database_refuses("INSERT", "numbers_app_campaign")
    carry_out(approved)
    for _ in range(2):
        with pytest.raises(Exception, match="no room"):
            keep_trying(approved)
    database_obeys_again()
    assert keep_trying(approved).status == OrderStatus.DONE
    assert len(sandbox.purchases()) == 1


def test_recording_twice_mirrors_the_number_once(sending: Attempt) -> None:
    assert attempt_store(attempt=sending, answer=APPLIED)
    record(sending)
    record(sending)
    assert Campaign.objects.count() == 1
    assert history_verify().problems == []


def test_the_order_is_locked_before_its_attempt_as_everywhere(sending: Attempt) -> None:
    """Two workers at one late answer would else wait for each other: one holds the order, the other the attempt."""
    with CaptureQueriesContext(connection) as captured:
        attempt_conclude(actor=WORKER, attempt=sending, answer=APPLIED)
    tables = [found.group(1) for query in captured if (found := TABLE.search(query["sql"]))]
    assert tables.index("numbers_app_order") < tables.index("numbers_app_attempt")


def test_first_definite_answer_stays(sending: Attempt) -> None:
    assert attempt_store(attempt=sending, answer=APPLIED)
    refused = WriteAnswer(Outcome.REFUSED, 409, "not available")
    assert not attempt_store(attempt=sending, answer=refused)
    assert outcomes(sending.order) == [(CAKE, AttemptOutcome.APPLIED)]


def test_definite_answer_replaces_an_unknown_one_but_the_doubt_is_remembered(sending: Attempt) -> None:
    attempt_store(attempt=sending, answer=WriteAnswer(Outcome.UNKNOWN, None, "silence"))
    record(sending)
    assert attempt_store(attempt=sending, answer=APPLIED)
    record(sending)
    sending.refresh_from_db()
    assert (sending.outcome, sending.ever_unknown, sending.recorded) == (AttemptOutcome.APPLIED, True, True)
    assert Campaign.objects.get().callcap_campaign_id == "77"


def test_doubt_that_is_told_twice_is_written_once(sending: Attempt) -> None:
    for message in ("The worker stopped.", "Callcap closed the connection."):
        attempt_store(attempt=sending, answer=WriteAnswer(Outcome.UNKNOWN, None, message))
        record(sending)
    assert verbs(sending.order).count("order.unknown") == 1
    sending.refresh_from_db()
    assert (sending.message, sending.recorded) == ("Callcap closed the connection.", True)


def test_answer_that_came_after_the_attempt_was_read_is_what_is_recorded(sending: Attempt) -> None:
    attempt_store(attempt=sending, answer=WriteAnswer(Outcome.UNKNOWN, None, "silence"))
    stale = Attempt.objects.get(pk=sending.pk)
    attempt_store(attempt=sending, answer=APPLIED)
    record(stale)
    assert Order.objects.get(pk=sending.order_id).status == OrderStatus.DONE
    assert Campaign.objects.filter(phone_number=CAKE).exists()


def test_refusal_after_a_doubt_does_not_move_on_to_the_next_choice(sending: Attempt) -> None:
    sending.order.choices.create(number="3164440002", rank=2)
    attempt_store(attempt=sending, answer=WriteAnswer(Outcome.UNKNOWN, None, "silence"))
    record(sending)
    Attempt.objects.filter(pk=sending.pk).update(preflight={"after_refusal": "not offered"})
    sending.refresh_from_db()
    attempt_store(attempt=sending, answer=WriteAnswer(Outcome.REFUSED, 409, "The phone number is not available."))
    record(sending)
    order = Order.objects.get(pk=sending.order_id)
    assert (order.status, order.result) == (
        OrderStatus.FAILED,
        "Callcap refused: The phone number is not available.",
    )


def test_number_is_mirrored_whatever_callcap_calls_its_place(sending: Attempt) -> None:
    words = {"country": "U" * 61, "state": "KS", "zipcode": "67202-1234-5678", "city": "W" * 101}
    Attempt.objects.filter(pk=sending.pk).update(preflight=words)
    sending.refresh_from_db()
    attempt_store(attempt=sending, answer=APPLIED)
    record(sending)
    campaign = Campaign.objects.get(phone_number=CAKE)
    assert (campaign.country, campaign.state, campaign.zipcode, campaign.city) == ("", "KS", "", "")


def test_callcap_s_words_with_unstorable_characters_are_kept_escaped(sending: Attempt) -> None:
    attempt_store(attempt=sending, answer=WriteAnswer(Outcome.UNKNOWN, 200, "nul \x00 half \ud800", excerpt="\x00"))
    record(sending)
    sending.refresh_from_db()
    assert (sending.message, sending.excerpt) == ("nul \\x00 half \\ud800", "\\x00")


def test_every_step_of_the_worker_bears_the_deciding_request_s_id(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = ask(rep, location, CAKE)
    order_approve(actor=Actor.person(manager, request_id="request-9"), order_id=order.pk, revision=1)
    carry_out(order)
    after = HistoryEntry.objects.filter(order_id=order.pk).exclude(verb="order.requested")
    assert set(after.values_list("request_id", flat=True)) == {"request-9"}


def test_order_that_moved_meanwhile_takes_neither_the_step_nor_its_entry(approved: Order) -> None:
    stale = Order.objects.select_related("account").get(pk=approved.pk)
    Order.objects.update(status=OrderStatus.CANCELLED)
    with pytest.raises(Conflict, match="This order has just changed"), transaction.atomic():
        order_transition(actor=WORKER, order=stale, to=OrderStatus.SENDING, verb=Verb.ORDER_SENDING)
    assert "order.sending" not in verbs(approved)
    assert Order.objects.get().status == OrderStatus.CANCELLED
