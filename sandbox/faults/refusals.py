"""Kinds that do nothing and say so, more or less clearly."""

from django.http import HttpResponse

from sandbox.answers import error, unauthorized
from sandbox.faults.arming import Call, kind
from sandbox.models import Fault

# Where redirects lead: the same endpoints once more, where no fault strikes. Who follows is served.
MOVED = "moved/"

TROUBLE = {
    "500": "An unexpected error occurred.",
    "502": "The server behind this one gave no answer.",
    "503": "The service is not available right now.",
    "504": "The server behind this one took too long.",
}


@kind("401", "the key is refused and nothing is done", commits="no")
def refuse_key(call: Call, fault: Fault) -> HttpResponse:
    """Answer as if the key had been revoked."""
    return unauthorized()


@kind("403", "the key may not do this and nothing is done", commits="no")
def forbid(call: Call, fault: Fault) -> HttpResponse:
    """Answer as if the key were good, but not for this."""
    return error("Your key does not allow this.", 403)


@kind("404", "the answer is 404 and nothing is done", commits="no")
def deny_existence(call: Call, fault: Fault) -> HttpResponse:
    """Answer as if the resource did not exist."""
    return error("The requested resource did not exist or did not have anything to say.", 404)


@kind("429", "too many requests, with `retry_after` as the Retry-After header if given; nothing is done", commits="no")
def limit_rate(call: Call, fault: Fault) -> HttpResponse:
    """Answer that there were too many calls."""
    response = error("Too many requests. Please slow down.", 429)
    if fault.retry_after:
        response.headers["Retry-After"] = fault.retry_after
    return response


@kind("504", "504 in JSON, a gateway that waited too long; nothing is done", commits="no")
@kind("503", "503 in JSON, out of service; nothing is done", commits="no")
@kind("502", "502 in JSON, a gateway without an answer; nothing is done", commits="no")
@kind("500", "500 in JSON, a server error; nothing is done", commits="no")
def fail(call: Call, fault: Fault) -> HttpResponse:
    """Answer with a server error."""
    return error(TROUBLE[fault.kind], int(fault.kind))


@kind("308", "a permanent redirect to an address that would carry the call out; nothing is done", commits="no")
@kind("307", "a temporary redirect to an address that would carry the call out; nothing is done", commits="no")
def redirect(call: Call, fault: Fault) -> HttpResponse:
    """Send the caller elsewhere, with the method and the body it has: following is buying."""
    response = error("Please ask at the other address.", int(fault.kind))
    response.headers["Location"] = call.request.build_absolute_uri(f"/{MOVED}{call.request.get_full_path()[1:]}")
    return response


@kind("html", "200 with an HTML page instead of JSON; nothing is done", commits="no")
def answer_html(call: Call, fault: Fault) -> HttpResponse:
    """Answer like a gateway that shows a page of its own."""
    return maintenance_page()


@kind("not_success", "200 with a status other than success; nothing is done", commits="no")
def refuse_with_200(call: Call, fault: Fault) -> HttpResponse:
    """Refuse in the body only."""
    response = error("The call could not be processed.", 400)
    response.status_code = 200
    return response


@kind("nul_refusal", "400 in JSON with a NUL character in its message; nothing is done", commits="no")
def refuse_with_nul(call: Call, fault: Fault) -> HttpResponse:
    """Refuse with a character that PostgreSQL does not store."""
    return error("The value \0 is not valid.", 400)


@kind("surrogate_refusal", "400 in JSON with a lone surrogate in its message; nothing is done", commits="no")
def refuse_with_surrogate(call: Call, fault: Fault) -> HttpResponse:
    """Refuse with half a character, which UTF-8 cannot carry."""
    return error("The value \ud800 is not valid.", 400)


def maintenance_page() -> HttpResponse:
    """What a gateway shows when it has no JSON to show."""
    return HttpResponse("<!doctype html><title>Maintenance</title><h1>We will be back shortly</h1>")
