"""Reading parameters from a query string, a form or a JSON body, into text and typed values."""

import json
import re
from collections.abc import Mapping

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from sandbox.answers import VendorError

Params = Mapping[str, str]

TRUE_WORDS = frozenset({"true", "1", "on", "yes"})
FALSE_WORDS = frozenset({"false", "0", "off", "no"})


def query_params(request: HttpRequest) -> Params:
    """The query string; of a repeated parameter the last one counts."""
    return {name: value for name, value in request.GET.items() if isinstance(value, str)}


def body_params(request: HttpRequest) -> Params:
    """The body of a POST, form-encoded or a JSON object. JSON null means that the parameter was not sent."""
    try:
        if request.content_type == "application/json":
            return _json_params(request.body)
        return {name: value for name, value in request.POST.items() if isinstance(value, str)}
    except SuspiciousOperation as problem:
        raise VendorError("The body is too large.") from problem


def _json_params(body: bytes) -> Params:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError as problem:
        raise VendorError("The body is not valid JSON.") from problem
    if not isinstance(parsed, dict):
        raise VendorError("The body must be a JSON object.")
    return {name: _as_text(name, value) for name, value in parsed.items() if value is not None}


def _as_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise VendorError(f"{name} must be a single value.")


def flag(params: Params, name: str) -> bool | None:
    """A boolean parameter, or None when it was not sent."""
    text = params.get(name)
    if text is None:
        return None
    if text.lower() in TRUE_WORDS:
        return True
    if text.lower() in FALSE_WORDS:
        return False
    raise VendorError(f"{name} must be true or false.")


def digits(params: Params, name: str, length: int) -> str:
    """A parameter of exactly `length` digits, or "" when it was left out or empty."""
    text = params.get(name, "").strip()
    if text and not re.fullmatch(rf"[0-9]{{{length}}}", text):
        raise VendorError(f"{name} must be {length} digits.")
    return text


def ten_digits(text: str) -> str:
    """A North American number in any usual notation as ten digits, or "" when it is none."""
    found = re.sub(r"[\s().+-]", "", text)
    return found[-10:] if re.fullmatch(r"1?[2-9][0-9]{9}", found) else ""
