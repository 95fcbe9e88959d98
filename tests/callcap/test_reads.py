"""Searches and account look-ups: what each answer is read as, and which error each failure becomes."""

import json
import socket
from typing import Any

import pytest

from numbers_app.callcap import (
    AccountNode,
    AvailableNumber,
    CallcapClient,
    CallcapError,
    CallcapRateLimited,
    CallcapRefused,
    CallcapUnauthorized,
    CallcapUnreachable,
    CallcapUnreadable,
    SearchAnswer,
    SearchCriteria,
)

from .conftest import KEY, MakeClient
from .vendor import answer, drips, says, vendor

NUMBER, OTHER = "3167342253", "3165550199"


def success(**fields: Any) -> bytes:
    return answer(json.dumps({"status": "success"} | fields))


def search(make_client: MakeClient, *pieces: bytes, **options: float) -> SearchAnswer:
    with vendor(says(*pieces)) as to:
        return make_client(to.url, **options).search(SearchCriteria(area_code="316"))


def failure(make_client: MakeClient, *pieces: bytes, **options: float) -> CallcapError:
    with pytest.raises(CallcapError) as caught:
        search(make_client, *pieces, **options)
    assert KEY not in repr(caught.value)
    return caught.value


def test_the_request_is_as_documented(make_client: MakeClient) -> None:
    with vendor(says(success(numbers=[]))) as to:
        make_client(to.url + "/").search(SearchCriteria(vanity_text="###cake", show_tollfree=False))
        head = to.requests[0].decode()
    assert head.startswith("GET /v3/numbers/?showTollfree=false&vanityText=%23%23%23cake HTTP/1.1\r\n")
    assert "Accept: application/json\r\n" in head
    assert f"Authorization: Bearer {KEY}\r\n" in head


def test_surroundings_change_nothing(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with vendor(says(success(numbers=[]))) as to:
        make_client(to.url).search(SearchCriteria())
        assert f"Authorization: Bearer {KEY}\r\n".encode() in to.requests[0]


def test_reads_share_a_connection_and_keep_no_cookies(make_client: MakeClient) -> None:
    whole = answer('{"status": "success", "numbers": []}', Set_Cookie="session=1; path=/")
    with vendor(says(whole), keep_alive=True) as to:
        client = make_client(to.url)
        for _ in range(3):
            client.search(SearchCriteria())
        assert (len(to.requests), to.connections) == (3, 1)
        assert not any(b"Cookie" in request for request in to.requests)
        client.close()


class TestSearch:
    def test_items_of_every_shape(self, make_client: MakeClient) -> None:
        found = search(
            make_client,
            success(
                numbers=[
                    NUMBER,
                    {"phoneNumber": "+1 316-555-0199", "type": "Toll-Free", "rateCenter": "WICHITA"},
                    {
                        "number": 3165550198,
                        "numberType": "local",
                        "pool": "Reserved",
                        "zip": "67202",
                        "city": None,
                    },
                    {
                        "fullNumber": "(316) 555-0197",
                        "rate_center": "X",
                        "type": "fancy",
                        "pool": 3,
                        "state": True,
                    },
                    NUMBER,
                ]
            ),
        )
        assert found == SearchAnswer(
            numbers=(
                AvailableNumber(number=NUMBER),
                AvailableNumber(number=OTHER, number_type="tollfree", rate_center="WICHITA"),
                AvailableNumber(number="3165550198", number_type="local", pool="reserved", zipcode="67202"),
                AvailableNumber(number="3165550197", rate_center="X"),
            )
        )

    @pytest.mark.parametrize("zipcodes", [[1, True], [True, 1], ["1", 1], [["1"], 1], [{}, "{}"]])
    def test_what_one_item_says_is_not_taken_for_what_another_says(
        self, make_client: MakeClient, zipcodes: list[Any]
    ) -> None:
        items = [{"number": number, "zip": given} for number, given in zip((NUMBER, OTHER), zipcodes, strict=True)]
        alone = [search(make_client, success(numbers=[item])).numbers[0] for item in items]
        assert list(search(make_client, success(numbers=items)).numbers) == alone

    @pytest.mark.parametrize(
        "fields",
        [
            {"numbers": [NUMBER]},
            {"results": [NUMBER]},
            {"data": [NUMBER]},
            {"data": {"numbers": [NUMBER]}},
            {"numbers": {"data": [NUMBER]}},
            {"numbers": {"total": 1}, "results": [NUMBER]},
        ],
    )
    def test_list_under_every_likely_name(self, make_client: MakeClient, fields: dict[str, Any]) -> None:
        assert search(make_client, success(**fields)).numbers == (AvailableNumber(number=NUMBER),)

    def test_unreadable_items_are_counted(self, make_client: MakeClient) -> None:
        items = [
            None,
            True,
            3.5,
            "n/a",
            "31673422531",
            "٣١٦٧٣٤٢٢٥٣",
            {},
            {"phoneNumber": None},
            [NUMBER],
            NUMBER,
        ]
        found = search(make_client, success(numbers=items))
        assert (len(found.numbers), found.skipped, found.capped) == (1, 9, False)

    def test_long_lists_look_capped(self, make_client: MakeClient) -> None:
        assert search(make_client, success(numbers=[str(3165550000 + n) for n in range(1000)])).capped
        assert not search(make_client, success(numbers=[str(3165550000 + n) for n in range(999)])).capped

    def test_404_means_that_nothing_matched(self, make_client: MakeClient) -> None:
        body = '{"status": "error", "message": "Nothing to say"}'
        assert search(make_client, answer(body, 404)) == SearchAnswer(numbers=())

    def test_404_of_some_web_server_is_not_an_empty_search(self, make_client: MakeClient) -> None:
        assert isinstance(failure(make_client, answer("<html>", 404)), CallcapUnreadable)

    def test_no_list_is_an_error_that_names_what_was_found(self, make_client: MakeClient) -> None:
        problem = failure(make_client, success(info="hello", numbers=None))
        assert isinstance(problem, CallcapUnreadable)
        assert problem.message == ("Callcap answered without a list of numbers. Found instead: info, numbers, status.")
        assert '"hello"' in problem.excerpt

    def test_hostile_text_is_made_harmless(self, make_client: MakeClient) -> None:
        found = search(make_client, success(numbers=[{"number": NUMBER, "city": "W\x00\ud800" + "x" * 999}]))
        assert found.numbers[0].city == ("W\\x00\\ud800" + "x" * 999)[:200]


class TestFailures:
    @pytest.mark.parametrize("status", [401, 403])
    def test_key_not_accepted(self, make_client: MakeClient, status: int) -> None:
        body = '{"status": "unauthorized", "message": "Your key is invalid"}'
        problem = failure(make_client, answer(body, status))
        assert isinstance(problem, CallcapUnauthorized)
        assert (problem.http_status, problem.vendor_message) == (status, "Your key is invalid")
        assert problem.permanent
        assert "Your key is invalid" in problem.message

    def test_key_not_accepted_without_json(self, make_client: MakeClient) -> None:
        assert isinstance(failure(make_client, answer("<html>", 403)), CallcapUnauthorized)

    @pytest.mark.parametrize("body", ['{"status": "error", "message": "Slow down"}', "<html>"])
    def test_rate_limit(self, make_client: MakeClient, body: str) -> None:
        problem = failure(make_client, answer(body, 429, Retry_After="12"))
        assert isinstance(problem, CallcapRateLimited)
        assert (problem.retry_after, problem.permanent) == (12, False)

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({"status": "error", "message": "areaCode is invalid"}, "areaCode is invalid"),
            ({"status": "error", "message": "", "error": "bad"}, "bad"),
            ({"status": "error", "errors": [{"line": "short"}]}, '[{"line": "short"}]'),
            ({"status": "failed"}, "failed"),
        ],
    )
    @pytest.mark.parametrize("status", [200, 400])
    def test_refusal_in_the_vendors_words(
        self, make_client: MakeClient, body: dict[str, Any], words: str, status: int
    ) -> None:
        problem = failure(make_client, answer(json.dumps(body), status))
        assert isinstance(problem, CallcapRefused)
        assert (problem.vendor_message, problem.message) == (words, f"Callcap refused: {words}")
        assert problem.permanent

    @pytest.mark.parametrize(
        "piece",
        [
            answer("<html>It works</html>"),
            answer("{}"),
            answer("[]"),
            answer("{}", 400),
            answer('{"status": "error"}', 408),
            answer('{"status": "success", "numbers": []}', 201),
            answer("", 302, Location="http://127.0.0.1:1/"),
            answer('{"status": "error"}', 500),
            answer("Bad gateway", 502),
            answer('{"status": "success", "numbers": []}', Content_Length="500"),
            answer('{"status": "success", "numbers": ['),
            answer('{"status": "success", "status": "success", "numbers": []}'),
            answer(b" " * 2_000_000),
            b"garbage",
        ],
    )
    def test_unreadable(self, make_client: MakeClient, piece: bytes) -> None:
        problem = failure(make_client, piece)
        assert isinstance(problem, CallcapUnreadable)
        assert not problem.permanent

    def test_hung_up(self, make_client: MakeClient) -> None:
        problem = failure(make_client)
        assert isinstance(problem, CallcapUnreachable)
        assert (problem.http_status, problem.excerpt) == (None, "")

    def test_refused_connection(self, make_client: MakeClient) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(CallcapUnreachable, match="could not be reached"):
            make_client(f"http://127.0.0.1:{port}").search(SearchCriteria())

    def test_dripping_answer_meets_the_deadline(self, make_client: MakeClient) -> None:
        with vendor(drips(success(numbers=[]))) as to:
            with pytest.raises(CallcapUnreachable, match=r"within 0\.3 seconds"):
                make_client(to.url, timeout=0.3).search(SearchCriteria())
            assert len(to.requests) == 1


class TestFindNumber:
    def find(self, make_client: MakeClient, whole: bytes, account: str = "") -> tuple[AvailableNumber | None, str]:
        with vendor(says(whole)) as to:
            found = make_client(to.url).find_number(NUMBER, account)
            return found, to.requests[0].decode().split(" ")[1]

    def test_asks_both_pools_of_the_account(self, make_client: MakeClient) -> None:
        found, target = self.find(make_client, success(numbers=[{"number": NUMBER, "pool": "reserved"}]), "L-3")
        assert found == AvailableNumber(number=NUMBER, pool="reserved")
        expected = "account=L-3&showPublicPool=true&showReservedPool=true&fullNumber=3167342253"
        assert target == f"/v3/numbers/?{expected}"

    def test_without_account_only_the_public_pool_can_be_asked(self, make_client: MakeClient) -> None:
        found, target = self.find(make_client, success(numbers=[NUMBER]))
        assert found is not None
        assert target == "/v3/numbers/?showPublicPool=true&fullNumber=3167342253"

    @pytest.mark.parametrize("whole", [success(numbers=[]), answer('{"status": "error"}', 404)])
    def test_none_when_it_is_not_offered(self, make_client: MakeClient, whole: bytes) -> None:
        assert self.find(make_client, whole)[0] is None

    @pytest.mark.parametrize("items", [[OTHER], [{"tel": NUMBER}]])
    def test_an_answer_that_leaves_it_open_is_no_evidence(self, make_client: MakeClient, items: list[Any]) -> None:
        with pytest.raises(CallcapUnreadable, match="leaves open whether 3167342253 is available"):
            self.find(make_client, success(numbers=items))


class TestAccounts:
    def test_corporates(self, make_client: MakeClient) -> None:
        children = [
            {"account_type": "corporate", "account_name": "Alder", "account_id": 1},
            {"account_type": "Corporate", "account_id": "C-2"},
        ]
        with vendor(says(success(info="All accounts", children=children))) as to:
            found = make_client(to.url).corporates()
            assert to.requests[0].startswith(b"GET /v2/get/accounts/ HTTP/1.1\r\n")
        assert found == (
            AccountNode("C-1", "corporate", 1, "Alder"),
            AccountNode("C-2", "corporate", 2, "C-2"),
        )

    def describe(
        self, make_client: MakeClient, kind: str, **fields: Any
    ) -> tuple[AccountNode, tuple[AccountNode, ...]]:
        with vendor(says(success(**fields))) as to:
            return make_client(to.url).describe_account(kind, 15)

    def test_division_and_its_locations(self, make_client: MakeClient) -> None:
        node, children = self.describe(
            make_client,
            "division",
            info={
                "account_type": "division",
                "account_name": "Plains",
                "account_id": "15",
                "parent": {"account_type": "corporate", "account_id": 1, "account_name": "Alder"},
            },
            children=[{"account_name": "Wichita", "account_id": 3, "systemTimezone": "US/Central"}],
        )
        assert node == AccountNode("D-15", "division", 15, "Plains", "C-1")
        assert children == (AccountNode("L-3", "location", 3, "Wichita", "D-15", "America/Chicago"),)

    @pytest.mark.parametrize(
        ("vendors", "iana"),
        [
            ("US/Hawaii", "Pacific/Honolulu"),
            ("US/Alaska", "America/Anchorage"),
            ("US/Pacific", "America/Los_Angeles"),
            ("US/Mountain", "America/Denver"),
            ("Canada/Atlantic", "America/Halifax"),
            ("US/Central", "America/Chicago"),
            ("US/Eastern", "America/New_York"),
            ("Mars/Olympus", ""),
            (None, ""),
        ],
    )
    def test_location_and_its_zone(self, make_client: MakeClient, vendors: str | None, iana: str) -> None:
        info = {"account_type": "location", "account_id": 15, "systemTimezone": vendors, "parent": None}
        node, children = self.describe(make_client, "location", info=info)
        assert (node.key, node.time_zone, node.parent_key, children) == ("L-15", iana, "", ())

    @pytest.mark.parametrize(
        "info",
        [
            "All accounts",
            None,
            {"account_type": "division", "account_id": 16},
            {"account_type": "location", "account_id": 15},
            {"account_type": "galaxy", "account_id": 15},
            {"account_type": "division", "account_id": "L-15"},
            {"account_type": "division", "account_id": "٣"},
        ],
    )
    def test_description_of_something_else(self, make_client: MakeClient, info: object) -> None:
        with pytest.raises(CallcapUnreadable, match="did not describe the division 15"):
            self.describe(make_client, "division", info=info, children=[])

    @pytest.mark.parametrize("children", [None, {}, "none", [None], [{"account_name": "Nameless"}]])
    def test_no_child_is_silently_left_out(self, make_client: MakeClient, children: object) -> None:
        info = {"account_type": "division", "account_id": 15}
        with pytest.raises(CallcapUnreadable, match="list of accounts") as caught:
            self.describe(make_client, "division", info=info, children=children)
        assert caught.value.excerpt

    def test_unknown_account_is_refused(self, make_client: MakeClient) -> None:
        whole = answer('{"status": "error", "message": "No such account"}', 404)
        with vendor(says(whole)) as to, pytest.raises(CallcapRefused, match="No such account"):
            make_client(to.url).describe_account("location", 15)


class TestNonsenseArguments:
    @pytest.mark.parametrize(
        "options",
        [
            {"base_url": ""},
            {"base_url": "api.callcap.com"},
            {"base_url": "ftp://api.callcap.com"},
            {"base_url": "https://"},
            {"base_url": "https://user:secret@api.callcap.com"},
            {"base_url": "https://api.callcap.com/?a=b"},
            {"base_url": "https://api.callcap.com/#a"},
            {"api_key": ""},
            {"api_key": "secret with space"},
            {"api_key": "secret\r\nX: y"},
            {"api_key": "sécret"},
            {"timeout": 0},
            {"timeout": float("nan")},
            {"timeout": float("inf")},
            {"max_answer_bytes": 0},
            {"post_encoding": "xml"},
        ],
    )
    def test_client(self, make_client: MakeClient, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"\.$") as caught:
            make_client(**({"base_url": "https://api.callcap.com"} | options))
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("number", ["", "316734225", "(316) 734-2253", "316734225/", "٣١٦٧٣٤٢٢٥٣", "3167342253\n"])
    def test_numbers(self, make_client: MakeClient, number: str) -> None:
        client: CallcapClient = make_client("http://127.0.0.1:1")
        for call in (
            lambda: client.find_number(number),
            lambda: client.provision(number, "L-3", {}),
            lambda: client.update(number, {}),
        ):
            with pytest.raises(ValueError, match="ten digits"):
                call()
