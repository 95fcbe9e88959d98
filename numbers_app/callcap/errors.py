"""What can go wrong when the vendor is asked something. Writes return a ``WriteAnswer`` instead."""


class CallcapError(Exception):
    """A read that brought nothing back. ``message`` is a sentence for people.

    ``http_status`` is None when there was no answer; ``excerpt`` is the start of the answer, ASCII-escaped, at
    most 2,000 characters and never with the key; ``permanent`` says that trying again unchanged is pointless.
    """

    permanent = False

    def __init__(self, message: str, *, http_status: int | None = None, excerpt: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.http_status = http_status
        self.excerpt = excerpt


class CallcapUnreachable(CallcapError):
    """No answer: name resolution, refused or broken connection, or the deadline passed."""


class CallcapUnreadable(CallcapError):
    """An answer that is not what the vendor documents: HTML, cut off, too large, a redirect, a 5xx."""


class CallcapRefused(CallcapError):
    """The vendor said no in its documented form; ``vendor_message`` are its words."""

    permanent = True

    def __init__(
        self, message: str, *, vendor_message: str = "", http_status: int | None = None, excerpt: str = ""
    ) -> None:
        super().__init__(message, http_status=http_status, excerpt=excerpt)
        self.vendor_message = vendor_message


class CallcapUnauthorized(CallcapRefused):
    """401 or 403: the key is invalid, revoked, or may not do this."""


class CallcapRateLimited(CallcapRefused):
    """429: nothing was processed; ask again after ``retry_after`` seconds, 1 to 300."""

    permanent = False

    def __init__(
        self,
        message: str,
        *,
        retry_after: float = 30.0,
        vendor_message: str = "",
        http_status: int | None = None,
        excerpt: str = "",
    ) -> None:
        super().__init__(message, vendor_message=vendor_message, http_status=http_status, excerpt=excerpt)
        self.retry_after = retry_after
