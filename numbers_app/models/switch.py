"""The switch that pauses what the portal sends to the vendor."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class SendingScope(models.TextChoices):
    """What is paused."""

    NOTHING = "nothing", "Nothing is paused"
    PURCHASES = "purchases", "Purchases are paused"
    EVERYTHING = "everything", "Purchases and changes are paused"


class SendingSwitch(models.Model):
    """One row for the whole portal; none means that nothing was ever paused.

    ``lost_head`` is the hash of the history's newest entry as it was known outside the database when the database was
    found to lack it, that is, to be a restored backup. Once a person has resumed, that loss counts as known.
    """

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    paused = models.CharField(max_length=10, choices=SendingScope, default=SendingScope.NOTHING)
    reason = models.TextField(blank=True)
    actor_name = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    lost_head = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="sending_switch_is_one"),
            models.CheckConstraint(condition=Q(paused__in=SendingScope.values), name="sending_switch_scope_known"),
        ]

    def __str__(self) -> str:
        return self.get_paused_display()

    @property
    def purchases_paused(self) -> bool:
        return self.paused != SendingScope.NOTHING

    @property
    def everything_paused(self) -> bool:
        return self.paused == SendingScope.EVERYTHING
