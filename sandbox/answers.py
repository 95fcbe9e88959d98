"""The shapes of the vendor's answers: success, and errors that are always JSON."""

from collections.abc import Callable, Mapping

from django.http import HttpRequest, JsonResponse


class VendorError(Exception):
    """A call that is refused, with the HTTP status and the sentence that the caller gets."""

    def __init__(self, message: str, http_status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.http_status = http_status


STATUS_WORDS = {400: "error", 401: "unauthorized", 403: "forbidden", 404: "not found", 405: "error", 409: "conflict"}


def success(body: Mapping[str, object]) -> JsonResponse:
    """A 200 whose top-level `status` says success."""
    return JsonResponse({"status": "success", **body})


def answered(answer: Callable[[], Mapping[str, object]]) -> JsonResponse:
    """The success that `answer` returns, or the refusal that it raises."""
    try:
        return success(answer())
    except VendorError as problem:
        return error(problem.message, problem.http_status)


def error(message: str, http_status: int) -> JsonResponse:
    """An error as documented: `{"status": "...", "message": "..."}`."""
    word = STATUS_WORDS.get(http_status, "error")
    return JsonResponse({"status": word, "message": message}, status=http_status)


def unauthorized() -> JsonResponse:
    """The documented 401, with its challenge."""
    response = error("Your key is invalid", 401)
    response.headers["WWW-Authenticate"] = 'Bearer realm="https://api.callcap.com/v2/"'
    return response


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """An address that the vendor does not have."""
    return error("The requested resource did not exist.", 404)


def server_error(request: HttpRequest) -> JsonResponse:
    """A mistake in the sandbox itself."""
    return error("Something went wrong in the sandbox; its log says what.", 500)
