"""Repeating a read that did not come through. Writes are never repeated here."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from .reading import retry_after_seconds
from .transport import Failure, RawAnswer

# Before the second and the third try.
PAUSES_SECONDS = (0.1, 0.3)
_PASSING_TROUBLE = (429, 502, 503, 504)


def ask_again(
    ask: Callable[[float], RawAnswer | Failure], *, seconds: float, turn: Callable[[float], bool]
) -> RawAnswer | Failure:
    """What ``ask`` brings, at most three times, within ``seconds`` in total; it is given the seconds that are left.

    It is asked again after a connection that could not be made or was being closed, and after 429, 502, 503 and 504,
    with the pause that the answer asks for, if it does. What the last try brought is returned. ``turn`` waits until
    one more call may be made, at most so many seconds, and says whether it may.
    """
    ends = time.monotonic() + seconds
    raw = ask(seconds)
    for pause in PAUSES_SECONDS:
        wait = _pause_before_repeating(raw, pause)
        if wait is None or time.monotonic() + wait >= ends:
            break
        time.sleep(wait)
        if not turn(ends - time.monotonic()):
            break
        left = ends - time.monotonic()
        if left <= 0:
            break
        raw = ask(left)
    return raw


def _pause_before_repeating(raw: RawAnswer | Failure, pause: float) -> float | None:
    """Seconds to wait before asking again; None when asking again makes no sense."""
    # Many callers that failed together must not come back together.
    jittered = pause * random.uniform(0.5, 1.5)  # noqa: S311
    if isinstance(raw, Failure):
        return None if raw.may_have_written and not raw.kept_connection_broke else jittered
    if raw.status not in _PASSING_TROUBLE:
        return None
    return max(retry_after_seconds(raw.retry_after), jittered) if raw.retry_after else jittered
