"""Bar charts as SVG, drawn by the server. A chart stands beside a table with the same numbers.

Places across are percentages, heights are pixels, so that a chart takes the width there is and its words keep their
size. Colours and patterns are classes of the stylesheet: the content policy allows no others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

from django import template
from django.utils.text import Truncator

register = template.Library()

HEIGHT = 160
# Of the place of a column, what the column takes.
FILLED = 0.8
MOST_TICKS = 4
# Nearer to an edge than this (in percent), a label is set inwards.
EDGE = 8
ROW = 42
MOST_LETTERS = 28


class Bar(Protocol):
    """What a bar stands for, and a count for each series."""

    @property
    def label(self) -> str: ...
    @property
    def values(self) -> Sequence[int]: ...


@register.inclusion_tag("partials/chart_columns.html")
def column_chart(bars: Sequence[Bar], series: Sequence[str], *, name: str, unit: str, most: str) -> dict[str, Any]:
    """Columns side by side, as for days, stacked from at most four ``series`` that patterns tell apart.

    ``name`` is the chart's own on its page. ``unit`` is what is counted, in the singular; ``most`` stands before the
    label of the highest, as in "412 changes, most on Nov 12 (38)".
    """
    top = max((sum(bar.values) for bar in bars), default=0)
    place = 100 / max(len(bars), 1)
    return {
        "name": name,
        "gist": _gist(bars, unit, most, sum(sum(bar.values) for bar in bars)),
        "top": top,
        "bottom": HEIGHT,
        "series": [(number, label) for number, label in enumerate(series, start=1)],
        "columns": [_column(bar, series, index * place, place, top) for index, bar in enumerate(bars)],
        "ticks": _ticks(bars, place),
    }


@register.inclusion_tag("partials/chart_bars.html")
def bar_chart(bars: Sequence[Bar], *, unit: str, most: str, total: int) -> dict[str, Any]:
    """Bars below one another, each under its label, as for people. Words as of ``column_chart``.

    ``total`` counts what is not drawn, too.
    """
    top = max((sum(bar.values) for bar in bars), default=0)
    rows = [
        {
            "label": bar.label,
            "short": Truncator(bar.label).chars(MOST_LETTERS),
            "value": sum(bar.values),
            "width": _percent(100 * sum(bar.values) / top if top else 0),
            "words_at": index * ROW + 15,
            "bar_at": index * ROW + 22,
        }
        for index, bar in enumerate(bars)
    ]
    return {"gist": _gist(bars, unit, most, total), "rows": rows, "height": len(rows) * ROW}


def _gist(bars: Sequence[Bar], unit: str, most: str, total: int) -> str:
    """What a chart comes to, in a sentence, for those who do not see it."""
    if not total:
        return f"No {unit}s"
    highest = max(bars, key=lambda bar: sum(bar.values))
    return f"{total} {unit}{'' if total == 1 else 's'}, most {most} {highest.label} ({sum(highest.values)})"


def _column(bar: Bar, series: Sequence[str], left: float, place: float, top: int) -> dict[str, Any]:
    parts, bottom = [], float(HEIGHT)
    for number, value in enumerate(bar.values, start=1):
        height = HEIGHT * value / top if top else 0
        bottom -= height
        if value:
            parts.append({"series": number, "y": f"{bottom:.1f}", "height": f"{height:.1f}"})
    said = [f"{label.lower()} {value}" for label, value in zip(series, bar.values, strict=True) if value]
    return {
        "x": _percent(left + place * (1 - FILLED) / 2),
        "width": _percent(place * FILLED),
        "parts": parts,
        "title": f"{bar.label}: {', '.join(said) or 0}",
    }


def _ticks(bars: Sequence[Bar], place: float) -> list[dict[str, str]]:
    """Labels for some of the columns, evenly spread."""
    step = math.ceil(len(bars) / MOST_TICKS) or 1
    ticks = []
    for index in range(0, len(bars), step):
        middle = (index + 0.5) * place
        anchor = "start" if middle < EDGE else "end" if middle > 100 - EDGE else "middle"
        ticks.append({"x": _percent(middle), "anchor": anchor, "label": bars[index].label})
    return ticks


def _percent(value: float) -> str:
    return f"{value:.3f}%"
