"""The vendor's API, one method a documented call.

Pages: callcap.readme.io "Phone Numbers", "Accounts", "Getting started".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Never
from urllib.parse import urlsplit

from .errors import (
    CallcapRateLimited,
    CallcapRefused,
    CallcapUnauthorized,
    CallcapUnreachable,
    CallcapUnreadable,
)
from .evidence import Evidence
from .outcomes import Wanted, read_write
from .reading import (
    NotStrictJson,
    read_account,
    read_children,
    read_search,
    refuses,
    retry_after_seconds,
    strict_object,
    succeeded,
    vendor_words,
)
from .retries import ask_again
from .schemas import (
    PROVISION_FIELDS,
    UPDATE_FIELDS,
    AccountNode,
    AvailableNumber,
    SearchAnswer,
    SearchCriteria,
    WriteAnswer,
    WriteValue,
    wire_text,
    write_values_to_wire,
)
from .transport import RawAnswer, Transport

NUMBERS_PATH = "/v3/numbers/"
ACCOUNTS_PATH = "/v2/get/accounts/"


class CallcapClient:
    """Speaks to one Callcap with one key, from any number of threads.

    Reads raise CallcapError. Writes return a WriteAnswer whatever the vendor or the network does. Both raise
    ValueError for arguments that could never be sent. ``timeout`` is the total time of a call in seconds, repeated
    reads included, ``max_answer_bytes`` the most of a decoded answer that is accepted, ``post_encoding`` ``form`` or
    ``json``; ``retry_turn`` waits at most so many seconds until a read may be repeated, and says whether it may.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        timeout: float,
        post_encoding: str,
        max_answer_bytes: int,
        retry_turn: Callable[[float], bool] = lambda patience: True,
    ) -> None:
        self._base_url = _checked_address(base_url)
        if not re.fullmatch(r"[!-~]+", api_key):
            raise ValueError("The Callcap key must be printable ASCII without spaces.")
        if post_encoding not in ("form", "json"):
            raise ValueError("The encoding of POST bodies is form or json.")
        if not 0 < timeout < float("inf") or max_answer_bytes < 1:
            raise ValueError("The time and the size allowed for an answer must be more than 0.")
        self._post_encoding = post_encoding
        self._timeout = timeout
        self._retry_turn = retry_turn
        self._evidence = Evidence(api_key)
        self._transport = Transport(api_key=api_key, timeout=timeout, max_answer_bytes=max_answer_bytes)

    def __repr__(self) -> str:
        return f"CallcapClient({self._base_url})"

    def search(self, criteria: SearchCriteria) -> SearchAnswer:
        """``GET /v3/numbers/`` ("Phone Numbers", Search). A 404 means that nothing matched."""
        return self._search(criteria)[0]

    def find_number(self, number: str, account: str = "") -> AvailableNumber | None:
        """The number as it is offered now, publicly or from the account's reserved pool; None when it is not.

        The reserved pool can only be asked together with an account, a Location key such as ``L-3``. An answer
        that leaves the question open (unreadable items, only other numbers) raises CallcapUnreadable.
        """
        criteria = SearchCriteria(
            full_number=_checked_number(number),
            account=account,
            show_public_pool=True,
            show_reserved_pool=True if account else None,
        )
        answer, seen = self._search(criteria)
        found = next((offer for offer in answer.numbers if offer.number == number), None)
        if found is None and (answer.numbers or answer.skipped):
            raise CallcapUnreadable(
                f"Callcap's answer leaves open whether {number} is available.", http_status=200, excerpt=seen
            )
        return found

    def provision(self, number: str, account: str, values: Mapping[str, WriteValue]) -> WriteAnswer:
        """``POST /v3/numbers/`` with ``phoneNumber`` ("Phone Numbers", provision). Success charges at once.

        ``account`` is a Location key; blank values are left out, so that the vendor's defaults hold.
        """
        wire = {"phoneNumber": _checked_number(number), "account": account}
        return self._post(NUMBERS_PATH, wire | _provision_wire(values), Wanted(number, must_name=True))

    def provision_first_match(
        self, criteria: SearchCriteria, account: str, values: Mapping[str, WriteValue]
    ) -> WriteAnswer:
        """``POST /v3/numbers/`` with criteria ("Phone Numbers", instant search and provision).

        The vendor picks, so a lost answer leaves no number to ask about: orders never use this. Success must name
        a number.
        """
        wire = criteria.to_wire() | {"account": account}
        return self._post(NUMBERS_PATH, wire | _provision_wire(values), Wanted("", must_name=True))

    def update(self, number: str, values: Mapping[str, WriteValue]) -> WriteAnswer:
        """``POST /v3/numbers/:phonenumber`` ("Phone Numbers", update). Empty information is cleared."""
        wire = write_values_to_wire(values, UPDATE_FIELDS)
        return self._post(NUMBERS_PATH + _checked_number(number), wire, Wanted(number, must_name=False))

    def corporates(self) -> tuple[AccountNode, ...]:
        """``GET /v2/get/accounts/`` without parameters ("Accounts"): the Corporates that the key can see."""
        raw = self._get(ACCOUNTS_PATH, {})
        return read_children(self._success(raw), self._evidence, self._evidence.excerpt(raw.body))

    def describe_account(self, kind: str, callcap_id: int) -> tuple[AccountNode, tuple[AccountNode, ...]]:
        """``GET /v2/get/accounts/`` for one account ("Accounts"): itself and its children."""
        raw = self._get(ACCOUNTS_PATH, {"account_type": kind, "account_id": str(callcap_id)})
        answer, seen = self._success(raw), self._evidence.excerpt(raw.body)
        node = read_account(answer.get("info"), self._evidence, kind=kind)
        if node is None or (node.kind, node.callcap_id) != (kind, callcap_id):
            raise CallcapUnreadable(
                f"Callcap did not describe the {kind} {callcap_id} in a readable way.",
                http_status=raw.status,
                excerpt=seen,
            )
        return node, read_children(answer, self._evidence, seen, node)

    def close(self) -> None:
        """Close the connections that reads keep alive."""
        self._transport.close()

    def _search(self, criteria: SearchCriteria) -> tuple[SearchAnswer, str]:
        raw = self._get(NUMBERS_PATH, criteria.to_wire())
        seen = self._evidence.excerpt(raw.body)
        if raw.status == 404 and _object_or_empty(raw):
            return SearchAnswer(numbers=()), seen
        return read_search(self._success(raw), self._evidence, seen), seen

    def _get(self, path: str, params: dict[str, str]) -> RawAnswer:
        url = self._base_url + path
        raw = ask_again(
            lambda seconds: self._transport.get(url, params, seconds), seconds=self._timeout, turn=self._retry_turn
        )
        if isinstance(raw, RawAnswer):
            return raw
        failed = CallcapUnreadable if raw.answered else CallcapUnreachable
        raise failed(raw.message, http_status=raw.status, excerpt=self._evidence.excerpt(raw.body))

    def _success(self, raw: RawAnswer) -> dict[str, Any]:
        """The answer's object when it is a success; otherwise the error that fits is raised."""
        answer = _object_or_empty(raw)
        if raw.status == 200 and succeeded(answer):
            return answer
        self._raise_refusal(raw, answer)

    def _raise_refusal(self, raw: RawAnswer, answer: dict[str, Any]) -> Never:
        words, seen = vendor_words(answer, self._evidence), self._evidence.excerpt(raw.body)
        if raw.status in (401, 403):
            message = f"Callcap did not accept the portal's key: {words or raw.status}. Tell an administrator."
            raise CallcapUnauthorized(message, vendor_message=words, http_status=raw.status, excerpt=seen)
        if raw.status == 429:
            wait = retry_after_seconds(raw.retry_after)
            message = f"Callcap asks for a pause of {wait:g} seconds."
            raise CallcapRateLimited(message, retry_after=wait, vendor_message=words, http_status=429, excerpt=seen)
        if answer and refuses(raw.status, answer):
            message = f"Callcap refused: {words or f'status {raw.status}, no reason given'}"
            raise CallcapRefused(message, vendor_message=words, http_status=raw.status, excerpt=seen)
        raise CallcapUnreadable(_unreadable_sentence(raw), http_status=raw.status, excerpt=seen)

    def _post(self, path: str, wire: Mapping[str, WriteValue], wanted: Wanted) -> WriteAnswer:
        url = self._base_url + path
        if self._post_encoding == "json":
            raw = self._transport.post_json(url, wire)
        else:
            raw = self._transport.post_form(url, {name: wire_text(value) for name, value in wire.items()})
        return read_write(raw, wanted, self._evidence)


def _provision_wire(values: Mapping[str, WriteValue]) -> dict[str, WriteValue]:
    given = {name: value for name, value in values.items() if value not in ("", None)}
    return write_values_to_wire(given, PROVISION_FIELDS)


def _object_or_empty(raw: RawAnswer) -> dict[str, Any]:
    try:
        return strict_object(raw.body)
    except NotStrictJson:
        return {}


def _unreadable_sentence(raw: RawAnswer) -> str:
    if 300 <= raw.status < 400:
        return f"Callcap's address answered with a redirect (status {raw.status}), which is never followed."
    if raw.status >= 500:
        return f"Callcap has a problem of its own (status {raw.status})."
    return f"Callcap answered with status {raw.status} and nothing readable."


def _checked_address(base_url: str) -> str:
    parts = urlsplit(base_url)
    extras = parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or not parts.hostname or extras:
        raise ValueError("Callcap's address must look like https://api.callcap.com, with nothing after the path.")
    return base_url.rstrip("/")


def _checked_number(number: str) -> str:
    if not re.fullmatch(r"[0-9]{10}", number):
        raise ValueError("A number is sent to Callcap as ten digits.")
    return number
