"""The result file: every row as it was given, with what became of it."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import (
    Account,
    Attempt,
    Batch,
    BatchKind,
    Campaign,
    HistoryEntry,
    Order,
    OrderStatus,
    RowState,
    User,
)
from numbers_app.services.batch_drafts import batch_from_file
from numbers_app.services.batches import batch_reject
from tests.batches.making import campaigns_at, change_draft, orders_of, release, running, submit
from tests.factories import GrantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def numbers(location: Account) -> list[Campaign]:
    return campaigns_at(location, 2)


def results_of(client: Client, batch: Batch) -> bytes:
    response: Any = client.post(f"/batches/{batch.pk}/results.csv")
    assert response["Content-Disposition"] == f'attachment; filename="batch-{batch.pk}-results.csv"'
    return b"".join(response.streaming_content)


def table(client: Client, batch: Batch) -> list[dict[str, str]]:
    text = results_of(client, batch).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_each_row_has_what_was_given_its_outcome_its_order_and_callcaps_words(
    as_rep: Client, rep: User, manager: User, numbers: list[Campaign]
) -> None:
    batch = change_draft(rep, numbers)
    given = {"phone_number": "(316) 734-2000", "destination": "316 555 0100"}
    batch.rows.filter(line=2).update(given=given)
    running(rep, manager, batch)
    release(batch)
    order = orders_of(batch)[0]
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.FAILED, result="Callcap refused: No such number")
    Attempt.objects.create(
        order=order,
        kind="update",
        number=order.phone_number,
        parameters={},
        outcome="refused",
        message="No such number",
        started_at=order.created_at,
        lease_until=order.created_at,
    )
    first, second = table(as_rep, batch)
    assert first == given | {
        "file_line": "2",
        "outcome": "Failed",
        "order": str(order.pk),
        "result": "Callcap refused: No such number",
        "callcap": "No such number",
    }
    assert (second["file_line"], second["outcome"], second["phone_number"]) == (
        "3",
        "Approved, not sent yet",
        "3167342001",
    )


def test_refused_rows_say_why(as_rep: Client, rep: User, numbers: list[Campaign]) -> None:
    batch = change_draft(rep, numbers)
    batch.rows.filter(line=3).update(state=RowState.REFUSED, problem="It has letters in it.", account=None)
    submit(rep, batch)
    assert [(row["outcome"], row["result"]) for row in table(as_rep, batch)] == [
        ("Waiting for approval", ""),
        ("Cannot be done", "It has letters in it."),
    ]


def test_cells_cannot_become_formulas(as_rep: Client, rep: User, numbers: list[Campaign]) -> None:
    batch = change_draft(rep, numbers)
    batch.rows.update(given={"phone_number": "3167342000", "memo1": "=HYPERLINK(1)"})
    submit(rep, batch)
    assert table(as_rep, batch)[0]["memo1"] == "'=HYPERLINK(1)"


def test_a_manager_gets_the_rows_of_granted_accounts_alone(
    as_manager: Client, rep: User, elsewhere: Account, location: Account
) -> None:
    GrantFactory(user=rep, account=elsewhere)
    batch = submit(rep, change_draft(rep, [*campaigns_at(location, 1), *campaigns_at(elsewhere, 1, first=3000)]))
    assert [row["file_line"] for row in table(as_manager, batch)] == ["2"]


def test_a_purchase_keeps_the_digits_that_were_searched_for_and_can_be_uploaded_again(
    as_rep: Client, rep: User, manager: User, location: Account
) -> None:
    data = b"phone_number,account,destination,line\r\n,L-3,3164447896,2253\r\n"
    batch = from_file(rep, data)
    submit(rep, batch)
    (row,) = table(as_rep, batch)
    assert (row["line"], row["file_line"]) == ("2253", "2")
    batch_reject(actor=Actor.person(manager), batch_id=batch.pk, reason="Too dear", lines=None)
    again = from_file(rep, results_of(as_rep, batch))
    assert again.rows.get().criteria == batch.rows.get().criteria


def test_a_purchase_that_is_under_way_is_not_asked_for_again_by_its_result_file(
    as_rep: Client, rep: User, location: Account
) -> None:
    batch = from_file(rep, b"phone_number,account,destination,line\r\n,L-3,3164447896,2253\r\n")
    submit(rep, batch)
    row = from_file(rep, results_of(as_rep, batch)).rows.get()
    assert row.state == RowState.REFUSED
    assert "says of this row: Waiting for approval." in row.problem


def test_who_took_the_file_is_in_the_history_and_looking_at_its_address_takes_nothing(
    as_rep: Client, rep: User, manager: User, numbers: list[Campaign], auditor: User, signed_in: Any
) -> None:
    batch = change_draft(rep, numbers)
    running(rep, manager, batch)
    exported = HistoryEntry.objects.filter(verb="inventory.exported")
    assert as_rep.get(f"/batches/{batch.pk}/results.csv").status_code == 405
    assert not exported.exists()
    assert len(table(as_rep, batch)) == 2
    assert exported.get().changes == {"batch": [None, batch.pk], "format": [None, "CSV"], "numbers": [None, 2]}
    page = signed_in(auditor).get("/history/?verb=inventory.exported").content.decode()
    assert f"exported 2 numbers of batch {batch.pk}, with what became of them" in page


def from_file(author: User, data: bytes) -> Batch:
    return batch_from_file(
        actor=Actor.person(author),
        kind=BatchKind.PURCHASE,
        filename="spring.csv",
        data=data,
        title="",
        form_token=uuid.uuid4(),
    )
