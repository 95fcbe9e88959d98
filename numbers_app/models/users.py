"""People who use the portal."""

from typing import Any
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property


def validate_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"{name} is not a time zone. Use a name such as America/Chicago.")


class User(AbstractUser):
    """A person. What they may do comes from their groups (see ``permissions.py``), where from their grants."""

    time_zone = models.CharField(
        max_length=60,
        blank=True,
        validators=[validate_time_zone],
        help_text="Times are shown in this zone, such as America/Chicago. Empty: the portal's own.",
    )

    mail_wanted = models.BooleanField(
        "Mail", default=True, help_text="Whether what the portal tells this person is also sent to their address."
    )

    @cached_property
    def group_names(self) -> frozenset[str]:
        """As of the first look. Each request reads its person anew, so what was taken away is gone at the next one."""
        return frozenset(self.groups.values_list("name", flat=True))

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self.__dict__.pop("group_names", None)
        super().refresh_from_db(*args, **kwargs)

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username
