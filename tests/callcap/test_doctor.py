"""What the doctor says of vendors of many shapes, over real sockets."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from numbers_app.callcap.doctor import Finding, State, examine

from .conftest import KEY
from .vendor import RawVendor, answer, says, vendor

HERE = ["3165550101", "3165550102"]
LOCATION = {"account_type": "location", "account_id": "3", "account_name": "Shop"}

type Params = dict[str, str]
type Say = Callable[[Params], Any]


def listed(*items: Any) -> Say:
    """The same list whatever is searched for."""
    return lambda params: {"status": "success", "numbers": list(items)}


def by_code(params: Params) -> Any:
    """Two numbers for their area code and by themselves, nothing else."""
    numbers = HERE if params == {"areaCode": "316"} else [params.get("fullNumber")]
    return {"status": "success", "numbers": [{"phoneNumber": number} for number in numbers if number in HERE]}


def tree(params: Params, zone: str = "US/Central") -> Any:
    """One account of each kind."""
    kind, child = params.get("account_type"), None
    info: Any = {"account_type": kind, "account_id": params.get("account_id"), "account_name": "Above"}
    if kind is None:
        info, child = "Corporates", {"account_type": "corporate", "account_id": "1", "account_name": "Top"}
    elif kind == "corporate":
        child = {"account_type": "division", "account_id": "2", "account_name": "Middle"}
    elif kind == "division":
        child = LOCATION
    else:
        info["systemTimezone"] = zone
    return {"status": "success", "info": info, "children": [child] if child else []}


@contextmanager
def callcap(search: Say, accounts: Say = tree, **options: Any) -> Iterator[RawVendor]:
    """A Callcap that answers searches and accounts with what these say: an object, or an answer's bytes."""

    def script(connected: socket.socket) -> None:
        target = urlsplit(to.requests[-1].split(b" ")[1].decode())
        said = (accounts if "accounts" in target.path else search)(dict(parse_qsl(target.query)))
        connected.sendall(said if isinstance(said, bytes) else answer(json.dumps(said)))

    with vendor(script, keep_alive=True, **options) as to:
        yield to


def examined(url: str, **options: Any) -> dict[str, Finding]:
    settings = {"api_key": KEY, "timeout": 2, "max_answer_bytes": 1_000_000, "area_code": "316"} | options
    return {finding.subject: finding for finding in examine(base_url=url, **settings)}


def found(search: Say, accounts: Say = tree) -> dict[str, Finding]:
    with callcap(search, accounts) as to:
        return examined(to.url)


# --- the way there -------------------------------------------------------------------------------------------------


def test_name_that_cannot_be_found() -> None:
    told = examined("https://callcap.invalid")
    assert told["Reachability"].state == State.UNREACHED
    assert "callcap.invalid could not be found" in told["Reachability"].sentence
    assert told["Key"].state == State.UNTOLD


def test_port_that_takes_no_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told = examined(f"http://127.0.0.1:{port}")["Reachability"]
    assert (told.state, told.sentence) == (
        State.UNREACHED,
        f"127.0.0.1, port {port}, takes no connections (ConnectionRefusedError).",
    )


def test_certificate_that_nobody_vouches_for(certificate: tuple[Path, ssl.SSLContext]) -> None:
    with callcap(by_code, tls=certificate[1]) as to:
        told = examined(to.url)
        assert to.requests == []
    assert told["Reachability"].state == State.HOLDS
    assert told["TLS"].state == State.UNREACHED
    assert "The certificate is not valid: self-signed certificate" in told["TLS"].sentence


def test_certificate_that_soon_expires(
    certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate[0]))
    with callcap(by_code, tls=certificate[1]) as to:
        told = examined(to.url)
    assert (told["TLS"].state, told["TLS"].sentence) == (State.FAILS, "The certificate is valid. Days left: 1.")
    assert told["Address"].sentence == f"https to 127.0.0.1, port {to.port}."
    assert told["Key"].state == State.HOLDS


def test_handshake_that_is_none() -> None:
    with vendor(says(), greeting=lambda connected: says(b"220 mail.example\r\n")(connected) or True) as to:
        told = examined(to.url.replace("http:", "https:"))
    assert told["TLS"].state == State.UNREACHED


@pytest.mark.parametrize("url", ["ftp://callcap.example", "https://callcap.example/?key=1", "nonsense"])
def test_address_that_is_none(url: str) -> None:
    [only] = examine(base_url=url, api_key=KEY, timeout=2, max_answer_bytes=1000, area_code="316")
    assert only.state == State.FAILS
    assert "must look like https://api.callcap.com" in only.sentence


# --- the key -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "sentence", "search"),
    [
        (401, "The key is wrong or was revoked.", State.UNTOLD),
        (403, "The key is known, but may not read accounts.", State.HOLDS),
    ],
)
def test_key_that_is_wrong_and_one_that_may_not_are_told_apart(status: int, sentence: str, search: State) -> None:
    refusal = answer('{"status": "unauthorized", "message": "No."}', status)
    told = found(by_code, lambda params: refusal)
    assert told["Key"].sentence == f"{sentence} Callcap answered with status {status}: No."
    assert (told["Key"].state, told["Key"].change) == (State.FAILS, "CALLCAP_API_KEY in the environment")
    assert told["Search"].state == search


def test_key_stands_in_nothing_that_is_said() -> None:
    def echo(params: Params) -> Any:
        return {"status": "success", "numbers": [{"phoneNumber": HERE[0], KEY: KEY}, {"did": KEY}, KEY]}

    def refuse(params: Params) -> Any:
        return answer(json.dumps({"status": "error", "message": f"Bad {KEY}"}), 400)

    for search, accounts in ((echo, lambda params: tree(params, zone=KEY)), (refuse, tree), (echo, refuse)):
        told = found(search, accounts)
        assert KEY not in repr(told)
        assert "[key]" in repr(told)


# --- accounts ------------------------------------------------------------------------------------------------------


def test_tree_is_counted() -> None:
    told = found(by_code)
    assert told["Account tree"].sentence == "Corporates: 1, Divisions: 1, Locations: 1."
    assert told["Time zones"].sentence == "1 of 1 Locations told theirs."


def test_zone_that_is_not_known() -> None:
    told = found(by_code, lambda params: tree(params, zone="US/Samoa"))["Time zones"]
    assert (told.state, told.change) == (State.FAILS, "TIME_ZONES in numbers_app/callcap/schemas.py")
    assert "Not known here: US/Samoa." in told.sentence


def test_tree_that_cannot_be_read() -> None:
    told = found(by_code, lambda params: {"status": "success", "children": [{"id": 1}]})
    assert told["Account tree"].state == State.FAILS
    assert (told["Time zones"].state, told["Search"].state) == (State.UNTOLD, State.HOLDS)


# --- shapes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"data": {"numbers": [{"phone_number": "+1 (316) 555-0101"}]}}, "A list under data.numbers, of objects, the"),
        ({"results": HERE}, "A list under results, of bare values."),
        ({"data": [{"fullNumber": HERE[0]}, HERE[1]]}, "of objects and others, the number under fullNumber."),
    ],
)
def test_shape_that_the_portal_understands(said: dict[str, Any], sentence: str) -> None:
    told = found(lambda params: {"status": "success"} | said)["Shape of a search answer"]
    assert told.state == State.HOLDS
    assert sentence in told.sentence


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"status": "success", "phones": HERE}, "without a list of numbers. Found instead: phones, status."),
        ({"numbers": HERE}, "Callcap answered with status 200: without a word."),
        (answer("<html>Hello</html>"), "Callcap answered with status 200: no valid JSON."),
        (answer('{"status": "success", "status": "success"}'), "JSON with a name given twice"),
        (answer('{"status": "error", "message": "Oh"}', 500), "Callcap answered with status 500: Oh."),
    ],
)
def test_shape_that_it_does_not_understand(said: Any, sentence: str) -> None:
    told = found(lambda params: said)
    for subject in ("Search", "Shape of a search answer"):
        assert told[subject].state == State.FAILS
        assert sentence in told[subject].sentence
        assert "numbers_app/callcap/reading.py" in told[subject].change
    assert told["Vanity wildcards"].state == State.UNTOLD


def test_items_that_cannot_be_read_are_counted_and_one_is_shown() -> None:
    told = found(listed({"phoneNumber": HERE[0]}, {"did": "3165550102"}, 12))["Items of a search answer"]
    assert (told.state, told.change) == (
        State.FAILS,
        "NUMBER_NAMES and ten_digits in numbers_app/callcap/reading.py",
    )
    assert told.sentence == '2 of 3 could not be read, such as {"did": "3165550102"}.'


def test_list_of_which_nothing_can_be_read_still_has_a_shape() -> None:
    told = found(listed({"did": "3165550102"}))
    assert told["Shape of a search answer"].sentence == "A list under numbers, of objects."
    assert told["Items of a search answer"].state == State.FAILS
    assert told["Flags and booleans"].state == told["Whole number"].state == State.UNTOLD


def test_fields_are_listed_with_those_that_nobody_uses_and_words_that_nobody_knows() -> None:
    item = {"phoneNumber": HERE[0], "city": "Wichita", "type": "geographic", "price": 3}
    told = found(listed(item))["Fields of a number"]
    assert told.state == State.FAILS
    assert told.sentence == (
        "Read: number, type, city. Not given: pool, country, state, rate_center, zipcode. Not used: price. "
        "With words not understood: type."
    )


# --- filters -------------------------------------------------------------------------------------------------------


def test_nothing_found_may_be_a_404() -> None:
    def search(params: Params) -> Any:
        nothing = answer('{"status": "error", "message": "Nothing to say"}', 404)
        return nothing if params.get("fullNumber") == "2002002000" else by_code(params)

    told = found(search)["Nothing found"]
    assert told.state == State.HOLDS
    assert "a 404, which is read as nothing found" in told.sentence


def test_nothing_found_that_is_a_refusal() -> None:
    def search(params: Params) -> Any:
        return answer('{"status": "error"}', 400) if "fullNumber" in params else by_code(params)

    told = found(search)["Nothing found"]
    assert (told.state, told.change) == (
        State.FAILS,
        "CallcapClient._search in numbers_app/callcap/client.py",
    )


def test_vendor_that_ignores_every_filter() -> None:
    told = found(listed(*({"phoneNumber": number, "city": "Wichita"} for number in (*HERE, "3165550203"))))
    failing = {subject for subject, finding in told.items() if finding.state == State.FAILS}
    assert failing == {"Nothing found", "Flags and booleans", "Whole number", "Vanity wildcards"}


def test_filter_by_text_that_minds_capitals() -> None:
    def search(params: Params) -> Any:
        items = [{"phoneNumber": HERE[0], "city": "Wichita"}] if params.get("city", "wichita") == "wichita" else []
        return {"status": "success", "numbers": items}

    told = found(search)["Text filters"]
    assert (told.state, told.sentence) == (
        State.FAILS,
        "Wichita in small letters finds other numbers than in capitals.",
    )


@pytest.mark.parametrize(
    ("size", "state"), [(1000, State.HOLDS), (1001, State.FAILS), (100, State.FAILS), (99, State.UNTOLD)]
)
def test_length_at_which_lists_are_cut_off(size: int, state: State) -> None:
    numbers = [f"316555{last:04d}" for last in range(size)]
    assert found(listed(*numbers))["Cut-off lists"].state == state


# --- no answer -----------------------------------------------------------------------------------------------------


def test_pause_that_callcap_asks_for() -> None:
    told = found(lambda params: answer("{}", 429, Retry_After="7"))["Search"]
    assert told.state == State.UNREACHED
    assert "Wait 7 seconds and run this again." in told.sentence


def test_vendor_that_falls_silent() -> None:
    def search(params: Params) -> Any:
        time.sleep(0.6)
        return by_code(params)

    with callcap(search) as to:
        told = examined(to.url, timeout=0.3)
    assert (told["Key"].state, told["Search"].state) == (State.HOLDS, State.UNREACHED)
    assert told["Search"].sentence == "Callcap did not answer in full within 0.3 seconds."


def test_wide_search_that_takes_too_long_hides_nothing_else() -> None:
    def search(params: Params) -> Any:
        if params == {"showTollfree": "true"}:
            time.sleep(0.8)
        return by_code(params)

    with callcap(search) as to:
        told = examined(to.url, timeout=0.4)
    assert (told["Search"].state, told["Whole number"].state) == (State.HOLDS, State.HOLDS)
    assert told["Cut-off lists"].state == State.UNREACHED


def test_nothing_but_reading_is_ever_asked() -> None:
    with callcap(by_code) as to:
        examined(to.url)
    assert {request.split(b" ")[0] for request in to.requests} == {b"GET"}
    assert len(to.requests) < 25
