"""The rows of a search's results. Drawn here and not by a template, since a page has fifty to a hundred of them."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from numbers_app.selectors.search import FoundNumber

from .shell import phone, spelled

register = template.Library()

NOTHING = mark_safe("–")
TYPES = {"tollfree": "Toll-free", "local": "Local"}
MOST_WORDS = 2


@register.simple_tag
def search_tick(number: str, ticked: list[str], address: str, *, oob: bool = False) -> SafeString:
    """The box that puts a found number into the tray; with ``oob`` it replaces the one on the page.

    Beside it stands, for the form without JavaScript, that this number was on the page.
    """
    box = format_html(
        '<input class="form-check-input" type="checkbox" name="number" value="{0}" id="tick-{0}" '
        'aria-label="Choose {1}"{2}{3} hx-post="{4}" hx-vals=\'{{"toggle": "{0}"}}\' hx-trigger="change" '
        'hx-target="#tray" hx-swap="outerHTML">',
        number,
        phone(number),
        mark_safe(" checked") if number in ticked else "",
        mark_safe(' hx-swap-oob="true"') if oob else "",
        address,
    )
    return box if oob else box + format_html('<input type="hidden" name="shown" value="{}">', number)


@register.simple_tag(takes_context=True)
def found_row(context: Context, found: FoundNumber) -> SafeString:
    """One row of the results' table, in the order of its heading."""
    offer, ease, text = found.offer, found.ease, context["vanity_text"]
    reasons = ", ".join(ease.reasons)
    return format_html(
        '<tr><td class="tick">{}</td><th scope="row">{}</th><td data-label="Also spells" class="short">{}</td>'
        '<td data-label="Place">{}{}</td><td data-label="Type" class="short">{}</td>'
        '<td data-label="Pool" class="short">{}</td><td data-label="Easy to remember" title="{}">{}{}</td>'
        '<td class="actions">{}</td></tr>',
        search_tick(offer.number, context["tray_numbers"], context["tray_url"]) if found.free else "",
        spelled(offer.number, text),
        _words(other_words(found.words, text)),
        offer.place or NOTHING,
        _hint(offer.rate_center),
        TYPES.get(offer.number_type, NOTHING),
        offer.pool.capitalize() or NOTHING,
        reasons,
        ease.points,
        _hint(reasons),
        _action(context, found),
    )


def other_words(words: tuple[str, ...], text: str) -> list[str]:
    """The spellings of a number that show another word than the text that was searched for; at most two."""
    wanted = "".join(character for character in text.upper() if character.isalpha())
    return [word for word in words if not wanted or not word.replace("-", "").endswith(wanted)][:MOST_WORDS]


def _words(words: list[str]) -> SafeString:
    shown = " ".join(f'<span class="hint text-nowrap">{conditional_escape(word)}</span>' for word in words)
    return mark_safe(shown) if shown else NOTHING  # noqa: S308


def _hint(words: str) -> SafeString | str:
    return format_html(' <span class="hint">{}</span>', words) if words else ""


def _action(context: dict[str, Any] | Context, found: FoundNumber) -> SafeString:
    number, order = found.offer.number, found.wanted_by
    if found.held:
        there = reverse("campaign_detail", args=[number])
        return _link(there, "", "Ours already", f": {phone(number)}")
    if order and order in context["visible_orders"]:
        return _link(reverse("order_detail", args=[order]), "", f"Wanted in order {order}", f": {phone(number)}")
    if order:
        return format_html('<span class="muted">Wanted in order {}</span>', order)
    more = f"&{context['order_query']}" if context["order_query"] else ""
    there = f"{context['order_url']}?number={number}{more}"
    return _link(there, ' class="btn btn-sm btn-outline-secondary"', "Request", f" {phone(number)}")


def _link(there: str, classes: str, words: str, rest: str) -> SafeString:
    """A link whose ``rest`` only a screen reader says, so that no two links sound alike."""
    return format_html(
        '<a{} href="{}">{}<span class="visually-hidden">{}</span></a>',
        mark_safe(classes),  # noqa: S308
        there,
        words,
        rest,
    )
