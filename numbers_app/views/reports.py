"""Reports over the history: how much changed, when, by whom, where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.views.decorators.http import require_safe

from numbers_app.forms.reports import ReportForm
from numbers_app.models import Verb
from numbers_app.periods import Period
from numbers_app.selectors.campaigns import campaigns_imported, inventory_declaration
from numbers_app.selectors.reports import Changes, Ranking, Report, history_report

from .http import PortalRequest

USUAL_DAYS = 30
QUICK_DAYS = (7, 30, 90)

# Bought and imported numbers are drawn as one: a chart tells four series apart.
SERIES = ("Bought or imported", "Re-routed", "Stop date", "Other")
DAY_HEADS = ("Day", "Bought", "Imported", "Changed", "of it routing", "of it stop date", "Stopped", "All")
GROUP_HEADS = ("Bought", "Imported", "Changed", "Stopped", "All")


@dataclass(frozen=True)
class Cell:
    """A count, and where the entries that it counts are listed; empty where no filter shows exactly these."""

    count: int
    url: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table, and its bar in the chart."""

    label: str
    heading: str
    cells: list[Cell]
    values: tuple[int, ...]


@require_safe
def reports(request: PortalRequest) -> HttpResponse:
    """Changes to numbers by day, person and Location, and decisions; 422 for a period that is none."""
    usual = Period.latest(USUAL_DAYS)
    asked = request.GET if request.GET.keys() & {"date_from", "date_to"} else None
    form = ReportForm(asked, initial={"date_from": usual.first, "date_to": usual.last})
    if form.is_bound and not form.is_valid():
        return render(request, "history/reports.html", {"form": form, "quick": _quick_links(None)}, status=422)
    period = form.period if form.is_bound else usual
    report = history_report(request.user, period)
    context = {
        "form": form,
        "quick": _quick_links(period),
        "period": period,
        "report": report,
        "imported": campaigns_imported(request.user).numbers,
        "declaration": inventory_declaration(),
    }
    return render(request, "history/reports.html", context | _shown(report, period))


def _shown(report: Report, period: Period) -> dict[str, Any]:
    wait = report.decisions.median_wait
    return {
        "series": SERIES,
        "day_heads": DAY_HEADS,
        "days": [_day(day, changes) for day, changes in report.days.items()],
        "people_heads": ("Person", *GROUP_HEADS),
        "people": _ranked(report.people, period, "actor"),
        "people_others": _others(report.people, "person", "people"),
        "location_heads": ("Location", *GROUP_HEADS),
        "locations": _ranked(report.locations, period, "account"),
        "location_others": _others(report.locations, "Location", "Locations"),
        "totals": _totals(report, period),
        "median_wait": _in_words(wait) if wait is not None else "",
    }


def _totals(report: Report, period: Period) -> list[tuple[str, Cell]]:
    total, decisions = report.total, report.decisions
    return [
        ("bought", Cell(total.bought, _entries(period, verb=Verb.NUMBER_BOUGHT))),
        ("imported", Cell(total.imported, _entries(period, verb=Verb.NUMBER_IMPORTED))),
        ("re-routed", Cell(total.rerouted, _entries(period, verb=Verb.NUMBER_CHANGED, routing="on"))),
        (
            f"stop date{'' if total.stop_dates == 1 else 's'} moved",
            Cell(total.stop_dates, _entries(period, verb=Verb.NUMBER_CHANGED, stop="on")),
        ),
        ("stopped", Cell(total.stopped, _entries(period, verb=Verb.NUMBER_ENDED))),
        (_orders(decisions.approved, "approved"), Cell(decisions.approved, _entries(period, verb=Verb.ORDER_APPROVED))),
        (_orders(decisions.rejected, "rejected"), Cell(decisions.rejected, _entries(period, verb=Verb.ORDER_REJECTED))),
    ]


def _orders(count: int, decided: str) -> str:
    return f"order{'' if count == 1 else 's'} {decided}"


def _day(day: date, changes: Changes) -> Row:
    period = Period(day, day)
    stop_date_alone = changes.stop_dates - changes.both
    arrived = changes.bought + changes.imported
    named = arrived + changes.rerouted + stop_date_alone
    return Row(
        label=date_format(day, "M j"),
        heading=date_format(day, "D, M j, Y"),
        cells=[
            Cell(changes.bought, _entries(period, verb=Verb.NUMBER_BOUGHT)),
            Cell(changes.imported, _entries(period, verb=Verb.NUMBER_IMPORTED)),
            Cell(changes.changed, _entries(period, verb=Verb.NUMBER_CHANGED)),
            Cell(changes.rerouted, _entries(period, verb=Verb.NUMBER_CHANGED, routing="on")),
            Cell(changes.stop_dates, _entries(period, verb=Verb.NUMBER_CHANGED, stop="on")),
            Cell(changes.stopped, _entries(period, verb=Verb.NUMBER_ENDED)),
            Cell(changes.total),
        ],
        values=(arrived, changes.rerouted, stop_date_alone, changes.total - named),
    )


def _ranked(ranking: Ranking, period: Period, parameter: str) -> list[Row]:
    """A row for each of the first; ``parameter`` is the history's filter that takes their key."""
    return [
        Row(
            label=group.name,
            heading=group.name,
            cells=[
                Cell(group.changes.bought, _entries(period, verb=Verb.NUMBER_BOUGHT, **{parameter: group.key})),
                Cell(group.changes.imported, _entries(period, verb=Verb.NUMBER_IMPORTED, **{parameter: group.key})),
                Cell(group.changes.changed, _entries(period, verb=Verb.NUMBER_CHANGED, **{parameter: group.key})),
                Cell(group.changes.stopped, _entries(period, verb=Verb.NUMBER_ENDED, **{parameter: group.key})),
                Cell(group.changes.total),
            ],
            values=(group.changes.total,),
        )
        for group in ranking.first
    ]


def _others(ranking: Ranking, one: str, many: str) -> str:
    if not ranking.others:
        return ""
    changes = ranking.others_changes.total
    who = f"{ranking.others} other {one if ranking.others == 1 else many}"
    return f"and {who} with {changes} change{'' if changes == 1 else 's'}"


def _entries(period: Period, **filters: str) -> str:
    """The history's list with a filter that shows these entries of the period."""
    query = QueryDict(mutable=True)
    query.update({"date_from": period.first.isoformat(), "date_to": period.last.isoformat(), **filters})
    return f"{reverse('history_list')}?{query.urlencode()}"


def _quick_links(period: Period | None) -> list[tuple[int, Period, bool]]:
    """(days, period, whether it is the one shown)."""
    return [(days, found := Period.latest(days), found == period) for days in QUICK_DAYS]


def _in_words(wait: timedelta) -> str:
    start = Period.latest(1).starts_at
    return timesince(start, start + wait) if wait >= timedelta(minutes=1) else "less than a minute"
