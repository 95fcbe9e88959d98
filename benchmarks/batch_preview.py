"""The largest file of changes, from its bytes to its preview: seconds, and the memory that it takes."""

from __future__ import annotations

import time
import tracemalloc
import uuid
from collections.abc import Iterator

from django.db import connection, transaction
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.batch_csv import MOST_ROWS
from numbers_app.models import Batch, BatchKind, User
from numbers_app.permissions import Role
from numbers_app.services.batch_drafts import batch_discard, batch_from_file
from tests.factories import CampaignFactory, GrantFactory, LocationFactory, UserFactory

BEFORE = "3164447896"


def bench_batch_preview() -> Iterator[tuple[str, str, str]]:
    """Rows of (what, value, ratio)."""
    author = _author_with_numbers()
    data = _file()
    started = time.perf_counter()
    batch = _preview(author, data)
    seconds = time.perf_counter() - started
    what = f"preview of {MOST_ROWS:,} changes, {len(data) / 1e6:.1f} MB"
    yield f"{what}: judged and written", f"{seconds:.1f} s", f"{MOST_ROWS / seconds:.0f} rows/s"
    yield f"{what}: its page", f"{_page_milliseconds(author, batch):.0f} ms", ""
    batch_discard(actor=Actor.person(author), batch_id=batch.pk)
    tracemalloc.start()
    _preview(author, data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield f"{what}: most memory", f"{peak / 1e6:.0f} MB", ""


def _author_with_numbers() -> User:
    author: User = UserFactory(role=Role.SALES_REP)
    location = LocationFactory()
    GrantFactory(user=author, account=location)
    # One transaction: the numbers are not what is measured.
    with transaction.atomic():
        for number in _numbers():
            CampaignFactory(phone_number=number, account=location, destination=BEFORE, notes="A billboard " * 10)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return author


def _numbers() -> Iterator[str]:
    return (f"316{2_000_000 + place}" for place in range(MOST_ROWS))


def _file() -> bytes:
    """Every row changes something; the numbers are written as people write them."""
    rows = ["phone_number,destination,stop_date,recording,campaign_name,brand,memo1,notes"]
    rows += [
        f"({number[:3]}) {number[3:6]}-{number[6:]},316-555-{place % 100:04d},2098-03-31,yes,"
        f'Campaign {place},Prairie Comfort,Customer {place},"Two lines\nof notes, with a comma"'
        for place, number in enumerate(_numbers())
    ]
    return "\r\n".join(rows).encode()


def _preview(author: User, data: bytes) -> Batch:
    batch = batch_from_file(
        actor=Actor.person(author),
        kind=BatchKind.CHANGE,
        filename="changes.csv",
        data=data,
        title="",
        form_token=uuid.uuid4(),
    )
    ready = batch.rows.filter(state="ready").count()
    if ready != MOST_ROWS:
        raise SystemExit(f"{ready} of {MOST_ROWS} rows are ready, so nothing is measured.")
    return batch


def _page_milliseconds(author: User, batch: Batch) -> float:
    client = Client()
    client.force_login(author)
    client.get(f"/batches/{batch.pk}/preview/")
    started = time.perf_counter()
    if client.get(f"/batches/{batch.pk}/preview/?page=100").status_code != 200:
        raise SystemExit("The preview has no page, so nothing is measured.")
    return (time.perf_counter() - started) * 1000
