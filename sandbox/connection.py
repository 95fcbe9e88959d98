"""Breaking the connection to a caller, which HTTP itself has no word for."""

import socket

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse


def close_connection(request: HttpRequest, sent: bytes = b"") -> HttpResponse:
    """Close the caller's socket, after `sent` raw bytes of an answer at most.

    gunicorn hands its socket over in the WSGI environment; what it writes afterwards meets a closed socket
    and is thrown away, so the returned response reaches nobody.
    """
    caller = request.environ.get("gunicorn.socket") if isinstance(request, WSGIRequest) else None
    if not isinstance(caller, socket.socket):
        return HttpResponse("Faults that break the connection need gunicorn.", status=501)
    if sent:
        caller.sendall(sent)
    caller.shutdown(socket.SHUT_RDWR)
    return HttpResponse()
