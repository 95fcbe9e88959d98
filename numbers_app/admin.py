"""Administration: people, their roles and grants can be edited; the domain's own records can only be looked at."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.admin import EmailAddress
from allauth.mfa.admin import Authenticator
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from .actors import Actor
from .models import (
    Account,
    Attempt,
    AuditSample,
    Batch,
    BatchRow,
    Breaker,
    Campaign,
    Checkpoint,
    Choice,
    Grant,
    HistoryEntry,
    Inventory,
    KeptSearch,
    MediaType,
    Notification,
    Order,
    RateGate,
    SampledEntry,
    SavedView,
    SecurityEvent,
    SecurityEventKind,
    SendingSwitch,
    StopReminder,
    User,
    VerificationResult,
    Watch,
)
from .services.accounts import grant_add, grant_remove
from .services.security import security_event_note
from .services.users import user_change, user_create, user_recorded, users_remove
from .views.http import PortalRequest, actor_of


def _actor(request: HttpRequest) -> Actor:
    return actor_of(cast(PortalRequest, request))


class GrantFormSet(BaseInlineFormSet[Grant, User, Any]):
    """Grants are given and taken back by their services, which write the history."""

    # Set on the class that is made for each request.
    actor: Actor

    def save_new(self, form: Any, commit: bool = True) -> Grant:
        return grant_add(actor=self.actor, user=self.instance, account=form.cleaned_data["account"])

    def delete_existing(self, obj: Grant, commit: bool = True) -> None:
        grant_remove(actor=self.actor, user=self.instance, account=obj.account)


class GrantInline(admin.TabularInline[Grant, User]):
    model = Grant
    formset = GrantFormSet
    fields = ("account",)
    extra = 1

    def get_formset(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.actor = _actor(request)
        return formset

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A grant is given or taken back, never turned into another one."""
        return False


@admin.register(User)
class PortalUserAdmin(UserAdmin[User]):
    """Django's own, with the reader's time zone and grants. What is saved goes through the services."""

    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "time_zone")}),
        # No single permissions: what somebody may do comes from their roles alone.
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        *UserAdmin.add_fieldsets,
        ("Person", {"fields": ("first_name", "last_name", "email", "groups")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ("groups",)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        """Grants need a person to give them to: a new one is saved first."""
        return [GrantInline] if obj else []

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        write = user_change if change else user_create
        write(actor=_actor(request), user=obj, roles=form.cleaned_data["groups"])

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        users_remove(actor=_actor(request), user_ids=[obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users_remove(actor=_actor(request), user_ids=queryset.values_list("pk", flat=True))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a person (grants, notifications, views) goes, though nobody may delete it by itself."""
        found, counts, _, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(), protected

    @method_decorator(sensitive_post_parameters())
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        person = self.get_object(request, unquote(id))
        if request.method != "POST" or person is None:
            return super().user_change_password(request, id, form_url)
        actor, before = _actor(request), person.password
        with user_recorded(actor=actor, user=person):
            response = super().user_change_password(request, id, form_url)
        person.refresh_from_db()
        if person.password != before:
            kind, detail = SecurityEventKind.PASSWORD_CHANGED, f"Set by {actor.name}"
            security_event_note(request=request, kind=kind, user=person, detail=detail)
        return response

    # The change history tells of all this. Django's own log could be altered, and goes with its author.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('history_list')}?field=user")


class ReadOnlyAdmin(admin.ModelAdmin[Model]):
    """Only services write the domain's records, with their history."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AuthenticatorAdmin(ReadOnlyAdmin):
    """Who has lost a second factor is freed of it here. The secret itself is shown to nobody."""

    list_display = ("user", "type", "created_at", "last_used_at")
    fields = list_display

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        self._note(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        gone = list(queryset.select_related("user"))
        super().delete_queryset(request, queryset)
        for authenticator in gone:
            self._note(request, authenticator)

    def _note(self, request: HttpRequest, authenticator: Any) -> None:
        kind, by = SecurityEventKind.SECOND_FACTOR_REMOVED, _actor(request).name
        detail = f"{authenticator.get_type_display()}, by {by}"
        security_event_note(request=request, kind=kind, user=authenticator.user, detail=detail)


for model in (
    Account,
    Attempt,
    AuditSample,
    Batch,
    BatchRow,
    Breaker,
    Campaign,
    Checkpoint,
    Choice,
    Grant,
    HistoryEntry,
    Inventory,
    KeptSearch,
    MediaType,
    Notification,
    Order,
    RateGate,
    SampledEntry,
    SavedView,
    SecurityEvent,
    SendingSwitch,
    StopReminder,
    VerificationResult,
    Watch,
):
    admin.site.register(model, ReadOnlyAdmin)

# The groups are the fixed roles of ``permissions.py``. An address is a name to sign in with: it is the person's own.
admin.site.unregister([Group, EmailAddress, Authenticator])
admin.site.register(EmailAddress, ReadOnlyAdmin)
admin.site.register(Authenticator, AuthenticatorAdmin)
