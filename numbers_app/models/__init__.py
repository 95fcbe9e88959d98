"""The portal's data. Only services write it."""

from .accounts import Account, Grant
from .batches import ORDER_KINDS, Batch, BatchKind, BatchRow, BatchStatus, RowState
from .campaigns import RUN_ON, TEN_DIGITS, Campaign, Evaluation, NumberType
from .history import (
    GENESIS_HASH,
    NUMBER_VERBS,
    Checkpoint,
    HistoryEntry,
    Source,
    Verb,
    VerificationResult,
)
from .inventory import Inventory, MediaType, StopReminder
from .notifications import MailState, Notification, NotificationKind
from .orders import (
    CHANGES_A_NUMBER,
    OPEN,
    SENDS_WHAT_IS_SET,
    UNSETTLED,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Choice,
    Order,
    OrderKind,
    OrderStatus,
)
from .samples import AuditSample, SampledEntry, SampleScope, Verdict
from .saved_views import SavedView
from .security import SecurityEvent, SecurityEventKind
from .switch import SendingScope, SendingSwitch
from .users import User
from .vendor import Breaker, KeptSearch, RateGate
from .watches import Watch

__all__ = [
    "CHANGES_A_NUMBER",
    "GENESIS_HASH",
    "NUMBER_VERBS",
    "OPEN",
    "ORDER_KINDS",
    "RUN_ON",
    "SENDS_WHAT_IS_SET",
    "TEN_DIGITS",
    "UNSETTLED",
    "Account",
    "Attempt",
    "AttemptKind",
    "AttemptOutcome",
    "AuditSample",
    "Batch",
    "BatchKind",
    "BatchRow",
    "BatchStatus",
    "Breaker",
    "Campaign",
    "Checkpoint",
    "Choice",
    "Evaluation",
    "Grant",
    "HistoryEntry",
    "Inventory",
    "KeptSearch",
    "MailState",
    "MediaType",
    "Notification",
    "NotificationKind",
    "NumberType",
    "Order",
    "OrderKind",
    "OrderStatus",
    "RateGate",
    "RowState",
    "SampleScope",
    "SampledEntry",
    "SavedView",
    "SecurityEvent",
    "SecurityEventKind",
    "SendingScope",
    "SendingSwitch",
    "Source",
    "StopReminder",
    "User",
    "Verb",
    "Verdict",
    "VerificationResult",
    "Watch",
]
