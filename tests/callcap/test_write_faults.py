"""What a purchase comes to when the vendor or the network misbehaves: one request at most, and the honest outcome."""

import contextlib
import gzip
import json
import queue
import socket
import ssl
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from numbers_app.callcap import Outcome, SearchCriteria, WriteAnswer
from numbers_app.callcap.connections import Exchange, WatchedSocket, current_exchange
from numbers_app.callcap.schemas import WriteValue

from .conftest import KEY, MakeClient
from .vendor import RawVendor, answer, drips, says, vendor

NUMBER, OTHER = "3167342253", "3165550199"
VALUES: dict[str, WriteValue] = {"destination": "3164447896", "recording": True}
BOUGHT = json.dumps({"status": "success", "phoneNumber": NUMBER, "campaignID": 77})
REFUSAL = json.dumps({"status": "error", "message": "No longer available"})


def buy(make_client: MakeClient, to: RawVendor, **options: float) -> WriteAnswer:
    """Buys the number and makes sure that the request arrived exactly once, on one connection."""
    written = make_client(to.url, **options).provision(NUMBER, "L-3", VALUES)
    assert len(to.requests) == 1
    assert to.connections == 1
    assert KEY not in repr(written)
    return written


def bought_from(make_client: MakeClient, *pieces: bytes, **options: float) -> WriteAnswer:
    with vendor(says(*pieces)) as to:
        return buy(make_client, to, **options)


@contextlib.contextmanager
def silent_address(host: str, port: int) -> Iterator[int]:
    """A port that lets connections wait for ever: its queue is full."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind((host, port))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield full.getsockname()[1]


def test_success_naming_the_number_is_applied(make_client: MakeClient) -> None:
    written = bought_from(make_client, answer(BOUGHT))
    assert written == WriteAnswer(Outcome.APPLIED, 200, "success", BOUGHT, NUMBER, "77", None)


def test_the_request_is_as_documented(make_client: MakeClient) -> None:
    with vendor(says(answer(BOUGHT))) as to:
        buy(make_client, to)
        head, _, body = to.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v3/numbers/ HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}".encode() in head
    assert b"Connection: close" in head
    assert body == b"phoneNumber=3167342253&account=L-3&destination=3164447896&recording=true"


def test_json_bodies_carry_real_booleans(make_client: MakeClient) -> None:
    with vendor(says(answer(BOUGHT))) as to:
        make_client(to.url, post_encoding="json").provision(NUMBER, "L-3", VALUES)
        head, _, body = to.requests[0].partition(b"\r\n\r\n")
    assert b"Content-Type: application/json" in head
    expected = {"phoneNumber": NUMBER, "account": "L-3", "destination": "3164447896", "recording": True}
    assert json.loads(body) == expected


def test_a_write_has_a_connection_of_its_own(make_client: MakeClient) -> None:
    with vendor(says(answer('{"status": "success", "numbers": []}')), keep_alive=True) as to:
        client = make_client(to.url)
        client.search(SearchCriteria())
        client.update(NUMBER, {})
        client.update(NUMBER, {})
        client.search(SearchCriteria())
        client.close()
        assert (len(to.requests), to.connections) == (4, 3)


class TestNotSent:
    """Not one byte of the request was written."""

    def test_plain_connection_closed_before_the_first_byte(self) -> None:
        ours, theirs = socket.socketpair()
        exchange = Exchange(5)
        token = current_exchange.set(exchange)
        with ours, theirs:
            ours.shutdown(socket.SHUT_WR)
            with pytest.raises(BrokenPipeError):
                WatchedSocket(ours).sendall(b"POST")
            assert not exchange.may_have_written
        current_exchange.reset(token)

    def test_connection_refused(self, make_client: MakeClient) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        written = make_client(f"http://127.0.0.1:{port}").provision(NUMBER, "L-3", VALUES)
        assert (written.outcome, written.http_status) == (Outcome.NOT_SENT, None)
        assert written.message == "Callcap could not be reached. Nothing was sent."

    def test_name_does_not_resolve(self, make_client: MakeClient) -> None:
        written = make_client("http://callcap.invalid").provision(NUMBER, "L-3", VALUES)
        assert written.outcome is Outcome.NOT_SENT
        assert written.message == "Callcap's address could not be found. Nothing was sent."

    def test_name_without_an_address(self, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
        written = make_client("http://callcap.invalid").provision(NUMBER, "L-3", VALUES)
        assert written.outcome is Outcome.NOT_SENT

    def test_resolver_hangs(self, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
        held: queue.SimpleQueue[None] = queue.SimpleQueue()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: held.get(timeout=5))
        started = time.monotonic()
        written = make_client("http://callcap.invalid", timeout=0.3).provision(NUMBER, "L-3", VALUES)
        held.put(None)
        assert time.monotonic() - started < 4
        assert written.outcome is Outcome.NOT_SENT

    def test_connect_times_out(self, make_client: MakeClient) -> None:
        with silent_address("127.0.0.1", 0) as port:
            started = time.monotonic()
            written = make_client(f"http://127.0.0.1:{port}", timeout=0.4).provision(NUMBER, "L-3", VALUES)
            assert 0.3 < time.monotonic() - started < 4
        assert written.outcome is Outcome.NOT_SENT
        assert "within 0.4 seconds" in written.message

    def test_a_silent_address_leaves_time_for_the_next(
        self, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = socket.getaddrinfo

        def two(host: str, port: int, *rest: int, **options: int) -> list[tuple[object, ...]]:
            if host != "callcap.invalid":
                return [*real(host, port, *rest, **options)]
            found = real("127.0.0.1", port, *rest, **options)
            return [(*found[0][:4], ("127.0.0.2", port)), *found]

        with vendor(says(answer(BOUGHT))) as to, silent_address("127.0.0.2", to.port):
            monkeypatch.setattr(socket, "getaddrinfo", two)
            client = make_client(f"http://callcap.invalid:{to.port}", timeout=1)
            assert client.provision(NUMBER, "L-3", VALUES).outcome is Outcome.APPLIED

    def test_certificate_is_not_trusted(
        self, make_client: MakeClient, certificate: tuple[Path, ssl.SSLContext]
    ) -> None:
        with vendor(says(answer(BOUGHT)), tls=certificate[1]) as to:
            written = make_client(to.url).provision(NUMBER, "L-3", VALUES)
            assert to.requests == []
        assert written.outcome is Outcome.NOT_SENT
        assert written.message == "No secure connection to Callcap could be made. Nothing was sent."

    def test_handshake_is_no_handshake(self, make_client: MakeClient) -> None:
        with vendor(says(), greeting=lambda c: says(b"220 mail.example\r\n")(c) or True) as to:
            written = make_client(to.url.replace("http:", "https:")).provision(NUMBER, "L-3", VALUES)
        assert written.outcome is Outcome.NOT_SENT

    def test_handshake_drips(self, make_client: MakeClient) -> None:
        # The start of a TLS record that announces 16 KB, one byte at a time.
        with vendor(lambda _: None, greeting=lambda c: drips(b"\x16\x03\x03\x40\x00" + b"\x02" * 60)(c) or True) as to:
            started = time.monotonic()
            client = make_client(to.url.replace("http:", "https:"), timeout=0.5)
            written = client.provision(NUMBER, "L-3", VALUES)
            assert time.monotonic() - started < 3
        assert written.outcome is Outcome.NOT_SENT

    def test_text_that_cannot_be_encoded(self, make_client: MakeClient) -> None:
        with vendor(says(answer(BOUGHT))) as to:
            written = make_client(to.url).provision(NUMBER, "L-3", {"notes": "\ud800"})
            assert to.connections == 0
        assert written.outcome is Outcome.NOT_SENT


class TestUnknown:
    """Something of the request was written and no definite answer came."""

    @pytest.mark.parametrize(
        "pieces",
        [
            pytest.param((), id="dropped without a byte"),
            pytest.param((b"HTTP/1.1 200",), id="dropped in the status line"),
            pytest.param((b"HTTP/1.1 200 OK\r\nContent-Len",), id="dropped in the headers"),
            pytest.param((b"SSH-2.0-OpenSSH_9\r\n",), id="not HTTP"),
            pytest.param((answer(BOUGHT, Content_Length="9999"),), id="truncated with length"),
            pytest.param((answer(BOUGHT[:-9], length=False),), id="truncated without length"),
            pytest.param((answer("400\r\n" + BOUGHT, Transfer_Encoding="chunked"),), id="truncated in a chunk"),
            pytest.param((answer("zz\r\n" + BOUGHT, Transfer_Encoding="chunked"),), id="chunk without a size"),
            pytest.param((answer(b"\x1f\x8bnonsense", Content_Encoding="gzip"),), id="broken gzip"),
            pytest.param((answer(gzip.compress(BOUGHT.encode())[:-20], Content_Encoding="gzip"),), id="half gzip"),
            pytest.param((answer("<html>It works</html>", Content_Type="text/html"),), id="HTML"),
            pytest.param((answer(""),), id="empty"),
            pytest.param((answer("[]"),), id="a list"),
            pytest.param((answer('"success"'),), id="a string"),
            pytest.param((answer("{}"),), id="no status"),
            pytest.param((answer('{"status": null}'),), id="null status"),
            pytest.param((answer(f'{{"status": true, "phoneNumber": "{NUMBER}"}}'),), id="status that is no text"),
            pytest.param((answer('{"status": "error", "status": "success"}'),), id="duplicate names"),
            pytest.param((answer('{"status": "success", "price": NaN}'),), id="NaN"),
            pytest.param((answer('{"status": "success", "price": -Infinity}'),), id="infinity"),
            pytest.param((answer('{"status": "success", "price": 1e999}'),), id="too large a number"),
            pytest.param((answer('{"a":' * 100_000),), id="nested without end"),
            pytest.param((answer(b'{"status": "success", "notes": "\xff"}'),), id="not UTF-8"),
            pytest.param((answer('{"status": "success"}'),), id="no number named"),
            pytest.param((answer('{"status": "success", "phoneNumber": null}'),), id="null named"),
            pytest.param((answer('{"status": "success", "phoneNumber": "call us"}'),), id="unreadable number named"),
            pytest.param((answer(BOUGHT, 201),), id="201"),
            pytest.param((answer(BOUGHT, 202),), id="202"),
            pytest.param((b"HTTP/1.1 204 No Content\r\n\r\n",), id="204"),
            pytest.param((answer(REFUSAL, 408),), id="408"),
            pytest.param((answer(REFUSAL, 500),), id="500"),
            pytest.param((answer(REFUSAL, 502),), id="502"),
            pytest.param((answer("<html>", 503),), id="503"),
            pytest.param((answer(REFUSAL, 504),), id="504"),
            pytest.param((answer("<html>", 400),), id="400 without JSON"),
            pytest.param((answer("<html>", 404),), id="404 without JSON"),
            pytest.param((answer("busy", 429, Retry_After="5"),), id="429 without JSON"),
            pytest.param((answer("[]", 400),), id="400 with a list"),
            pytest.param((answer(BOUGHT, 600),), id="600"),
            pytest.param((answer(BOUGHT, 304),), id="304"),
        ],
    )
    def test_no_definite_answer(self, make_client: MakeClient, pieces: tuple[bytes, ...]) -> None:
        written = bought_from(make_client, *pieces)
        assert written.outcome is Outcome.UNKNOWN
        assert written.message
        assert written.retry_after is None

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect_is_not_followed(self, make_client: MakeClient, status: int) -> None:
        with vendor(says(answer(BOUGHT))) as elsewhere:
            with vendor(says(answer("", status, Location=f"{elsewhere.url}/v3/numbers/"))) as to:
                written = buy(make_client, to)
            assert elsewhere.connections == 0
        assert (written.outcome, written.http_status) == (Outcome.UNKNOWN, status)

    def test_redirect_to_nonsense(self, make_client: MakeClient) -> None:
        written = bought_from(make_client, answer("", 307, Location="http://[::1"))
        assert (written.outcome, written.http_status) == (Outcome.UNKNOWN, 307)

    def test_another_number_is_named(self, make_client: MakeClient) -> None:
        written = bought_from(make_client, answer(BOUGHT.replace(NUMBER, OTHER)))
        assert (written.outcome, written.named_number) == (Outcome.UNKNOWN, OTHER)
        assert OTHER in written.message
        assert NUMBER in written.message
        assert written.campaign_id == "77"

    def test_no_number_is_named(self, make_client: MakeClient) -> None:
        written = bought_from(make_client, answer('{"status": "success", "campaign_id": "c9"}'))
        assert (written.outcome, written.named_number, written.campaign_id) == (Outcome.UNKNOWN, "", "c9")
        assert written.message == "Callcap reported success without naming the number."

    def test_silence_until_the_deadline(self, make_client: MakeClient) -> None:
        with vendor(says(answer(BOUGHT), pause=2)) as to:
            started = time.monotonic()
            written = buy(make_client, to, timeout=0.4)
            assert time.monotonic() - started < 1.8
        assert (written.outcome, written.http_status) == (Outcome.UNKNOWN, None)
        assert written.message == "Callcap did not answer in full within 0.4 seconds."

    def test_headers_drip(self, make_client: MakeClient) -> None:
        with vendor(drips(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 10)) as to:
            started = time.monotonic()
            written = buy(make_client, to, timeout=0.5)
            assert time.monotonic() - started < 4
        assert (written.outcome, written.http_status) == (Outcome.UNKNOWN, None)

    def test_body_drips(self, make_client: MakeClient) -> None:
        def script(connected: socket.socket) -> None:
            whole = answer(BOUGHT)
            says(whole[: -len(BOUGHT)])(connected)
            drips(whole[-len(BOUGHT) :])(connected)

        with vendor(script) as to:
            started = time.monotonic()
            written = buy(make_client, to, timeout=0.5)
            assert time.monotonic() - started < 3
        assert (written.outcome, written.http_status) == (Outcome.UNKNOWN, 200)
        assert BOUGHT.startswith(written.excerpt)
        assert written.excerpt

    def test_endless_interim_answers(self, make_client: MakeClient) -> None:
        def script(connected: socket.socket) -> None:
            while True:
                connected.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

        with vendor(script) as to:
            assert buy(make_client, to, timeout=2).outcome is Outcome.UNKNOWN

    def test_headers_without_end(self, make_client: MakeClient) -> None:
        with vendor(says(b"HTTP/1.1 200 OK\r\n", *[b"X-Pad: " + b"x" * 8000 + b"\r\n"] * 20)) as to:
            written = buy(make_client, to)
        assert written.outcome is Outcome.UNKNOWN
        assert "headers" in written.message

    @pytest.mark.parametrize("status", [200, 400, 307])
    def test_huge_answer_is_stopped(self, make_client: MakeClient, status: int) -> None:
        padding = b" " * 1_000_000

        def script(connected: socket.socket) -> None:
            connected.sendall(answer(BOUGHT, status, length=False, Location="/"))
            for _ in range(200):
                connected.sendall(padding)

        with vendor(script) as to:
            written = buy(make_client, to, max_answer_bytes=100_000)
        assert (written.outcome, written.http_status) == (Outcome.UNKNOWN, status)
        assert written.message == "Callcap's answer was longer than 100,000 bytes; reading was stopped."
        assert written.excerpt.startswith(BOUGHT)

    @pytest.mark.parametrize("status", [200, 307])
    def test_gzip_bomb_stops_early(self, make_client: MakeClient, status: int) -> None:
        bomb = gzip.compress(b" " * 200_000_000, 1)
        whole = answer(bomb, status, Content_Encoding="gzip", Location="/")
        with vendor(says(whole)) as to:
            tracemalloc.start()
            written = buy(make_client, to, max_answer_bytes=1_000_000)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert (written.outcome, written.http_status) == (Outcome.UNKNOWN, status)
        assert peak < 20_000_000

    def test_dropped_while_the_request_is_written(self, make_client: MakeClient) -> None:
        def hang_up(connected: socket.socket) -> bool:
            connected.recv(10)
            return True

        with vendor(says(), greeting=hang_up) as to:
            written = make_client(to.url).provision(NUMBER, "L-3", {"notes": "n" * 8_000_000})
            assert to.connections == 1
        assert written.outcome is Outcome.UNKNOWN

    def test_vendor_stops_reading(self, make_client: MakeClient) -> None:
        with vendor(says(), greeting=lambda c: not time.sleep(4)) as to:  # type: ignore[func-returns-value]
            started = time.monotonic()
            written = make_client(to.url, timeout=1).provision(NUMBER, "L-3", {"notes": "n" * 20_000_000})
            assert time.monotonic() - started < 3.8
        assert written.outcome is Outcome.UNKNOWN

    def test_secure_connection_breaks_while_writing(
        self,
        make_client: MakeClient,
        certificate: tuple[Path, ssl.SSLContext],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def broken(self: ssl.SSLSocket, data: bytes) -> int:
            raise ssl.SSLError("Broken somewhere in a record")

        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate[0]))
        with vendor(says(), tls=certificate[1]) as to:
            client = make_client(to.url)
            monkeypatch.setattr(ssl.SSLSocket, "send", broken)
            assert client.provision(NUMBER, "L-3", VALUES).outcome is Outcome.UNKNOWN

    def test_secure_connection_breaks_after_the_request(
        self,
        make_client: MakeClient,
        certificate: tuple[Path, ssl.SSLContext],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate[0]))
        with vendor(says(), tls=certificate[1]) as to:
            written = buy(make_client, to)
        assert written.outcome is Outcome.UNKNOWN

    def test_answer_before_the_question_is_none(self, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(self: object, data: bytes) -> None:
            raise BrokenPipeError

        monkeypatch.setattr("numbers_app.callcap.connections.WatchedSocket.sendall", broken)
        with vendor(says(), greeting=lambda c: says(answer(REFUSAL, 400))(c) or True) as to:
            written = make_client(to.url).provision(NUMBER, "L-3", VALUES)
        assert written.outcome is Outcome.NOT_SENT


class TestRefused:
    """The vendor's definite no."""

    @pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 409, 422, 499])
    def test_the_vendors_words_are_kept(self, make_client: MakeClient, status: int) -> None:
        written = bought_from(make_client, answer(REFUSAL, status))
        assert written == WriteAnswer(Outcome.REFUSED, status, "No longer available", REFUSAL)

    def test_without_words(self, make_client: MakeClient) -> None:
        written = bought_from(make_client, answer("{}", 400))
        assert written.outcome is Outcome.REFUSED
        assert written.message == "Callcap refused with status 400 and gave no reason."

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            (None, 30),
            ("", 30),
            ("7", 7),
            ("0", 1),
            ("2.5", 2.5),
            ("86400", 300),
            ("-5", 30),
            ("soon", 30),
            ("9" * 50, 30),
            ("1e3", 30),
            ("nan", 30),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 30),
            ("Wed, 21 Oct 2099 07:28:00 GMT", 300),
            ("Wed, 21 Oct 2099 07:28:00", 30),
        ],
    )
    def test_rate_limit(self, make_client: MakeClient, header: str | None, seconds: float) -> None:
        whole = answer(REFUSAL, 429) if header is None else answer(REFUSAL, 429, Retry_After=header)
        written = bought_from(make_client, whole)
        assert (written.outcome, written.http_status, written.retry_after) == (Outcome.REFUSED, 429, seconds)


class TestApplied:
    @pytest.mark.parametrize(
        "body",
        [
            {"phone_number": "+1 (316) 734-2253"},
            {"number": int(NUMBER)},
            {"fullNumber": "1-316-734-2253"},
            {"data": {"phoneNumber": NUMBER}},
            {"numbers": [{"number": NUMBER}]},
            {"number": {"phoneNumber": NUMBER}},
            {"campaign": {"phoneNumber": NUMBER, "campaignID": 5}, "extra": [1, None]},
        ],
    )
    def test_number_under_any_likely_name(self, make_client: MakeClient, body: dict[str, object]) -> None:
        written = bought_from(make_client, answer(json.dumps({"status": "success"} | body)))
        assert (written.outcome, written.named_number) == (Outcome.APPLIED, NUMBER)

    @pytest.mark.parametrize(
        "whole",
        [
            answer(BOUGHT, Content_Type="text/html"),
            answer(BOUGHT, length=False),
            answer(gzip.compress(BOUGHT.encode()), Content_Encoding="gzip"),
            answer(f"{len(BOUGHT):x}\r\n{BOUGHT}\r\n0\r\n\r\n", Transfer_Encoding="chunked"),
            answer("\ufeff" + BOUGHT),
            b"HTTP/1.1 100 Continue\r\n\r\n" + answer(BOUGHT),
        ],
        ids=["wrong content type", "no length", "gzip", "chunked", "byte order mark", "100 first"],
    )
    def test_however_it_is_packed(self, make_client: MakeClient, whole: bytes) -> None:
        assert bought_from(make_client, whole).outcome is Outcome.APPLIED

    def test_nul_and_lone_surrogates_survive(self, make_client: MakeClient) -> None:
        body = BOUGHT.replace("}", ', "message": "a\\u0000b\\ud800c\\u202e"}')
        written = bought_from(make_client, answer(body))
        assert written.outcome is Outcome.APPLIED
        assert written.message == "a\\x00b\\ud800c\\u202e"
        assert written.excerpt == body

    def test_raw_nul_is_unreadable_and_kept(self, make_client: MakeClient) -> None:
        written = bought_from(make_client, answer(b'{"status": "success\x00"}\xff\xc3\xa9'))
        assert written.outcome is Outcome.UNKNOWN
        assert written.excerpt == '{"status": "success\\x00"}\\xff\\xe9'

    def test_over_tls(
        self,
        make_client: MakeClient,
        certificate: tuple[Path, ssl.SSLContext],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate[0]))
        with vendor(says(answer(BOUGHT)), tls=certificate[1]) as to:
            assert buy(make_client, to).outcome is Outcome.APPLIED


class TestUpdate:
    def update(self, make_client: MakeClient, body: str, status: int = 200) -> WriteAnswer:
        with vendor(says(answer(body, status))) as to:
            written = make_client(to.url).update(NUMBER, {"notes": "", "stop_date": "2099-01-01"})
            assert len(to.requests) == 1
            assert to.requests[0].startswith(b"POST /v3/numbers/3167342253 HTTP/1.1\r\n")
            assert to.requests[0].endswith(b"\r\n\r\nnotes=&stopDate=2099-01-01")
        return written

    def test_success_need_not_name_the_number(self, make_client: MakeClient) -> None:
        assert self.update(make_client, '{"status": "success"}').outcome is Outcome.APPLIED

    def test_success_for_another_number_is_unknown(self, make_client: MakeClient) -> None:
        written = self.update(make_client, BOUGHT.replace(NUMBER, OTHER))
        assert (written.outcome, written.named_number) == (Outcome.UNKNOWN, OTHER)

    def test_not_ours_is_refused(self, make_client: MakeClient) -> None:
        written = self.update(make_client, '{"status": "error", "message": "Not found"}', 404)
        assert (written.outcome, written.http_status) == (Outcome.REFUSED, 404)


class TestFirstMatch:
    def buy(self, make_client: MakeClient, body: dict[str, object]) -> WriteAnswer:
        criteria = SearchCriteria(area_code="316", account="L-9")
        with vendor(says(answer(json.dumps({"status": "success"} | body)))) as to:
            written = make_client(to.url).provision_first_match(criteria, "L-3", {"brand": "", "offer": "x"})
            assert to.requests[0].endswith(b"\r\n\r\nareaCode=316&account=L-3&offer=x")
        return written

    def test_any_number_will_do(self, make_client: MakeClient) -> None:
        written = self.buy(make_client, {"phoneNumber": OTHER})
        assert (written.outcome, written.named_number) == (Outcome.APPLIED, OTHER)

    def test_two_numbers_are_one_too_many(self, make_client: MakeClient) -> None:
        assert self.buy(make_client, {"phoneNumber": OTHER, "number": NUMBER}).outcome is Outcome.UNKNOWN

    def test_none_is_too_few(self, make_client: MakeClient) -> None:
        assert self.buy(make_client, {}).outcome is Outcome.UNKNOWN


class TestKeyStaysInside:
    @pytest.mark.parametrize(
        "echo", [KEY, KEY.replace("/", "\\/"), KEY.replace("/", "%2F"), KEY.replace("c", "\\u0063")]
    )
    def test_when_the_vendor_echoes_it(self, make_client: MakeClient, echo: str) -> None:
        body = f'{{"status": "error", "message": "Key {echo} is not allowed"}}'
        written = bought_from(make_client, answer(body, 403))
        assert KEY not in written.message
        assert "[key]" in written.message
        assert echo not in written.excerpt or "\\u" in echo

    def test_when_the_echo_is_cut_off(self, make_client: MakeClient) -> None:
        written = bought_from(make_client, answer(f"you sent {KEY[:-2]}", Content_Length="999"))
        assert written.excerpt == "you sent [key]"

    def test_in_the_clients_repr(self, make_client: MakeClient) -> None:
        assert repr(make_client("http://127.0.0.1:1/")) == "CallcapClient(http://127.0.0.1:1)"
