"""Names for the vendor's media types, which are bare numbers."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any

from django.core.signals import request_finished, request_started
from django.db.models import QuerySet
from django.dispatch import receiver

from numbers_app.models import MediaType


def media_types() -> QuerySet[MediaType]:
    """All that have a name, by name."""
    return MediaType.objects.all()


def media_type_text(number: int) -> str:
    """The media type as people read it: ``Radio (7)``, or the bare number when it has no name."""
    name = media_type_names().get(number)
    return f"{name} ({number})" if name else str(number)


def media_type_names() -> dict[int, str]:
    """Name by number. Asked of the database once a request, however many values a page shows."""
    return _reader.get()()


def _read() -> dict[int, str]:
    return dict(MediaType.objects.values_list("number", "name"))


# Outside of requests nothing says when to forget: there every look is fresh.
_reader: ContextVar[Callable[[], dict[int, str]]] = ContextVar("media_type_names", default=_read)


@receiver(request_started, dispatch_uid="media_types_remember")
def _remember(**kwargs: Any) -> None:
    _reader.set(cache(_read))


@receiver(request_finished, dispatch_uid="media_types_forget")
def _forget(**kwargs: Any) -> None:
    _reader.set(_read)
