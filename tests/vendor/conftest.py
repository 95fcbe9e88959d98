"""A vendor that says what a test wants, which the portal as a whole asks."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from numbers_app.models import Breaker
from numbers_app.vendor import callcap_client
from numbers_app.vendor.clock import DatabaseSeconds
from tests.callcap.conftest import certificate  # noqa: F401 (a fixture)
from tests.callcap.vendor import RawVendor, answer, vendor

NUMBER = "3167342253"


def success(**fields: Any) -> bytes:
    return answer(json.dumps({"status": "success"} | fields))


FOUND = success(numbers=[NUMBER])
BROKEN = answer('{"status": "error"}', 500)

type Ask = Callable[..., RawVendor]


@pytest.fixture
def callcap(settings: Any) -> Iterator[Ask]:
    """``callcap(first, second, last)``: a vendor that gives these answers, the last one for ever."""
    settings.CALLCAP_TIMEOUT = 2
    with ExitStack() as stack:

        def start(*answers: bytes) -> RawVendor:
            # It closes after each answer, and says so.
            waiting = [said.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) for said in answers]

            def script(connected: socket.socket) -> None:
                connected.sendall(waiting.pop(0) if len(waiting) > 1 else waiting[0])

            started = stack.enter_context(vendor(script))
            settings.CALLCAP_API_URL = started.url
            callcap_client.cache_clear()
            return started

        yield start
    callcap_client.cache_clear()


def database_seconds() -> float:
    """The database's clock, as gates and breaker read it."""
    Breaker.objects.get_or_create(pk=Breaker.ONLY)
    return float(Breaker.objects.annotate(now=DatabaseSeconds()).get(pk=Breaker.ONLY).now)
