"""Writing the history."""

import hashlib
import json

import pytest
from django.db import IntegrityError, transaction
from django.db.transaction import TransactionManagementError

from numbers_app.actors import Actor
from numbers_app.models import GENESIS_HASH, HistoryEntry, Source, User, Verb
from numbers_app.services.history import NumberState, VendorWords, history_append
from numbers_app.services.verification import history_verify
from tests.history.conftest import CAKE, DESTINATION, PORTAL


@pytest.mark.django_db(transaction=True)
def test_entry_outside_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionManagementError, match="in the transaction of the change it describes"):
        history_append(actor=PORTAL, verb=Verb.ACCOUNT_ADDED)
    assert not HistoryEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_entry_is_gone_with_the_change_that_was_rolled_back_and_leaves_no_gap() -> None:
    with transaction.atomic():
        history_append(actor=PORTAL, verb=Verb.ACCOUNT_ADDED)
        transaction.set_rollback(True)
    with transaction.atomic():
        assert history_append(actor=PORTAL, verb=Verb.ACCOUNT_ADDED).sequence == 1


@pytest.mark.django_db
def test_first_entry_follows_sixty_four_zeros() -> None:
    entry = history_append(actor=PORTAL, verb=Verb.ACCOUNT_ADDED, account_key="L-3")
    assert (entry.sequence, entry.previous_hash) == (1, GENESIS_HASH)
    assert GENESIS_HASH == "0" * 64


@pytest.mark.django_db
def test_each_entry_follows_the_one_before() -> None:
    first, second, third = [history_append(actor=PORTAL, verb=Verb.ACCOUNT_CHANGED) for _ in range(3)]
    assert [first.sequence, second.sequence, third.sequence] == [1, 2, 3]
    assert (second.previous_hash, third.previous_hash) == (first.hash, second.hash)
    assert str(third) == "#3 Test changed"


@pytest.mark.django_db
def test_hash_can_be_recomputed_from_the_stored_text_alone() -> None:
    history_append(actor=PORTAL, verb=Verb.ACCOUNT_ADDED)
    history_append(actor=PORTAL, verb=Verb.ACCOUNT_CHANGED, reason="über")
    stored = HistoryEntry.objects.get(sequence=2)
    text = f"numbers-portal/history/1\n{stored.canonical}\n{stored.previous_hash}"
    assert hashlib.sha256(text.encode()).hexdigest() == stored.hash


@pytest.mark.django_db
def test_hashed_text_holds_every_field_in_one_spelling(rep: User) -> None:
    actor = Actor.person(rep, request_id="request-1")
    entry = history_append(
        actor=actor,
        verb=Verb.NUMBER_BOUGHT,
        number=CAKE,
        account_key="L-3",
        order_id=7,
        changes={"destination": [None, DESTINATION]},
        state=NumberState(DESTINATION, None),
        reason="naïve",
        approved_by="Manager Test",
        vendor=VendorWords(200, "success"),
    )
    fields = json.loads(entry.canonical)
    assert entry.canonical == json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert entry.canonical.isascii()
    hashed = {field.name for field in HistoryEntry._meta.concrete_fields} - {"canonical", "hash", "previous_hash"}
    assert set(fields) == hashed
    assert fields["at"].endswith("+00:00")
    assert (fields["actor_name"], fields["role"], fields["source"]) == ("Rep Test", "Sales rep", "web")
    assert (fields["vendor_status"], fields["vendor_message"]) == (200, "success")


@pytest.mark.django_db
def test_what_no_database_can_store_is_written_as_escapes() -> None:
    entry = history_append(
        actor=Actor.portal("Na\x00me", source=Source.COMMAND),
        verb=Verb.ORDER_FAILED,
        reason="nul \x00",
        approved_by="half \ud800",
        vendor=VendorWords(500, "\udfff\x00"),
    )
    stored = HistoryEntry.objects.get(pk=entry.pk)
    assert (stored.actor_name, stored.reason) == ("Na\\x00me", "nul \\x00")
    assert (stored.approved_by, stored.vendor_message) == ("half \\ud800", "\\udfff\\x00")
    assert history_verify().problems == []


@pytest.mark.django_db
def test_text_of_every_script_survives() -> None:
    history_append(actor=PORTAL, verb=Verb.ORDER_FAILED, reason="Größe 電話 \U0001f382 \r\n\t")
    assert HistoryEntry.objects.get().reason == "Größe 電話 \U0001f382 \r\n\t"
    assert history_verify().problems == []


@pytest.mark.django_db
def test_verb_outside_the_closed_list_is_refused() -> None:
    with pytest.raises(ValueError, match="not a valid Verb"):
        history_append(actor=PORTAL, verb="number.stolen")  # type: ignore[arg-type]


@pytest.mark.django_db
def test_number_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        history_append(actor=PORTAL, verb=Verb.ACCOUNT_CHANGED, changes={"rate": [None, float("nan")]})


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["verb", "source"])
def test_the_database_takes_no_word_outside_the_closed_lists(field: str) -> None:
    entry = history_append(actor=PORTAL, verb=Verb.ACCOUNT_ADDED)
    entry.sequence, entry.hash, entry.previous_hash = 2, "1" * 64, entry.hash
    setattr(entry, field, "stolen")
    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save(force_insert=True)
