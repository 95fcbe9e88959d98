"""Tags that every page uses: icons, phone numbers, times, states, and values as people read them."""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from html import escape
from typing import Any

from django import forms, template
from django.conf import settings
from django.core.paginator import Page
from django.template import Context
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from numbers_app.callcap import vanity
from numbers_app.models import RUN_ON
from numbers_app.text import field_label

register = template.Library()
register.filter(field_label)

TEN_DIGITS = re.compile(r"[0-9]{10}")
ICON_NAME = re.compile(r"[a-z0-9-]+")

# The look of each state of an order or a batch, and of each outcome of an attempt or a row: tone of the badge, icon.
STATES = {
    "pending": ("waiting", "hourglass-split"),
    "approved": ("info", "check2"),
    "sending": ("info", "send"),
    "done": ("success", "check-circle"),
    "applied": ("success", "check-circle"),
    "failed": ("danger", "x-octagon"),
    "refused": ("danger", "x-octagon"),
    "unknown": ("warning", "question-diamond"),
    "rejected": ("neutral", "slash-circle"),
    "cancelled": ("neutral", "dash-circle"),
    "not_sent": ("neutral", "dash-circle"),
    "urgent": ("warning", "lightning"),
    "draft": ("neutral", "pencil"),
    "waiting": ("waiting", "hourglass-split"),
    "running": ("info", "play-circle"),
    "paused": ("warning", "pause-circle"),
    "unchanged": ("neutral", "dash-circle"),
}


@lru_cache(maxsize=256)
def read_icon(name: str) -> SafeString:
    """The SVG of an icon, hidden from screen readers. An unknown name, a mistake in a template, raises."""
    if not ICON_NAME.fullmatch(name):
        raise template.TemplateSyntaxError(f"{name!r} is not the name of an icon.")
    try:
        svg = (settings.ICONS_DIR / f"{name}.svg").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise template.TemplateSyntaxError(f"There is no icon {name!r} in {settings.ICONS_DIR}.") from error
    paths = svg[svg.index(">") + 1 :].replace("\n", "").strip()
    opening = (
        '<svg class="icon" width="16" height="16" fill="currentColor" viewBox="0 0 16 16" '
        'aria-hidden="true" focusable="false">'
    )
    # The package's own file, named by a template: nothing of a user is in it.
    return mark_safe(opening + paths)  # noqa: S308


@register.simple_tag
def icon(name: str) -> SafeString:
    """``{% icon "search" %}``: an icon of the bootstrap-icons package, inline, as decoration."""
    return read_icon(name)


@register.filter
def phone(number: object) -> str:
    """Ten digits as ``(316) 734-2253``; anything else as it is."""
    text = "" if number is None else str(number)
    if not TEN_DIGITS.fullmatch(text):
        return text
    return f"({text[:3]}) {text[3:6]}-{text[6:]}"


# Where the parts of a number stand in (316) 734-2253 and in 316-734-CAKE.
PARTS = {"area_code": (1, 4), "exchange": (6, 9), "line": (10, 14)}
SPELLED_PARTS = {"area_code": (0, 3), "exchange": (4, 7), "line": (8, 12)}


def marked_span(number: str, text: str, spelled_number: str) -> tuple[int, int]:
    """Where to mark in the spelled number: its letters, or else the digits that were asked for."""
    letters = [place for place, character in enumerate(spelled_number) if character.isalpha()]
    if letters:
        return letters[0], letters[-1] + 1
    found = vanity.match(number, text)
    if found is None:
        return 0, 0
    places = [place for place, character in enumerate(spelled_number) if character != "-"]
    return places[found[0]], places[found[1] - 1] + 1


def _marked(text: str, spans: list[tuple[int, int]]) -> str:
    """The text, escaped, with these stretches marked; what two share is marked once."""
    html, done = "", 0
    for start, end in sorted(spans):
        if end > done:
            html += f"{escape(text[done:start])}<mark>{escape(text[max(start, done) : end])}</mark>"
            done = end
    return html + escape(text[done:])


@register.simple_tag
def spelled(number: str, text: str = "", parts: tuple[str, ...] = ()) -> SafeString:
    """The number with what matches the vanity text in letters and marked: 316-734-<mark>CAKE</mark>.

    Of ``parts`` (area_code, exchange, line) of a ten-digit number each is marked too. A screen reader gets the plain
    number, once. Without a match it is the plain number for everybody. Escaped here and not by ``format_html``, since
    a search shows fifty to a hundred of them.
    """
    plain = escape(phone(number))
    try:
        place = vanity.match(number, text) if text else None
    except ValueError:
        # The text is no vanity pattern; the form says so at its field.
        place = None
    if place is not None:
        rich = vanity.spell(number, text)
        marked = _marked(rich, [SPELLED_PARTS[part] for part in parts] + [marked_span(number, text, rich)])
    elif parts:
        marked = _marked(phone(number), [PARTS[part] for part in parts])
    else:
        return mark_safe(f'<span class="number">{plain}</span>')  # noqa: S308
    return mark_safe(  # noqa: S308
        f'<span class="number spelled"><span aria-hidden="true">{marked}</span>'
        f'<span class="visually-hidden">{plain}</span></span>'
    )


@register.simple_tag
def state_badge(state: str, label: str = "") -> SafeString:
    """The badge of an order's state or an attempt's outcome: icon and text, told apart without colour."""
    tone, symbol = STATES[state]
    return format_html(
        '<span class="badge-state badge-{}">{}{}</span>', tone, read_icon(symbol), label or field_label(state)
    )


@register.simple_tag
def shown(value: Any) -> str:
    """A value as people read it: nothing is "empty", booleans are on and off."""
    if value is None or value in ("", []):
        return mark_safe('<span class="muted">empty</span>')
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, list | tuple):
        return format_html_join(", ", "{}", ((item,) for item in value))
    return conditional_escape(value)


@register.simple_tag
def moment(value: datetime | None) -> SafeString:
    """A time in the reader's zone with the exact UTC beside it, both as text."""
    if value is None:
        return mark_safe('<span class="muted">never</span>')
    local = timezone.localtime(value)
    return format_html(
        '<time class="moment" datetime="{}"><span>{} {}</span> <span class="utc">{}</span></time>',
        local.isoformat(),
        # Not date_format, which takes ten times as long: lists show a hundred of these.
        f"{local:%b} {local.day}, {local.year}, {local.hour % 12 or 12}:{local:%M %p}",
        local.tzname() or "",
        utc(value),
    )


@register.simple_tag
def page_numbers(page: Page[Any]) -> list[int | None]:
    """The page numbers to link to; None stands for a gap."""
    shown_pages = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return [number if isinstance(number, int) else None for number in shown_pages]


@register.filter
def utc(value: datetime) -> str:
    """Exact UTC, as ``2026-11-23 12:00:05 UTC``."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@register.simple_tag
def stop_date(value: date | None, zone: str = "") -> SafeString:
    """A number's last day, which belongs to the zone of its Location and says so."""
    if value is None:
        return mark_safe('<span class="muted">No stop date</span>')
    if value == RUN_ON:
        return format_html('runs on <span class="text-nowrap">({})</span>', value.isoformat())
    where = zone.replace("_", " ") or f"{settings.CALLCAP_TIME_ZONE.replace('_', ' ')}, the Location's is not known"
    return format_html(
        '<time datetime="{}" class="text-nowrap">{}</time> <span class="hint">({} time)</span>',
        value.isoformat(),
        date_format(value, "M j, Y"),
        where,
    )


@register.simple_tag(takes_context=True)
def filter_chips(context: Context, form: forms.Form, leave_out: Collection[str] = ()) -> list[dict[str, str]]:
    """What a list is narrowed by, for ``chips.html``: label, value in words, and the address of the list without it.

    Fields in ``leave_out`` get none.
    """
    query = context["request"].GET
    chips = []
    for name, value in form.cleaned_data.items():
        if value in (None, "", False, []) or name in leave_out:
            continue
        rest = query.copy()
        for gone in (name, "before", "after", "page"):
            rest.pop(gone, None)
        # An address without any query would open the reader's own default.
        there = f"?{rest.urlencode() or 'all=1'}"
        chips.append({"label": str(form[name].label), "value": _chip_value(form.fields[name], value), "there": there})
    return chips


def _chip_value(field: forms.Field, value: Any) -> str:
    if value is True:
        return ""
    if isinstance(field, forms.ChoiceField):
        return dict(_flat(field.choices)).get(value, str(value)).lstrip("- ")
    return date_format(value, "M j, Y") if isinstance(value, date) else str(value)


def _flat(choices: Any) -> Iterator[tuple[str, str]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from _flat(label)
        else:
            yield value, str(label)
