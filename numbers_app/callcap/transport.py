"""One HTTP exchange with the vendor: a total deadline, a size cap, and certainty about what was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

from .connections import HEADER_BYTES, DirectSession, Exchange, Stage, WatchedAdapter, current_exchange

CHUNK_BYTES = 65_536
# Parsed, an empty list or object of two bytes takes thirty times as much. Ten thousand numbers of a few objects each,
# far more than any search brings, stay below this.
MOST_CONTAINERS = 50_000


@dataclass(frozen=True)
class RawAnswer:
    """An answer that arrived whole: status, the text of its ``Retry-After`` header, and its decoded body."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str = ""


@dataclass(frozen=True)
class Failure:
    """No whole answer. ``message`` is a sentence for people.

    ``may_have_written`` is False only when not one byte of the request left here. ``answered`` says that something
    came back in time; ``status`` and ``body`` are what of it could be read. ``kept_connection_broke`` says that the
    request met a kept-alive connection that the vendor was closing, and nothing came back.
    """

    message: str
    may_have_written: bool
    answered: bool = False
    status: int | None = None
    body: bytes = field(default=b"", repr=False)
    kept_connection_broke: bool = False


class Transport:
    """Exchanges with one vendor. Reads share kept-alive connections; each write has a fresh one of its own.

    ``timeout`` is the total time of a call in seconds, from name resolution to the answer's last byte;
    ``max_answer_bytes`` the most of a decoded body that is accepted, if it holds no more than MOST_CONTAINERS lists and
    objects. Nothing is retried, no redirect followed.
    """

    def __init__(self, *, api_key: str, timeout: float, max_answer_bytes: int) -> None:
        self._api_key = api_key
        self._timeout = timeout
        self._max_answer_bytes = max_answer_bytes
        self._reading = self._session()

    def get(self, url: str, params: Mapping[str, str], seconds: float) -> RawAnswer | Failure:
        """``seconds`` are what is left of the total time of a call that may ask several times."""
        return self._exchange(self._reading, "GET", url, seconds, params=params)

    def post_form(self, url: str, fields: Mapping[str, str]) -> RawAnswer | Failure:
        return self._write(url, data=fields)

    def post_json(self, url: str, fields: Mapping[str, object]) -> RawAnswer | Failure:
        return self._write(url, json=fields)

    def close(self) -> None:
        """Close the kept-alive connections."""
        self._reading.close()

    def _write(self, url: str, **body: Any) -> RawAnswer | Failure:
        with self._session() as session:
            return self._exchange(session, "POST", url, self._timeout, headers={"Connection": "close"}, **body)

    def _session(self) -> requests.Session:
        session = DirectSession()
        # A .netrc would replace the bearer header, and proxies of the environment would see it.
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.update(
            {
                "Authorization": f"Bearer {self._api_key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "numbers-portal",
            }
        )
        for scheme in ("http://", "https://"):
            session.mount(scheme, WatchedAdapter())
        return session

    def _exchange(
        self, session: requests.Session, method: str, url: str, seconds: float, **request: Any
    ) -> RawAnswer | Failure:
        exchange = Exchange(seconds)
        token = current_exchange.set(exchange)
        status: int | None = None
        body = bytearray()
        try:
            with session.request(
                method, url, stream=True, allow_redirects=False, timeout=seconds, **request
            ) as response:
                exchange.headers_arrived()
                status = response.status_code
                self._read_into(body, response)
        except Exception as error:
            # Whatever the libraries raise, what was written decides; a narrower list could lose a purchase.
            return self._failure(exchange, error, status, bytes(body))
        finally:
            current_exchange.reset(token)
        if len(body) > self._max_answer_bytes:
            message = f"Callcap's answer was longer than {self._max_answer_bytes:,} bytes; reading was stopped."
            return Failure(message, exchange.may_have_written, True, status, bytes(body))
        if body.count(b"{") + body.count(b"[") > MOST_CONTAINERS:
            message = f"Callcap's answer held more than {MOST_CONTAINERS:,} lists and objects; it was not read."
            return Failure(message, exchange.may_have_written, True, status, bytes(body))
        if not exchange.may_have_written:
            # Somebody talked before being asked; that answers nothing.
            message = "The connection to Callcap broke before anything was sent."
            return Failure(message, False, True, status, bytes(body))
        return RawAnswer(status, bytes(body), response.headers.get("Retry-After", ""))

    def _read_into(self, body: bytearray, response: requests.Response) -> None:
        """Read the decoded body, stopping once it is too long. What was read stays when the connection breaks."""
        while len(body) <= self._max_answer_bytes:
            # read1 hands over what has arrived; read would lose it when the rest does not come.
            chunk = response.raw.read1(CHUNK_BYTES, decode_content=True)
            if not chunk:
                return
            body += chunk

    def _failure(self, exchange: Exchange, error: Exception, status: int | None, body: bytes) -> Failure:
        sentence = self._sentence_written if exchange.may_have_written else self._sentence_unsent
        return Failure(
            sentence(exchange, error),
            exchange.may_have_written,
            exchange.anything_received and not exchange.expired,
            status,
            body,
            exchange.used_kept_connection and not exchange.anything_received and not exchange.expired,
        )

    def _sentence_unsent(self, exchange: Exchange, error: Exception) -> str:
        if exchange.expired:
            return f"Callcap could not be reached within {self._timeout:g} seconds. Nothing was sent."
        reasons = {
            Stage.PREPARE: f"The request to Callcap could not be put together ({type(error).__name__})",
            Stage.RESOLVE: "Callcap's address could not be found",
            Stage.CONNECT: "Callcap could not be reached",
            Stage.SECURE: "No secure connection to Callcap could be made",
            Stage.TALK: "The connection to Callcap broke at once",
        }
        return f"{reasons[exchange.stage]}. Nothing was sent."

    def _sentence_written(self, exchange: Exchange, error: Exception) -> str:
        if exchange.expired:
            return f"Callcap did not answer in full within {self._timeout:g} seconds."
        if exchange.headers_too_long:
            return f"The headers of Callcap's answer were longer than {HEADER_BYTES:,} bytes; reading was stopped."
        if exchange.anything_received:
            return f"Callcap's answer broke off or was no valid HTTP ({type(error).__name__})."
        return f"Callcap closed the connection without an answer ({type(error).__name__})."
