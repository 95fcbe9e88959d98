"""Who did something: entries hold the name that a person had then, which others may have too, and the person's id."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db import connection
from django.db.models import Count, Q, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from numbers_app.models import User

# Goes from name to name through the index, instead of reading every entry.
_NAMES = """
WITH RECURSIVE names(name) AS (
    SELECT min(actor_name) FROM numbers_app_historyentry
    UNION ALL
    SELECT (SELECT min(actor_name) FROM numbers_app_historyentry WHERE actor_name > names.name)
    FROM names WHERE names.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL
"""
_LABEL = re.compile(r"(?P<name>.+) \((?:id (?P<id>[0-9]{1,18})|(?P<username>.+))\)")
_DISPLAY_NAME = Coalesce(NullIf(Trim(Concat("first_name", Value(" "), "last_name")), Value("")), "username")

type Who = tuple[str, int | None]


def actor_names() -> list[str]:
    """Everybody who ever did something, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES)
        return [name for (name,) in cursor.fetchall()]


def actor_suggestions() -> list[str]:
    """The names, and a label for each of those people who have one in common."""
    named = User.objects.annotate(display=_DISPLAY_NAME)
    shared = named.values("display").annotate(people=Count("pk")).filter(people__gt=1).values("display")
    namesakes = [(user.display_name, user.pk) for user in named.filter(display__in=shared)]
    return sorted([*actor_names(), *actor_labels(namesakes).values()])


def actor_labels(actors: Iterable[Who]) -> dict[Who, str]:
    """A label for each name and id, which ``actor_condition`` understands: "Ann Lee (ann2)", by the sign-in name.

    Who is gone has none: "Ann Lee (id 7)". The portal itself has no id, and its name is the label.
    """
    given = set(actors)
    usernames = dict(User.objects.filter(pk__in={key for _, key in given if key}).values_list("pk", "username"))
    return {(name, key): f"{name} ({usernames.get(key, f'id {key}')})" if key else name for name, key in given}


def actor_condition(text: str) -> Q:
    """The entries of those whom the text means: a name, the label of one person, or else all that it is a part of.

    Names are compared in upper or lower case. Every way ends in the index by name.
    """
    names = actor_names()
    if text in names:
        return Q(actor_name=text)
    labelled = _LABEL.fullmatch(text)
    if labelled and labelled["name"] in names:
        key = labelled["id"] or User.objects.filter(username=labelled["username"]).values_list("pk", flat=True).first()
        return Q(actor_name=labelled["name"], actor_id=key or 0)
    return Q(actor_name__in=[name for name in names if text.casefold() in name.casefold()])
