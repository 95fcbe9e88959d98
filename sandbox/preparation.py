"""Making the database once: schema, accounts, places and the whole inventory."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import batched

from django.core.management import call_command
from django.db import connection, transaction

from sandbox.database import database_path, is_prepared
from sandbox.inventory import NumberRow, generate
from sandbox.models import Account, Number, Place, State
from sandbox.places import Locality, area_codes
from sandbox.tree import account_nodes


def prepare(size: int) -> int:
    """Bring the schema up to date and generate `size` numbers unless that was done before.

    Returns how many numbers the inventory holds. Everything is generated in one transaction that ends with
    the row saying so: what is killed on the way leaves nothing, and the next call starts again.
    """
    database_path().parent.mkdir(parents=True, exist_ok=True)
    with _alone():
        call_command("migrate", verbosity=0, interactive=False)
        if not is_prepared():
            with transaction.atomic():
                _fill(size)
    return State.objects.get().numbers


@contextmanager
def _alone() -> Iterator[None]:
    lock_path = database_path().with_suffix(".lock")
    with lock_path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill(size: int) -> None:
    nodes = list(account_nodes())
    Account.objects.bulk_create(
        Account(
            key=node.key,
            kind=node.kind,
            account_id=node.account_id,
            name=node.name,
            parent_id=node.parent_key or None,
            time_zone=node.time_zone,
        )
        for node in nodes
    )
    places = _store_places()
    rows = generate(size, [node.key for node in nodes if node.kind == "location"])
    for batch in batched(rows, 10_000):
        _store_numbers(batch, places)
    State.objects.create(numbers=Number.objects.count())


def _store_places() -> dict[Locality | None, int | None]:
    stored: dict[Locality | None, int | None] = {None: None}
    localities = dict.fromkeys(locality for found in area_codes().values() for locality in found)
    for locality in localities:
        stored[locality] = Place.objects.create(**vars(locality)).pk
    return stored


def _store_numbers(rows: tuple[NumberRow, ...], places: dict[Locality | None, int | None]) -> None:
    # Plain rows: building 200,000 model instances would take most of the time.
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO sandbox_number (number, place_id, reserved_for_id, taken) VALUES (%s, %s, %s, 0)",
            [(row.number, places[row.locality], row.reserved_for) for row in rows],
        )
