"""The vendor's documented endpoints."""

import functools
import time
from collections.abc import Callable, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare

from sandbox import campaigns, search
from sandbox.accounts import describe_account, list_corporates
from sandbox.answers import VendorError, answered, error, unauthorized
from sandbox.faults import KINDS, Call, armed_fault
from sandbox.faults.refusals import MOVED
from sandbox.parameters import Params, body_params, query_params, ten_digits

type Answer = Mapping[str, object]


def numbers(request: HttpRequest) -> HttpResponseBase:
    """`/v3/numbers/`: GET searches, POST provisions."""
    if request.method == "GET":
        return _serve(request, "search", "fullNumber", lambda params: {"numbers": search.search(params)})
    if request.method == "POST":
        return _serve(request, "provision", "phoneNumber", campaigns.provision)
    return error("Only GET and POST are allowed here.", 405)


def number(request: HttpRequest, number: str) -> HttpResponseBase:
    """POST `/v3/numbers/:phonenumber` updates a campaign."""
    if request.method != "POST":
        return error("Only POST is allowed here.", 405)
    return _serve(request, "update", number, functools.partial(campaigns.update, number))


def accounts(request: HttpRequest) -> HttpResponseBase:
    """GET `/v2/get/accounts/`: the Corporates, or one account with its children."""
    if request.method != "GET":
        return error("Only GET is allowed here.", 405)
    return _serve(request, "accounts", "", _accounts)


def _accounts(params: Params) -> Answer:
    kind, account_id = params.get("account_type"), params.get("account_id")
    if kind is None and account_id is None:
        return list_corporates()
    if kind is None or account_id is None:
        raise VendorError("account_type and account_id must be sent together.")
    return describe_account(kind, account_id)


def _serve(request: HttpRequest, target: str, about: str, answer: Callable[[Params], Answer]) -> HttpResponseBase:
    """Check the key, meet an armed fault if there is one, and answer.

    `about` is the number that the call is about, or the parameter that names it.
    """
    time.sleep(settings.SANDBOX_LATENCY)
    if not _key_is_valid(request):
        return unauthorized()
    try:
        params = query_params(request) if request.method == "GET" else body_params(request)
    except VendorError as problem:
        return error(problem.message, problem.http_status)

    def carry_out() -> HttpResponse:
        return answered(lambda: answer(params))

    call = Call(target, ten_digits(params.get(about, about)), params, request, carry_out)
    fault = None if request.path.startswith(f"/{MOVED}") else armed_fault(call)
    return KINDS[fault.kind].run(call, fault) if fault else carry_out()


def _key_is_valid(request: HttpRequest) -> bool:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    known = [candidate for candidate in settings.SANDBOX_API_KEYS if constant_time_compare(candidate, key)]
    return scheme.lower() == "bearer" and bool(known)
