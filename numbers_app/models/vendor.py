"""What all processes together know of the vendor: its health, how fast it may be asked, what it has just answered.

Rows rather than a cache: gate and breaker are changed by conditional updates, of which exactly one wins, and an answer
is kept by one statement.
"""

from django.db import models


class RateGate(models.Model):
    """When the next call may start, in seconds of the database's clock since 1970.

    There is one gate for all calls and a narrower one that batches pass as well, so that people find a part of the
    rate free.
    """

    class Name(models.TextChoices):
        ALL = "all", "All calls"
        BATCHES = "batches", "Batches"

    name = models.CharField(primary_key=True, max_length=10, choices=Name)
    next_at = models.FloatField(default=0)

    def __str__(self) -> str:
        return self.get_name_display()


class Breaker(models.Model):
    """Whether the vendor is worth asking: failures in a row, and until when it is left alone, as ``RateGate`` counts.

    There is one row.
    """

    ONLY = 1

    failures = models.PositiveIntegerField(default=0)
    open_until = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"{self.failures} failures"


class KeptSearch(models.Model):
    """The vendor's answer to a search, packed, and when it was asked for; ``key`` says what was asked."""

    key = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField(db_index=True)
    packed = models.BinaryField()

    def __str__(self) -> str:
        return self.key
