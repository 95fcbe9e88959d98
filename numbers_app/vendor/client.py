"""The client for the vendor that the settings name; one a process, so that its connections are reused."""

from functools import cache

from django.conf import settings

from numbers_app.callcap import CallcapClient

from .rate_gate import retry_turn


@cache
def callcap_client() -> CallcapClient:
    return CallcapClient(
        base_url=settings.CALLCAP_API_URL,
        api_key=settings.CALLCAP_API_KEY,
        timeout=settings.CALLCAP_TIMEOUT,
        post_encoding=settings.CALLCAP_POST_ENCODING,
        max_answer_bytes=settings.CALLCAP_MAX_ANSWER_BYTES,
        retry_turn=retry_turn,
    )
