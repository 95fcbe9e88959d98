"""Connections that keep a total deadline and know whether anything of a request was written.

A socket's timeout is per read, so an answer that drips outlives it; and libraries raise the same exceptions
before and after a request is on its way. Here every wait of an exchange, name resolution included, ends at its
deadline, and what was written is noted where it is written. Bytes of the TLS handshake are none of the request.
"""

from __future__ import annotations

import io
import queue
import socket
import ssl
import threading
import time
from contextvars import ContextVar
from enum import Enum
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

HEADER_BYTES = 65_536
POOL_SIZE = 16
# A wait may end a hair before the deadline that it was cut to.
_CLOCK_GRAIN = 0.01


class Stage(Enum):
    """How far an exchange came."""

    PREPARE = "prepare"
    RESOLVE = "resolve"
    CONNECT = "connect"
    SECURE = "secure"
    TALK = "talk"


class Exchange:
    """One request and its answer: ``seconds`` in total, counted from now."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._awaiting_headers = True
        self._received = 0
        self.stage = Stage.PREPARE
        self.may_have_written = False
        self.headers_too_long = False

    @property
    def expired(self) -> bool:
        return time.monotonic() >= self._ends - _CLOCK_GRAIN

    @property
    def anything_received(self) -> bool:
        return self._received > 0

    @property
    def used_kept_connection(self) -> bool:
        """Whether it was written to a connection that stood already."""
        return self.may_have_written and self.stage is Stage.PREPARE

    def remaining(self) -> float:
        """Seconds left, more than 0. Raises TimeoutError when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("The deadline has passed.")
        return left

    def headers_arrived(self) -> None:
        self._awaiting_headers = False

    def count_received(self, count: int) -> None:
        """Raises OSError when the headers do not end in time to stay small."""
        self._received += count
        if self._awaiting_headers and self._received > HEADER_BYTES:
            self.headers_too_long = True
            raise OSError("The headers are too long.")


# The libraries in between have no place for it in their signatures.
current_exchange: ContextVar[Exchange] = ContextVar("callcap_exchange")


class WatchedReader(io.RawIOBase):
    """Reads a socket, never past the deadline of the exchange that it was opened for."""

    def __init__(self, connected: socket.socket, exchange: Exchange) -> None:
        self._socket = connected
        self._raw = connected.makefile("rb", buffering=0)
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._exchange.remaining())
        count = self._raw.readinto(buffer)
        self._exchange.count_received(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class WatchedSocket:
    """A connected socket as http.client uses it, under the deadline and in the books of the current exchange."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._tls = isinstance(connected, ssl.SSLSocket)

    def sendall(self, data: bytes) -> None:
        exchange = current_exchange.get()
        view = memoryview(data)
        while view:
            self._socket.settimeout(exchange.remaining())
            # A TLS send that fails may have put records on the wire; a plain one has written nothing.
            exchange.may_have_written |= self._tls
            sent = self._socket.send(view)
            exchange.may_have_written = True
            view = view[sent:]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(WatchedReader(self._socket, current_exchange.get()))

    def settimeout(self, seconds: float | None) -> None:
        """The deadline decides instead."""

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """The host's addresses. Raises OSError or ValueError when there are none, TimeoutError after ``seconds``.

    The system's resolver takes no deadline, so it is asked in a thread, which is left behind when it hangs.
    """
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(address[0]) for *_, address in found])
        except Exception as error:
            answers.put(error)

    threading.Thread(target=look_up, name="callcap-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("The name did not resolve in time.") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


class _Watched(HTTPConnection):
    """What the plain and the secure connection have in common."""

    def _new_conn(self) -> socket.socket:
        exchange = current_exchange.get()
        host = self._dns_host.strip("[]")
        port = self.port or self.default_port
        try:
            exchange.stage = Stage.RESOLVE
            addresses = resolve(host, port, exchange.remaining())
            exchange.stage = Stage.CONNECT
            connected = self._first_connected(addresses, port, exchange)
            # Bounds the TLS handshake that may follow.
            connected.settimeout(exchange.remaining())
        except (OSError, ValueError) as error:
            raise NewConnectionError(self, str(error)) from error
        exchange.stage = Stage.SECURE
        return connected

    def _first_connected(self, addresses: list[str], port: int, exchange: Exchange) -> socket.socket:
        """Try each address with its share of the time left, so that a dead one does not use up all of it."""
        problem: OSError = OSError("The name has no address.")
        for untried, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                share = exchange.remaining() / untried
                return create_connection((address, port), share, socket_options=self.socket_options)
            except OSError as error:
                problem = error
        raise problem

    def connect(self) -> None:
        super().connect()
        connected: Any = WatchedSocket(self.sock)
        self.sock = connected
        current_exchange.get().stage = Stage.TALK


class _WatchedHTTPConnection(_Watched):
    pass


class _WatchedHTTPSConnection(_Watched, HTTPSConnection):
    pass


class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class WatchedAdapter(HTTPAdapter):
    """Mounts watched connections in a requests Session. Nothing is ever retried."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=POOL_SIZE, max_retries=0)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedHTTPPool, "https": _WatchedHTTPSPool}


class DirectSession(requests.Session):
    """A session that takes nothing from its surroundings and follows nothing."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: for a redirect, requests reads the body whole, however large, even when told not to follow."""
        return None
