"""The vendor's world. Nothing here knows Django or the rest of the portal."""

from . import vanity
from .client import CallcapClient
from .errors import (
    CallcapError,
    CallcapRateLimited,
    CallcapRefused,
    CallcapUnauthorized,
    CallcapUnreachable,
    CallcapUnreadable,
)
from .outcomes import KEY_REFUSED_STATUSES, NOT_OURS_STATUS, UNPROCESSED_STATUSES
from .schemas import (
    PROVISION_FIELDS,
    TIME_ZONES,
    UPDATE_FIELDS,
    AccountNode,
    AvailableNumber,
    Outcome,
    SearchAnswer,
    SearchCriteria,
    WriteAnswer,
    WriteValue,
    WriteValues,
    snake_name,
    wire_name,
)

__all__ = [
    "KEY_REFUSED_STATUSES",
    "NOT_OURS_STATUS",
    "PROVISION_FIELDS",
    "TIME_ZONES",
    "UNPROCESSED_STATUSES",
    "UPDATE_FIELDS",
    "AccountNode",
    "AvailableNumber",
    "CallcapClient",
    "CallcapError",
    "CallcapRateLimited",
    "CallcapRefused",
    "CallcapUnauthorized",
    "CallcapUnreachable",
    "CallcapUnreadable",
    "Outcome",
    "SearchAnswer",
    "SearchCriteria",
    "WriteAnswer",
    "WriteValue",
    "WriteValues",
    "snake_name",
    "vanity",
    "wire_name",
]
