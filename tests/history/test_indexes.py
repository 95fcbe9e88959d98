"""A page of the history costs the same however long it is: each filter ends in one index, read from its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Count, QuerySet
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from benchmarks.long_history import fill_history
from numbers_app.forms.filters import HistoryFilter
from numbers_app.models import Account, HistoryEntry, User, Verb
from numbers_app.permissions import Role
from numbers_app.selectors.as_of import numbers_as_of
from numbers_app.selectors.history import actor_names, history_neighbours
from numbers_app.selectors.keyset import keyset_page
from tests.factories import UserFactory

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


def filtered(auditor: User, query: str) -> QuerySet[HistoryEntry]:
    found = HistoryFilter(QueryDict(query), user=auditor)
    assert found.is_valid(), found.errors
    return found.qs


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
        found = filtered(auditor, query)
        for name, read in {
            "newest": lambda found=found: keyset_page(found),
            "older": lambda found=found: keyset_page(found, before=middle.sequence),
            "newer": lambda found=found: keyset_page(found, after=middle.sequence),
        }.items():
            plan = plans(read)
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
