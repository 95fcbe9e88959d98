"""Reading the security log."""

from __future__ import annotations

from django.db.models import QuerySet

from numbers_app.models import SecurityEvent


def security_events() -> QuerySet[SecurityEvent]:
    """Everything that was noted. It tells of everybody: only for who sees all."""
    return SecurityEvent.objects.all()
