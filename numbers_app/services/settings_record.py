"""The settings that change what the portal does, in the history: a change of behaviour that nobody clicked."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.models import HistoryEntry, Verb
from numbers_app.signing import public_key_of

from .history import history_append, history_lock

PASSWORD_IN_ADDRESS = re.compile(r"(?<=://)[^/]*@")

# Never a secret: the API key, SECRET_KEY and passwords in addresses stay out.
RECORDED = (
    "DEBUG",
    "DEMO",
    "HTTPS",
    "SITE_URL",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "TRUSTED_PROXY_COUNT",
    "CALLCAP_API_URL",
    "CALLCAP_TIMEOUT",
    "CALLCAP_POST_ENCODING",
    "CALLCAP_TIME_ZONE",
    "CALLCAP_MAX_PER_SECOND",
    "CALLCAP_SETTLE_SECONDS",
    "CALLCAP_MAX_ANSWER_BYTES",
    "APPROVAL_UNDO_SECONDS",
    "ORDER_EXPIRY_DAYS",
    "ORDER_REMINDER_DAYS",
    "MONTHLY_PRICE_LOCAL",
    "MONTHLY_PRICE_TOLLFREE",
    "PRICE_CURRENCY",
    "HISTORY_FORMER_PUBLIC_KEYS",
    "CHECKPOINT_FILE",
    "EMAIL_URL",
)


def settings_record(*, actor: Actor) -> HistoryEntry | None:
    """Append one entry with the settings that differ from what the history last said; None when none do."""
    present = _present()
    with transaction.atomic():
        # The history's head first: of two clocks that start at once, the second sees what the first wrote.
        history_lock()
        said = _last_said()
        changes = {
            name: [said.get(name), present.get(name)]
            for name in sorted(said.keys() | present.keys())
            if said.get(name) != present.get(name)
        }
        return history_append(actor=actor, verb=Verb.SETTINGS_CHANGED, changes=changes) if changes else None


def _present() -> dict[str, Any]:
    """The settings as the history can keep them."""
    values = {name: _json(getattr(settings, name)) for name in RECORDED}
    key = settings.HISTORY_SIGNING_KEY
    return values | {"HISTORY_PUBLIC_KEY": public_key_of(key) if key else None}


def _last_said() -> dict[str, Any]:
    """The settings as the history's entries leave them. There is one each time that something was changed: few."""
    said: dict[str, Any] = {}
    for changes in (
        HistoryEntry.objects.filter(verb=Verb.SETTINGS_CHANGED).order_by("sequence").values_list("changes", flat=True)
    ):
        said |= {name: after for name, (_, after) in changes.items()}
    return said


def _json(value: Any) -> Any:
    """The value without floats, which the history does not hash, and without the password of an address."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return PASSWORD_IN_ADDRESS.sub("", str(value))
