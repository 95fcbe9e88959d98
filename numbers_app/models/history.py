"""The change history: append-only, each entry chained to the one before by its hash."""

from typing import ClassVar

from django.db import models

GENESIS_HASH = "0" * 64


class Verb(models.TextChoices):
    """Everything that can happen and is written down. Closed: the database refuses any other word."""

    ORDER_REQUESTED = "order.requested", "requested"
    ORDER_AMENDED = "order.amended", "amended"
    ORDER_COMMENTED = "order.commented", "commented on"
    ORDER_URGED = "order.urged", "marked as urgent"
    ORDER_APPROVED = "order.approved", "approved"
    ORDER_APPROVAL_UNDONE = "order.approval_undone", "took back the approval of"
    ORDER_REJECTED = "order.rejected", "rejected"
    ORDER_CANCELLED = "order.cancelled", "cancelled"
    ORDER_EXPIRED = "order.expired", "let expire"
    ORDER_SENDING = "order.sending", "sent to Callcap"
    ORDER_POSTPONED = "order.postponed", "postponed"
    ORDER_CHOICE_GONE = "order.choice_gone", "found no longer available"
    ORDER_CHOICE_FOUND = "order.choice_found", "chose a number for"
    ORDER_DONE = "order.done", "completed"
    ORDER_FAILED = "order.failed", "failed"
    ORDER_UNKNOWN = "order.unknown", "left with an unknown outcome"
    ORDER_CHECKED = "order.checked", "checked the outcome of"
    ORDER_SETTLED = "order.settled", "settled by hand"
    NUMBER_BOUGHT = "number.bought", "bought"
    NUMBER_CHANGED = "number.changed", "changed"
    NUMBER_ENDED = "number.ended", "stopped"
    NUMBER_IMPORTED = "number.imported", "imported"
    NUMBER_DISPUTED = "number.disputed", "found no longer ours"
    NUMBER_SETTLED = "number.settled", "settled the discrepancy of"
    BATCH_SUBMITTED = "batch.submitted", "submitted"
    BATCH_APPROVED = "batch.approved", "approved"
    BATCH_REJECTED = "batch.rejected", "rejected"
    BATCH_PAUSED = "batch.paused", "paused"
    BATCH_RESUMED = "batch.resumed", "resumed"
    BATCH_CANCELLED = "batch.cancelled", "cancelled"
    BATCH_RETRIED = "batch.retried", "tried again what failed of"
    BATCH_DONE = "batch.done", "completed"
    INVENTORY_DECLARED = "inventory.declared", "declared the inventory complete"
    INVENTORY_EXPORTED = "inventory.exported", "exported"
    MEDIA_TYPE_NAMED = "media_type.named", "named"
    ACCOUNT_ADDED = "account.added", "added"
    ACCOUNT_CHANGED = "account.changed", "changed"
    GRANT_ADDED = "grant.added", "granted"
    GRANT_REMOVED = "grant.removed", "took back"
    USER_ADDED = "user.added", "added"
    USER_CHANGED = "user.changed", "changed"
    USER_REMOVED = "user.removed", "removed"
    ROLE_GIVEN = "role.given", "gave"
    ROLE_TAKEN = "role.taken", "took away"
    SENDING_PAUSED = "sending.paused", "paused"
    SENDING_RESUMED = "sending.resumed", "resumed"
    SETTINGS_CHANGED = "settings.changed", "started with other settings"
    HISTORY_EXPORTED = "history.exported", "exported"
    EVIDENCE_EXPORTED = "evidence.exported", "exported"
    SAMPLE_DRAWN = "sample.drawn", "drew"
    SAMPLE_SIGNED = "sample.signed", "signed off"


# Those that carry a number's routing and stop date as they result.
NUMBER_VERBS = (Verb.NUMBER_BOUGHT, Verb.NUMBER_IMPORTED, Verb.NUMBER_CHANGED, Verb.NUMBER_ENDED)


class Source(models.TextChoices):
    """Where a change came from."""

    WEB = "web", "web page"
    WORKER = "worker", "worker"
    COMMAND = "command", "command"


class HistoryEntry(models.Model):
    """One event. The columns are for finding; ``canonical`` is the text that was hashed and is what counts.

    ``destination``, ``stop_date`` and ``ended_at`` are the number's state that resulted, in entries with a ``number.*``
    verb only; triggers compare them with the mirror's row. Actor and order are plain values, so that deleting a user
    changes nothing here.
    """

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=300)
    role = models.CharField(max_length=100)
    source = models.CharField(max_length=10, choices=Source)
    verb = models.CharField(max_length=40, choices=Verb)
    number = models.CharField(max_length=10, blank=True)
    account_key = models.CharField(max_length=20, blank=True)
    order_id = models.BigIntegerField(null=True)
    changes = models.JSONField(default=dict)
    destination = models.CharField(max_length=10, blank=True)
    stop_date = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    approved_by = models.CharField(max_length=300, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    vendor_status = models.IntegerField(null=True)
    vendor_message = models.TextField(blank=True)
    canonical = models.TextField()
    previous_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    # Whether the reader may know that it happened, and no more.
    withheld = False

    class Meta:
        ordering: ClassVar = ["-sequence"]
        verbose_name_plural = "history entries"
        # Lists go by time, then sequence: a page of a filtered list, however long, is the end of one index.
        indexes: ClassVar = [
            models.Index(fields=["at", "sequence"], name="history_by_time"),
            models.Index(fields=["number", "at", "sequence"], name="history_by_number"),
            models.Index(fields=["actor_name", "at", "sequence"], name="history_by_actor"),
            models.Index(fields=["account_key", "at", "sequence"], name="history_by_account"),
            models.Index(fields=["verb", "at", "sequence"], name="history_by_verb"),
            models.Index(fields=["order_id", "sequence"], name="history_by_order"),
            models.Index(fields=["request_id", "sequence"], name="history_by_request"),
            models.Index(
                fields=["at", "sequence"],
                condition=models.Q(changes__has_key="destination", verb__in=NUMBER_VERBS),
                name="history_of_routing",
            ),
            models.Index(
                fields=["at", "sequence"],
                condition=models.Q(changes__has_key="stop_date", verb__in=NUMBER_VERBS),
                name="history_of_stop_dates",
            ),
            # Who set the routing, or the stop date, of a number: one look-up, however often the rest of it changed.
            models.Index(
                fields=["number", "at", "sequence"],
                condition=models.Q(changes__has_key="destination", verb__in=NUMBER_VERBS),
                name="history_routing_by_number",
            ),
            models.Index(
                fields=["number", "at", "sequence"],
                condition=models.Q(changes__has_key="stop_date", verb__in=NUMBER_VERBS),
                name="history_stop_by_number",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(verb__in=Verb.values), name="history_verb_known"),
            models.CheckConstraint(condition=models.Q(source__in=Source.values), name="history_source_known"),
            models.CheckConstraint(condition=models.Q(sequence__gte=1), name="history_sequence_from_one"),
        ]

    def __str__(self) -> str:
        return f"#{self.sequence} {self.actor_name} {self.get_verb_display()}"


class Checkpoint(models.Model):
    """The newest entry at some moment, signed. Append-only, and kept in a file outside the database too.

    Whoever owns the database can rewrite every entry and every hash; without the private key they cannot make the
    signatures fit, and cannot reach the file.
    """

    sequence = models.BigIntegerField(primary_key=True)
    hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    public_key = models.CharField(max_length=44, help_text="Ed25519, in base64.")
    signature = models.CharField(max_length=88, help_text="Ed25519, in base64.")

    class Meta:
        ordering: ClassVar = ["-sequence"]

    def __str__(self) -> str:
        return f"Checkpoint at entry {self.sequence}"


class VerificationResult(models.Model):
    """What a verification of the whole history came to."""

    at = models.DateTimeField()
    seconds = models.FloatField()
    entries = models.BigIntegerField()
    numbers = models.BigIntegerField()
    checkpoints = models.BigIntegerField()
    head = models.CharField(max_length=64)
    problems = models.PositiveIntegerField()
    first_problem = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return "In order" if not self.problems else f"{self.problems} problems"
