"""A page of the history costs the same however long it is: each filter ends in one index, read from its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from benchmarks.long_history import fill_history
from numbers_app.forms.filters import HistoryFilter
from numbers_app.models import Account, HistoryEntry, User, Verb
from numbers_app.permissions import Role
from numbers_app.selectors.actors import actor_names
from numbers_app.selectors.as_of import numbers_as_of
from numbers_app.selectors.history import history_neighbours
from numbers_app.selectors.keyset import keyset_page
from numbers_app.services.history import history_append
from tests.factories import GrantFactory, LocationFactory, UserFactory
from tests.history.conftest import PORTAL

pytestmark = pytest.mark.django_db(transaction=True)

ENTRIES = 10_000
# What a plan says on PostgreSQL and on SQLite when it reads everything, and when it sorts what it read.
READS_ALL = ("Seq Scan on numbers_app_historyentry", "SCAN numbers_app_historyentry\n")
SORTS = ("Sort", "TEMP B-TREE")
# Of which there are a handful of entries each.
FEW = ("order=", "request=")


def plans(read: Callable[[], object]) -> str:
    """How the database carries out the queries about the history that ``read`` makes."""
    with CaptureQueriesContext(connection) as captured:
        read()
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    lines = []
    with connection.cursor() as cursor:
        for query in captured:
            if "numbers_app_historyentry" in query["sql"]:
                # SQLite's driver shows the query with its values, as PostgreSQL's does.
                cursor.execute(f"{explain} {query['sql'].strip()}")
                lines += [str(row[-1]) + "\n" for row in cursor.fetchall()]
    return "".join(lines)


def filtered(user: User, query: str) -> list[QuerySet[HistoryEntry]]:
    found = HistoryFilter(QueryDict(query), user=user)
    assert found.is_valid(), found.errors
    return found.parts


def pages(parts: list[QuerySet[HistoryEntry]], middle: int) -> dict[str, str]:
    """How the newest page, an older one and a newer one are read."""
    return {
        "newest": plans(lambda: keyset_page(*parts)),
        "older": plans(lambda: keyset_page(*parts, before=middle)),
        "newer": plans(lambda: keyset_page(*parts, after=middle)),
    }


def test_every_page_of_every_filter_is_read_from_the_end_of_one_index() -> None:
    fill_history(ENTRIES)
    auditor = UserFactory(role=Role.AUDITOR)
    middle = HistoryEntry.objects.get(sequence=ENTRIES // 2)
    number = HistoryEntry.objects.filter(verb=Verb.NUMBER_CHANGED).latest("sequence").number
    counted = HistoryEntry.objects.values("actor_name").annotate(count=Count("pk"))
    rare = counted.earliest("count")["actor_name"]
    day = middle.at.date()
    days = f"date_from={day - timedelta(days=1)}&date_to={day}"
    indexes = {
        "all=1": "history_by_time",
        days: "history_by_time",
        f"number={number}": "history_by_number",
        f"actor={rare.replace(' ', '+')}": "history_by_actor",
        "verb=user.added": "history_by_verb",
        f"order={middle.order_id or 1}": "history_by_order",
        "request=nothing-of-this-name": "history_by_request",
        f"number={number}&{days}": "history_by_number",
    }
    if connection.vendor == "postgresql":
        # SQLite is not told the key of a condition before it has chosen its plan.
        indexes |= {"routing=on": "history_of_routing", "stop=on": "history_of_stop_dates"}
    wrong = {}
    for query, index in indexes.items():
        for name, plan in pages(filtered(auditor, query), middle.sequence).items():
            refused = READS_ALL if query.startswith(FEW) else READS_ALL + SORTS
            if index not in plan or any(words in plan for words in refused):
                wrong[f"{query}, {name}"] = plan
    for name, read in {
        "as of": lambda: numbers_as_of(Account.objects.all(), [number], middle.at),
        "neighbours": lambda: history_neighbours(
            auditor, HistoryEntry.objects.filter(number=number).earliest("sequence")
        ),
        "names": actor_names,
    }.items():
        plan = plans(read)
        if any(words in plan for words in READS_ALL):
            wrong[name] = plan
    assert not wrong, "\n".join(f"{name}:\n{plan}" for name, plan in wrong.items())


def test_entries_of_few_accounts_are_read_from_the_ends_of_their_own_indexes() -> None:
    """However little happens to them: nothing is to be met by going through the newest entries of all."""
    fill_history(ENTRIES // 2)
    rare, busy, third = LocationFactory(), *Account.objects.filter(kind=Account.Kind.LOCATION)[:2]
    with transaction.atomic():
        history_append(actor=PORTAL, verb=Verb.ACCOUNT_CHANGED, account_key=rare.key)
    rep, rep_of_three, auditor = UserFactory(), UserFactory(), UserFactory(role=Role.AUDITOR)
    for person, accounts in ((rep, [rare]), (rep_of_three, [rare, busy, third])):
        for account in accounts:
            GrantFactory(user=person, account=account)
    wrong = {}
    for person, query in (
        (rep, ""),
        (rep_of_three, ""),
        (rep_of_three, "field=notes"),
        (auditor, f"account={rare.key}"),
        (auditor, f"account={busy.key}"),
    ):
        for name, plan in pages(filtered(person, query), ENTRIES // 4).items():
            if "history_by_account" not in plan or any(words in plan for words in (*READS_ALL, "history_by_time")):
                wrong[f"{person}, {query}, {name}"] = plan
    assert not wrong, "\n".join(f"{name}:\n{plan}" for name, plan in wrong.items())
