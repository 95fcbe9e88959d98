"""Kinds that carry the call out (but for one) and then say something else than what was done.

A call that the sandbox refuses keeps its refusal wherever only the body of a success would be changed.
"""

import gzip
import json
from collections.abc import Callable, Iterator

from django.db import transaction
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from sandbox.answers import error
from sandbox.faults.arming import WRITES, Call, kind
from sandbox.faults.refusals import TROUBLE, maintenance_page
from sandbox.models import Fault, Number

type Json = dict[str, object]

BLOCK = b" " * 2**20  # white space before JSON means nothing, and a caller has to swallow it all the same
BLOCKS = 100
PROOF = ("status", "phoneNumber")


@kind("500_after_commit", "the call is carried out, but the answer is 500", on=WRITES, commits="yes")
def fail_after_commit(call: Call, fault: Fault) -> HttpResponse:
    """Stumble after the work was done."""
    call.carry_out()
    return error(TROUBLE["500"], 500)


@kind("html_after_commit", "the call is carried out, but the answer is an HTML page", on=WRITES, commits="yes")
def answer_html_after_commit(call: Call, fault: Fault) -> HttpResponse:
    """Lose the answer in a gateway that shows a page of its own."""
    call.carry_out()
    return maintenance_page()


@kind("other_number", "a success that names another number, although nothing is done", on=WRITES, commits="no")
def name_other_number(call: Call, fault: Fault) -> HttpResponse:
    """Claim a success that never was: what the call would do is done and taken back."""
    with transaction.atomic():
        response = call.carry_out()
        transaction.set_rollback(True)
    return _changed(response, _name_other)


@kind(
    "other_number_after_commit",
    "the call is carried out, but the answer names another number",
    on=WRITES,
    commits="yes",
)
def name_other_number_after_commit(call: Call, fault: Fault) -> HttpResponse:
    """Do what was asked and say that it was done to another number."""
    return _changed(call.carry_out(), _name_other)


@kind("no_number", "the call is carried out, but the success names no number", on=WRITES, commits="yes")
def name_no_number(call: Call, fault: Fault) -> HttpResponse:
    """Do what was asked without saying to which number."""
    return _changed(call.carry_out(), _without_number)


@kind("wrong_content_type", "the call is carried out; the right JSON comes as text/plain", commits="yes")
def mislabel(call: Call, fault: Fault) -> HttpResponse:
    """Say nothing wrong, under a wrong label."""
    response = call.carry_out()
    response.headers["Content-Type"] = "text/plain"
    return response


@kind("duplicate_keys", "the call is carried out; the JSON says success and, under the same key, error", commits="yes")
def contradict(call: Call, fault: Fault) -> HttpResponse:
    """Say two things at once; parsers choose differently."""
    return _rewritten(
        call, lambda text: text.replace('"status": "success"', '"status": "success", "status": "error"', 1)
    )


@kind("nan", "the call is carried out; the JSON holds a NaN, which JSON does not know", commits="yes")
def answer_nan(call: Call, fault: Fault) -> HttpResponse:
    """Write a number as only some parsers read it."""
    return _rewritten(call, lambda text: text.removesuffix("}") + ', "monthlyFee": NaN}')


@kind("nul", "the call is carried out; every text of the success ends with a NUL character", commits="yes")
def answer_nul(call: Call, fault: Fault) -> HttpResponse:
    """Answer with a character that PostgreSQL does not store."""
    return _changed(call.carry_out(), lambda body: _with_suffix(body, "\0"))


@kind("surrogate", "the call is carried out; every text of the success ends with a lone surrogate", commits="yes")
def answer_surrogate(call: Call, fault: Fault) -> HttpResponse:
    """Answer with half a character, which UTF-8 cannot carry."""
    return _changed(call.carry_out(), lambda body: _with_suffix(body, "\ud800"))


@kind("huge", "the call is carried out; 100 MB of white space come before the JSON, without a length", commits="yes")
def answer_huge(call: Call, fault: Fault) -> HttpResponseBase:
    """Bury the answer under more than anybody should read."""
    response = call.carry_out()
    content = response.content

    def parts() -> Iterator[bytes]:
        for _ in range(BLOCKS):
            yield BLOCK
        yield content

    return StreamingHttpResponse(parts(), status=response.status_code, content_type="application/json")


@kind("gzip_bomb", "the call is carried out; the JSON comes compressed, unasked, and unpacks to 100 MB", commits="yes")
def answer_gzip_bomb(call: Call, fault: Fault) -> HttpResponse:
    """Hide the same in an answer of a hundred kilobytes."""
    response = call.carry_out()
    # gzip files may be joined, so the padding is compressed once and repeated.
    response.content = gzip.compress(BLOCK) * BLOCKS + gzip.compress(response.content)
    response.headers["Content-Encoding"] = "gzip"
    return response


def _changed(response: HttpResponse, change: Callable[[Json], object]) -> HttpResponse:
    """A success with its body changed; a refusal as it is."""
    if response.status_code != 200:
        return response
    return JsonResponse(change(json.loads(response.content)))


def _rewritten(call: Call, change: Callable[[str], str]) -> HttpResponse:
    """A success with its JSON text changed, which no serializer would write; a refusal as it is."""
    response = call.carry_out()
    if response.status_code == 200:
        response.content = change(response.text).encode()
    return response


def _name_other(body: Json) -> Json:
    """The next number that can still be bought in place of the right one: the likeliest mistake."""
    right = body["phoneNumber"]
    free = Number.objects.filter(taken=False).exclude(number=right).order_by("number").values_list("number", flat=True)
    return {**body, "phoneNumber": free.filter(number__gt=right).first() or free.first()}


def _without_number(body: Json) -> Json:
    """The body without the number, also where it stands in for the name of a campaign."""
    return {name: value for name, value in body.items() if value != body["phoneNumber"]}


def _with_suffix(value: object, suffix: str) -> object:
    """The suffix after every text, except those that make a success of this number out of the answer."""
    if isinstance(value, str):
        return value + suffix
    if isinstance(value, list):
        return [_with_suffix(item, suffix) for item in value]
    if isinstance(value, dict):
        return {key: item if key in PROOF else _with_suffix(item, suffix) for key, item in value.items()}
    return value
