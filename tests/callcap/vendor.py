"""A vendor that says whatever bytes a test wants, over a real socket, and keeps every request that it was sent."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

type Script = Callable[[socket.socket], None]


def answer(body: bytes | str = b"", status: int | str = 200, *, length: bool = True, **headers: str) -> bytes:
    """One HTTP answer. ``headers`` are given with underscores; without ``length`` the end is the connection's end."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Anything"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if length and "Transfer_Encoding" not in headers and "Content_Length" not in headers:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


def says(*pieces: bytes, pause: float = 0) -> Script:
    """Sends the pieces, with a pause before each, then closes."""

    def script(connected: socket.socket) -> None:
        for piece in pieces:
            time.sleep(pause)
            connected.sendall(piece)

    return script


def drips(data: bytes, pause: float = 0.05) -> Script:
    """Sends byte by byte."""
    return says(*(data[place : place + 1] for place in range(len(data))), pause=pause)


def read_request(connected: socket.socket) -> bytes:
    """A whole request, or what came of it before the other side went away."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connected.recv(65_536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < (int(lengths[0]) if lengths else 0):
        more = connected.recv(65_536)
        if not more:
            break
        body += more
    return head + b"\r\n\r\n" + body


class RawVendor:
    """Listens on a port of the loopback. ``requests`` are those that arrived, ``connections`` counts the connections.

    ``greeting`` runs before a request is read and, if it returns True, instead of reading one.
    """

    def __init__(
        self,
        script: Script,
        *,
        tls: ssl.SSLContext | None = None,
        greeting: Callable[[socket.socket], bool] | None = None,
        keep_alive: bool = False,
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._script, self._tls, self._greeting, self._keep_alive = script, tls, greeting, keep_alive
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connected, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connected,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connected: socket.socket) -> None:
        with connected, contextlib.suppress(OSError):
            connected.settimeout(10)
            if self._greeting and self._greeting(connected):
                return
            if self._tls:
                connected = self._tls.wrap_socket(connected, server_side=True)
            with connected:
                while request := read_request(connected):
                    self.requests.append(request)
                    self._script(connected)
                    if not self._keep_alive:
                        return

    def stop(self) -> None:
        # A thread in accept() is not woken by close() alone.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(timeout=5)


@contextlib.contextmanager
def vendor(
    script: Script,
    *,
    tls: ssl.SSLContext | None = None,
    greeting: Callable[[socket.socket], bool] | None = None,
    keep_alive: bool = False,
) -> Iterator[RawVendor]:
    started = RawVendor(script, tls=tls, greeting=greeting, keep_alive=keep_alive)
    try:
        yield started
    finally:
        started.stop()
