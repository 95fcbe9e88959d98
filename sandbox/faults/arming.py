"""The register of kinds, and which armed fault a call meets."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from django.conf import settings
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from sandbox.models import Fault
from sandbox.parameters import Params

EVERY_CALL = ("search", "provision", "update", "accounts")
WRITES = ("provision", "update")
TARGETS = (*EVERY_CALL, "any")

# All chance comes from here, so that SANDBOX_SEED can repeat it.
CHANCE = random.Random(settings.SANDBOX_SEED)  # noqa: S311 (chance, not secrecy)


@dataclass(frozen=True)
class Call:
    """A call of the API: which one, about which number ("" if none), and how to carry it out."""

    target: str
    number: str
    params: Params
    request: HttpRequest
    carry_out: Callable[[], HttpResponse]


type FaultFunction = Callable[[Call, Fault], HttpResponseBase]
type Commits = Literal["no", "yes", "late"]


class Kind(NamedTuple):
    """A kind of fault: a sentence for people, the endpoints where it makes sense, and whether the call is done.

    `commits` is "yes" when the call is carried out before the answer, "late" when that happens `seconds` after
    it came in, and "no" when it never is. A call that cannot be carried out commits nothing either way.
    """

    run: FaultFunction
    summary: str
    on: tuple[str, ...]
    commits: Commits


KINDS: dict[str, Kind] = {}


def kind(
    name: str, summary: str, *, on: tuple[str, ...] = EVERY_CALL, commits: Commits
) -> Callable[[FaultFunction], FaultFunction]:
    """Register the decorated function as the fault `name`."""

    def register(function: FaultFunction) -> FaultFunction:
        KINDS[name] = Kind(function, summary, on, commits)
        return function

    return register


def armed_fault(call: Call) -> Fault | None:
    """The oldest armed fault that this call meets. A counted one is used up by exactly one call.

    A fault on any endpoint waits for a call on which its kind makes sense.
    """
    sensible = [name for name, kind in KINDS.items() if call.target in kind.on]
    matching = Fault.objects.filter(
        Q(remaining=None) | Q(remaining__gt=0),
        kind__in=sensible,
        on__in=[call.target, "any"],
        number__in=["", call.number],
    )
    for fault in matching.order_by("pk"):
        if CHANCE.random() >= fault.rate:
            continue
        still_armed = matching.filter(pk=fault.pk)
        if still_armed.update(remaining=F("remaining") - 1, fired=F("fired") + 1) == 1:
            return fault
    return None
