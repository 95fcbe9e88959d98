"""Whether the way to the vendor is open, step by step: the name, a connection, a certificate that can be trusted."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from numbers_app.callcap.connections import resolve

SECONDS_A_DAY = 86_400


class ConnectionTrouble(Exception):
    """The way is not open; the message says where it ends. ``reached`` says that only TLS failed."""

    def __init__(self, message: str, *, reached: bool = False) -> None:
        super().__init__(message)
        self.reached = reached


@dataclass(frozen=True)
class ConnectionFacts:
    """Where the address leads. ``days_left`` of the certificate; 0 without TLS."""

    host: str
    port: int
    address: str
    secure: bool
    days_left: int = 0

    @property
    def is_this_machine(self) -> bool:
        return ipaddress.ip_address(self.address.partition("%")[0]).is_loopback


def connection_facts(base_url: str, seconds: float) -> ConnectionFacts:
    """Resolve, connect and shake hands, each within ``seconds``; nothing is asked. Raises ConnectionTrouble."""
    parts = urlsplit(base_url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        addresses = resolve(host, port, seconds)
    except (OSError, ValueError) as error:
        raise ConnectionTrouble(f"The name {host} could not be found ({type(error).__name__}).") from error
    connected, address = _connect(addresses, host, port, seconds)
    with connected:
        days_left = _days_left(connected, host) if secure else 0
    return ConnectionFacts(host, port, address, secure, days_left)


def _connect(addresses: list[str], host: str, port: int, seconds: float) -> tuple[socket.socket, str]:
    problem: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=seconds), address
        except OSError as error:
            problem = error
    raise ConnectionTrouble(f"{host}, port {port}, takes no connections ({type(problem).__name__}).") from problem


def _days_left(connected: socket.socket, host: str) -> int:
    # The same authorities that the client trusts.
    context = ssl.create_default_context(cafile=requests.adapters.DEFAULT_CA_BUNDLE_PATH)
    try:
        with context.wrap_socket(connected, server_hostname=host) as secured:
            certificate = secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        raise ConnectionTrouble(f"The certificate is not valid: {error.verify_message}.", reached=True) from error
    except OSError as error:
        raise ConnectionTrouble(f"The TLS handshake failed ({type(error).__name__}).", reached=True) from error
    expires = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return int((expires - time.time()) // SECONDS_A_DAY)
