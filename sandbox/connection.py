"""Treating the connection to a caller in ways that HTTP itself has no word for."""

import contextlib
import socket
import time

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse

TICK_SECONDS = 0.005


def close_connection(request: HttpRequest, sent: bytes = b"") -> HttpResponse:
    """Close the caller's socket, after `sent` raw bytes of an answer at most."""
    return drip_and_close(request, sent, b"", 0)


def drip_and_close(request: HttpRequest, at_once: bytes, slowly: bytes, seconds: float) -> HttpResponse:
    """Send the raw bytes of an answer, those of `slowly` evenly over `seconds`, and close the caller's socket.

    gunicorn hands its socket over in the WSGI environment; what it writes afterwards meets a closed socket
    and is thrown away, so the returned response reaches nobody.
    """
    caller = request.environ.get("gunicorn.socket") if isinstance(request, WSGIRequest) else None
    if not isinstance(caller, socket.socket):
        return HttpResponse("Faults that break the connection need gunicorn.", status=501)
    with contextlib.suppress(OSError):  # the caller may have gone first
        caller.sendall(at_once)
        _drip(caller, slowly, seconds)
        caller.shutdown(socket.SHUT_RDWR)
    return HttpResponse()


def as_bytes(response: HttpResponse, *, with_length: bool = True) -> tuple[bytes, bytes]:
    """Head and body of an answer as they go over the wire, for a connection that is closed afterwards."""
    body = response.content
    head = [
        f"HTTP/1.1 {response.status_code} {response.reason_phrase}",
        f"Content-Type: {response.headers['Content-Type']}",
        *([f"Content-Length: {len(body)}"] if with_length else []),
        "Connection: close",
    ]
    return "".join(f"{line}\r\n" for line in [*head, ""]).encode(), body


def _drip(caller: socket.socket, slowly: bytes, seconds: float) -> None:
    """Send the last byte after `seconds` and the others before, one by one unless they are too many for that."""
    started, sent = time.monotonic(), 0
    while sent < len(slowly):
        elapsed = time.monotonic() - started
        due = int(len(slowly) * elapsed / seconds) if elapsed < seconds else len(slowly)
        caller.sendall(slowly[sent:due])
        sent = due
        time.sleep(max(seconds / len(slowly), TICK_SECONDS) if sent < len(slowly) else 0)
