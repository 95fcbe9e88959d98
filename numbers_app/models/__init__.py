"""The portal's data. Only services write it."""

from .accounts import Account, Grant
from .campaigns import TEN_DIGITS, Campaign, Evaluation, NumberType
from .history import GENESIS_HASH, NUMBER_VERBS, HistoryEntry, Source, Verb
from .orders import (
    OPEN,
    UNSETTLED,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Choice,
    Order,
    OrderKind,
    OrderStatus,
)
from .users import User

__all__ = [
    "GENESIS_HASH",
    "NUMBER_VERBS",
    "OPEN",
    "TEN_DIGITS",
    "UNSETTLED",
    "Account",
    "Attempt",
    "AttemptKind",
    "AttemptOutcome",
    "Campaign",
    "Choice",
    "Evaluation",
    "Grant",
    "HistoryEntry",
    "NumberType",
    "Order",
    "OrderKind",
    "OrderStatus",
    "Source",
    "User",
    "Verb",
]
