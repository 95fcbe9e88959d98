"""Administration: users and their groups can be edited; the domain's own records can only be looked at."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model
from django.http import HttpRequest

from .models import (
    Account,
    Attempt,
    Campaign,
    Checkpoint,
    Choice,
    Grant,
    HistoryEntry,
    Notification,
    Order,
    SendingSwitch,
    User,
    VerificationResult,
)


@admin.register(User)
class PortalUserAdmin(UserAdmin[User]):
    """Django's own, with the reader's time zone."""

    fieldsets = (*(UserAdmin.fieldsets or ()), ("Portal", {"fields": ("time_zone",)}))
    add_fieldsets = (
        *UserAdmin.add_fieldsets,
        ("Person", {"fields": ("first_name", "last_name", "email", "groups")}),
    )


class ReadOnlyAdmin(admin.ModelAdmin[Model]):
    """Only services write the domain's records, with their history."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


for model in (
    Account,
    Attempt,
    Campaign,
    Checkpoint,
    Choice,
    Grant,
    HistoryEntry,
    Notification,
    Order,
    SendingSwitch,
    VerificationResult,
):
    admin.site.register(model, ReadOnlyAdmin)
