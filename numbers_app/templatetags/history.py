"""Entries of the history in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from numbers_app.models import RUN_ON, HistoryEntry, Verb
from numbers_app.text import field_label, phone_text

from .domain import change_rows, in_field_order
from .shell import icon, shown

register = template.Library()

ICONS = {
    Verb.ORDER_REQUESTED: "clipboard-plus",
    Verb.ORDER_AMENDED: "pencil",
    Verb.ORDER_COMMENTED: "chat-left-text",
    Verb.ORDER_URGED: "lightning",
    Verb.ORDER_APPROVED: "check2",
    Verb.ORDER_APPROVAL_UNDONE: "arrow-counterclockwise",
    Verb.ORDER_REJECTED: "slash-circle",
    Verb.ORDER_CANCELLED: "dash-circle",
    Verb.ORDER_EXPIRED: "hourglass-bottom",
    Verb.ORDER_SENDING: "send",
    Verb.ORDER_POSTPONED: "hourglass-split",
    Verb.ORDER_CHOICE_GONE: "skip-forward",
    Verb.ORDER_CHOICE_FOUND: "bullseye",
    Verb.ORDER_DONE: "check-circle",
    Verb.ORDER_FAILED: "x-octagon",
    Verb.ORDER_UNKNOWN: "question-diamond",
    Verb.ORDER_CHECKED: "search",
    Verb.ORDER_SETTLED: "person-check",
    Verb.ACCOUNT_ADDED: "building",
    Verb.ACCOUNT_CHANGED: "building",
    Verb.GRANT_ADDED: "key",
    Verb.GRANT_REMOVED: "key",
    Verb.USER_ADDED: "person-plus",
    Verb.USER_CHANGED: "person-gear",
    Verb.USER_REMOVED: "person-dash",
    Verb.ROLE_GIVEN: "person-check",
    Verb.ROLE_TAKEN: "person-x",
    Verb.NUMBER_BOUGHT: "telephone-plus",
    Verb.NUMBER_IMPORTED: "box-arrow-in-down",
    Verb.NUMBER_CHANGED: "shuffle",
    Verb.NUMBER_ENDED: "telephone-x",
    Verb.NUMBER_DISPUTED: "question-diamond",
    Verb.NUMBER_SETTLED: "person-check",
    Verb.BATCH_SUBMITTED: "collection",
    Verb.BATCH_APPROVED: "check2",
    Verb.BATCH_REJECTED: "slash-circle",
    Verb.BATCH_PAUSED: "pause-circle",
    Verb.BATCH_RESUMED: "play-circle",
    Verb.BATCH_CANCELLED: "dash-circle",
    Verb.BATCH_RETRIED: "arrow-repeat",
    Verb.BATCH_DONE: "check-circle",
    Verb.INVENTORY_DECLARED: "patch-check",
    Verb.INVENTORY_EXPORTED: "download",
    Verb.MEDIA_TYPE_NAMED: "tag",
    Verb.SENDING_PAUSED: "pause-circle",
    Verb.SENDING_RESUMED: "play-circle",
    Verb.SETTINGS_CHANGED: "sliders",
    Verb.HISTORY_EXPORTED: "download",
    Verb.EVIDENCE_EXPORTED: "file-zip",
    Verb.SAMPLE_DRAWN: "shuffle",
    Verb.SAMPLE_SIGNED: "patch-check",
}


@register.filter
def entry_changes(entry: HistoryEntry) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of an entry, for ``change_rows``. What only names what the entry is about is left out."""
    return [(name, before, after) for name, (before, after) in in_field_order(entry.changes) if before != after]


@register.filter
def what(entry: HistoryEntry) -> str:
    """An entry in plain English without its actor, as in "re-routed (316) 734-2253 from … to …, approved by …"."""
    words = _IN_WORDS.get(Verb(entry.verb), _did)(entry)
    if entry.approved_by == entry.actor_name:
        return f"{words}, without needing an approval"
    return words + (f", approved by {entry.approved_by}" if entry.approved_by else "")


def _about(entry: HistoryEntry) -> str:
    """The order and the number that an entry is about."""
    return f"order {entry.order_id}" + (f", for {phone_text(entry.number)}" if entry.number else "")


def _did(entry: HistoryEntry) -> str:
    return f"{entry.get_verb_display()} {_about(entry)}" if entry.order_id else entry.get_verb_display()


def _person(entry: HistoryEntry) -> str:
    """Whom an entry about a person is about: the sign-in name."""
    before, after = entry.changes.get("user", [None, None])
    return str(after or before)


def _after(entry: HistoryEntry, name: str) -> Any:
    return entry.changes.get(name, [None, ""])[1]


def _changed_person(entry: HistoryEntry) -> str:
    changed = [field_label(name).lower() for name, _, _ in entry_changes(entry)]
    return f"changed {', '.join(changed)} of {_person(entry)}"


def _settings(entry: HistoryEntry) -> str:
    changed = entry_changes(entry)
    if all(before is None for _, before, _ in changed):
        return "noted the settings for the first time"
    return f"started with other settings: {', '.join(name for name, _, _ in changed)}"


def _exported(entry: HistoryEntry) -> str:
    count, form = _after(entry, "entries"), _after(entry, "format")
    return f"exported {count} entr{'y' if count == 1 else 'ies'} of the history as {form}"


def _drawn(entry: HistoryEntry) -> str:
    size = _after(entry, "size")
    drawn = f"{size} entr{'y' if size == 1 else 'ies'}"
    return f"drew sample {_after(entry, 'sample')}: {drawn} of {_after(entry, 'period')}"


def _signed(entry: HistoryEntry) -> str:
    verdict = "as a finding" if _after(entry, "verdict") == "finding" else "as in order"
    return f"signed off entry {_after(entry, 'entry')} of sample {_after(entry, 'sample')} {verdict}"


def _batch(entry: HistoryEntry) -> str:
    """As in "approved 12 rows of batch 3"; entries about batches carry its number and how many rows they are about."""
    rows = _after(entry, "rows")
    some = f"{rows} row{'' if rows == 1 else 's'} of " if rows != "" else ""
    return f"{entry.get_verb_display()} {some}batch {_after(entry, 'batch')}"


def _numbers_exported(entry: HistoryEntry) -> str:
    count, batch = _after(entry, "numbers"), _after(entry, "batch")
    of = f"batch {batch}, with what became of them" if batch else "the inventory"
    return f"exported {count} number{'' if count == 1 else 's'} of {of}"


def _inventory_declared(entry: HistoryEntry) -> str:
    return "declared the inventory complete" if _after(entry, "complete_since") else "said that numbers may be missing"


def _media_named(entry: HistoryEntry) -> str:
    return f"named media type {_after(entry, 'media_type_id')} {_after(entry, 'name') or 'nothing any more'}"


def _account(entry: HistoryEntry) -> str:
    return f"{entry.get_verb_display()} account {entry.account_key}"


def _choice_gone(entry: HistoryEntry) -> str:
    gone = phone_text(entry.changes.get("choice", [entry.number])[0])
    return f"found {gone} of order {entry.order_id} no longer available"


def _paused(entry: HistoryEntry) -> str:
    everything = "everything" in entry.changes["paused"]
    return f"paused {'everything that is sent to Callcap' if everything else 'all purchases'}"


def _changed(entry: HistoryEntry) -> str:
    number, changes = phone_text(entry.number), dict(entry.changes)
    parts = []
    if "destination" in changes:
        before, after = changes.pop("destination")
        parts.append(f"re-routed {number} from {phone_text(before)} to {phone_text(after)}")
    if "stop_date" in changes:
        parts.append(_stop_date_moved(number, *changes.pop("stop_date")))
    if changes:
        parts.append(f"changed {', '.join(field_label(name).lower() for name in changes)} of {number}")
    return " and ".join(parts)


def _stop_date_moved(number: str, before: str | None, after: str) -> str:
    if after == str(RUN_ON):
        return f"let {number} run on" + (f" instead of stopping on {before}" if before else "")
    if before in (None, str(RUN_ON)):
        return f"set the stop date of {number} to {after}"
    return f"moved the stop date of {number} from {before} to {after}"


_IN_WORDS: dict[Verb, Callable[[HistoryEntry], str]] = {
    Verb.NUMBER_BOUGHT: lambda entry: f"bought {phone_text(entry.number)}, ringing {phone_text(entry.destination)}",
    Verb.NUMBER_IMPORTED: lambda entry: f"imported {phone_text(entry.number)}, ringing {phone_text(entry.destination)}",
    Verb.NUMBER_CHANGED: _changed,
    Verb.NUMBER_ENDED: lambda entry: f"marked {phone_text(entry.number)} as stopped",
    Verb.NUMBER_DISPUTED: lambda entry: f"heard from Callcap that {phone_text(entry.number)} is not ours",
    Verb.NUMBER_SETTLED: lambda entry: f"settled that {phone_text(entry.number)} is still ours",
    Verb.BATCH_SUBMITTED: _batch,
    Verb.BATCH_APPROVED: _batch,
    Verb.BATCH_REJECTED: _batch,
    Verb.BATCH_PAUSED: _batch,
    Verb.BATCH_RESUMED: _batch,
    Verb.BATCH_CANCELLED: _batch,
    Verb.BATCH_RETRIED: _batch,
    Verb.BATCH_DONE: _batch,
    Verb.INVENTORY_DECLARED: _inventory_declared,
    Verb.INVENTORY_EXPORTED: _numbers_exported,
    Verb.MEDIA_TYPE_NAMED: _media_named,
    Verb.ACCOUNT_ADDED: _account,
    Verb.ACCOUNT_CHANGED: _account,
    Verb.GRANT_ADDED: lambda entry: f"granted {entry.account_key} to {entry.changes['user'][1]}",
    Verb.GRANT_REMOVED: lambda entry: f"took {entry.account_key} back from {_person(entry)}",
    Verb.USER_ADDED: lambda entry: f"added the person {_person(entry)}",
    Verb.USER_CHANGED: _changed_person,
    Verb.USER_REMOVED: lambda entry: f"removed the person {_person(entry)}",
    Verb.ROLE_GIVEN: lambda entry: f"gave {_person(entry)} the role {_after(entry, 'role')}",
    Verb.ROLE_TAKEN: lambda entry: f"took the role {entry.changes['role'][0]} from {_person(entry)}",
    Verb.ORDER_SENDING: lambda entry: f"sent order {entry.order_id} to Callcap, for {phone_text(entry.number)}",
    Verb.ORDER_CHOICE_GONE: _choice_gone,
    Verb.ORDER_CHOICE_FOUND: lambda entry: f"chose {phone_text(entry.number)} for order {entry.order_id} by its search",
    Verb.ORDER_CHECKED: lambda entry: f"asked Callcap whether it carried out {_about(entry)}",
    Verb.ORDER_UNKNOWN: lambda entry: f"does not know whether Callcap carried out {_about(entry)}",
    Verb.SENDING_PAUSED: _paused,
    Verb.SENDING_RESUMED: lambda entry: "resumed what is sent to Callcap",
    Verb.SETTINGS_CHANGED: _settings,
    Verb.HISTORY_EXPORTED: _exported,
    Verb.EVIDENCE_EXPORTED: lambda entry: f"exported the evidence of entries {_after(entry, 'entries')}",
    Verb.SAMPLE_DRAWN: _drawn,
    Verb.SAMPLE_SIGNED: _signed,
}


@register.simple_tag
def timeline_entries(entries: Iterable[HistoryEntry], here: HistoryEntry | None = None) -> list[dict[str, Any]]:
    """Entries for ``timeline.html``, each leading to its page unless it is withheld or ``here``, the page's own."""
    return [
        {
            "time": entry.at,
            "actor": entry.actor_name,
            "text": what(entry),
            "detail": _detail(entry),
            "icon": ICONS.get(Verb(entry.verb), ""),
            "sequence": entry.sequence,
            "is_here": entry == here,
            "is_withheld": entry.withheld,
        }
        for entry in entries
    ]


def _detail(entry: HistoryEntry) -> str:
    lines = []
    if entry.reason:
        lines.append(entry.reason)
    # That all went well is said by what happened.
    news = entry.vendor_message not in ("", "success") and entry.vendor_message not in entry.reason
    if entry.vendor_status and news:
        lines.append(f"Callcap ({entry.vendor_status}): {entry.vendor_message}")
    return "\n".join(lines)


@register.simple_tag
def entry_icon(entry: HistoryEntry) -> str:
    """The icon of what happened."""
    return icon(ICONS.get(Verb(entry.verb), "dot"))


@register.simple_tag
def entry_rows(entry: HistoryEntry) -> list[dict[str, Any]]:
    """Everything of an entry but its changes, for ``definition_list.html``."""
    rows = [
        ("Entry", entry.sequence),
        ("Role", entry.role),
        ("Came from", entry.get_source_display()),
        ("Account", entry.account_key),
        ("Order", entry.order_id),
        ("Reason", entry.reason),
        ("Approved by", entry.approved_by),
        ("Callcap's HTTP status", entry.vendor_status),
        ("Callcap's words", entry.vendor_message),
        ("Request", entry.request_id),
    ]
    return [{"label": label, "value": value} for label, value in rows if value not in ("", None)]


@register.simple_tag
def entry_link(entry: HistoryEntry | None) -> SafeString:
    """Who set a value and when, leading to the entry that did."""
    if entry is None:
        return mark_safe('<span class="muted">never set</span>')
    there, day = reverse("history_entry", args=[entry.sequence]), date_format(timezone.localtime(entry.at), "M j, Y")
    return format_html(
        '<a href="{}">{}, {}<span class="visually-hidden">, entry {}</span></a>',
        there,
        entry.actor_name,
        day,
        entry.sequence,
    )


@register.simple_tag
def exact_moment(value: datetime) -> SafeString:
    """A time to the second in the reader's zone, and exact in UTC: entries less than a second apart are told apart."""
    local, exact = timezone.localtime(value), value.astimezone(UTC).replace(tzinfo=None)
    return format_html(
        '<time class="moment" datetime="{}"><span>{} {}</span> <span class="utc">{} UTC</span></time>',
        local.isoformat(),
        date_format(local, "M j, Y, g:i:s A"),
        local.tzname() or "",
        exact.isoformat(" "),
    )


@register.simple_tag
def entry_diff(entry: HistoryEntry) -> SafeString:
    """What an entry changed, to be opened, as ``diff_table.html`` shows it; empty when it changed nothing.

    Not a template of its own: a list shows fifty of them.
    """
    rows = change_rows(entry_changes(entry))
    if not rows:
        return mark_safe("")
    body = format_html_join(
        "",
        '<tr><th scope="row">{}</th><td data-label="Before"><del>{}</del></td>'
        '<td data-label="After"><ins>{}</ins></td></tr>',
        ((row["label"], shown(row["before"]), shown(row["after"])) for row in rows),
    )
    return format_html(
        '<details><summary>What changed<span class="visually-hidden"> in entry {}</span></summary>'
        '<table class="diff"><caption>Values before and after</caption><thead><tr><th scope="col">Field</th>'
        '<th scope="col">Before</th><th scope="col">After</th></tr></thead><tbody>{}</tbody></table></details>',
        entry.sequence,
        body,
    )
