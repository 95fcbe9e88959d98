"""The security log: who came in, who was kept out. Append-only, and apart from the change history.

It is no part of the chain: whoever knocks at the door would else queue ahead of purchases.
"""

from typing import ClassVar

from django.db import models


class SecurityEventKind(models.TextChoices):
    """Everything that is noted. Closed: the database refuses any other word."""

    SIGNED_IN = "signed_in", "Signed in"
    SIGNED_OUT = "signed_out", "Signed out"
    SIGN_IN_FAILED = "sign_in_failed", "Sign-in failed"
    LOCKED_OUT = "locked_out", "Locked out"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    PASSWORD_RESET_ASKED = "password_reset_asked", "Password reset asked for"
    SECOND_FACTOR_ADDED = "second_factor_added", "Second factor added"
    SECOND_FACTOR_REMOVED = "second_factor_removed", "Second factor removed"
    SECOND_FACTOR_FAILED = "second_factor_failed", "Second factor wrong"
    REFUSED = "refused", "Refused"


class SecurityEvent(models.Model):
    """One event. ``person`` is the name as it was typed or as it was then; ``user_id`` is a plain value.

    ``path`` is what was asked for, ``detail`` why it was refused.
    """

    at = models.DateTimeField()
    kind = models.CharField(max_length=30, choices=SecurityEventKind)
    user_id = models.BigIntegerField(null=True)
    person = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=45, blank=True, help_text="The client's IP address.")
    path = models.CharField(max_length=300, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["at", "id"], name="security_by_time"),
            models.Index(fields=["kind", "at", "id"], name="security_by_kind"),
            models.Index(fields=["person", "at", "id"], name="security_by_person"),
            models.Index(fields=["address", "at", "id"], name="security_by_address"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(kind__in=SecurityEventKind.values), name="security_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.person or self.address}"
