"""The rows of a search's results. Drawn here and not by a template, since a page has fifty to a hundred of them."""

from __future__ import annotations

from html import escape

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template import Context
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from numbers_app.callcap import vanity
from numbers_app.selectors.search import FoundNumber

from .shell import filter_chips, phone, spelled

register = template.Library()
register.filter("ago", naturaltime)

NOTHING = "–"
TYPES = {"tollfree": "Toll-free", "local": "Local"}
MOST_WORDS = 2


@register.simple_tag
def search_tick(number: str, ticked: list[str], address: str, *, oob: bool = False) -> SafeString:
    """The box that puts a found number into the tray; with ``oob`` it replaces the one on the page.

    Beside it stands, for the form without JavaScript, that this number was on the page.
    """
    safe, checked = escape(number), " checked" if number in ticked else ""
    instead = ' hx-swap-oob="true"' if oob else ""
    box = (
        f'<input class="form-check-input" type="checkbox" name="number" value="{safe}" id="tick-{safe}" '
        f'aria-label="Choose {escape(phone(number))}"{checked}{instead} hx-post="{escape(address)}" '
        f'hx-vals=\'{{"tick": "{safe}"}}\'>'
    )
    return mark_safe(box if oob else f'{box}<input type="hidden" name="shown" value="{safe}">')  # noqa: S308


@register.simple_tag(takes_context=True)
def found_row(context: Context, found: FoundNumber) -> SafeString:
    """One row of the results' table, in the order of its heading.

    Texts are escaped one by one: ``format_html`` would take most of the time that a page of results has.
    """
    offer, ease, text = found.offer, found.ease, context["vanity_text"]
    reasons = escape(", ".join(ease.reasons))
    tick = search_tick(offer.number, context["tray_numbers"], context["tray_url"]) if found.free else ""
    words = " ".join(f'<span class="hint text-nowrap">{escape(word)}</span>' for word in other_words(found.words, text))
    return mark_safe(  # noqa: S308
        f'<tr><td class="tick">{tick}</td><th scope="row">{spelled(offer.number, text, context["marked"])}</th>'
        f'<td data-label="Also spells" class="short">{words or NOTHING}</td>'
        f'<td data-label="Place">{escape(offer.place) or NOTHING}{_hint(escape(offer.rate_center))}</td>'
        f'<td data-label="Type" class="short">{TYPES.get(offer.number_type, NOTHING)}</td>'
        f'<td data-label="Pool" class="short">{escape(offer.pool.capitalize()) or NOTHING}</td>'
        f'<td data-label="Easy to remember" title="{reasons}">{ease.points}{_hint(reasons)}</td>'
        f'<td class="actions">{_action(context, found)}</td></tr>'
    )


@register.simple_tag(takes_context=True)
def search_chips(context: Context) -> list[dict[str, str]]:
    """What is searched for, for ``chips.html``: what the box means, then the other fields, if they can be searched."""
    form, of_the_box = context["form"], ["q", *context["reading"].fields]
    fields = [] if form.errors else filter_chips(context, form, leave_out=of_the_box)
    return [*context["box_chips"], *fields]


@register.filter
def keypad(text: str) -> str:
    """The digits and wildcards that a text with letters is on the keypad; empty for one without letters."""
    return vanity.to_pattern(text) if any(map(str.isalpha, text)) else ""


def other_words(words: tuple[str, ...], text: str) -> list[str]:
    """The spellings of a number that show another word than the text that was searched for; at most two."""
    wanted = "".join(character for character in text.upper() if character.isalpha())
    return [word for word in words if not wanted or not word.replace("-", "").endswith(wanted)][:MOST_WORDS]


def _hint(words: str) -> str:
    return f' <span class="hint">{words}</span>' if words else ""


def _action(context: Context, found: FoundNumber) -> str:
    number, order = found.offer.number, found.wanted_by
    if found.held:
        return _ours(context, number)
    if order and order in context["visible_orders"]:
        return _link(reverse("order_detail", args=[order]), f"Wanted in order {order}", f": {phone(number)}")
    if order:
        return f'<span class="muted">Wanted in order {order}</span>'
    more = f"&{context['order_query']}" if context["order_query"] else ""
    there = f"{context['order_url']}?number={number}{more}"
    return _link(there, "Request", f" {phone(number)}", ' class="btn btn-sm btn-outline-secondary"')


def _ours(context: Context, number: str) -> str:
    if number not in context["visible_ours"]:
        return '<span class="muted">Ours already</span>'
    link = _link(reverse("campaign_detail", args=[number]), "Ours already", f": {phone(number)}")
    order = context["visible_ours"][number]
    return f'{link}, bought by <a href="{reverse("order_detail", args=[order])}">order {order}</a>' if order else link


def _link(there: str, words: str, rest: str, attributes: str = "") -> str:
    """A link whose ``rest`` only a screen reader says, so that no two links sound alike."""
    return f'<a{attributes} href="{escape(there)}">{words}<span class="visually-hidden">{rest}</span></a>'
