"""What the sign-in library tells of goes into the security log.

What it does not tell of (wrong passwords, lock-outs, wishes for a new password) is noted by ``portal/accounts.py``,
refusals by ``views/errors.py``.
"""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from .models import SecurityEventKind, User
from .services.security import security_event_note


@receiver(account.user_logged_in)
def _signed_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    security_event_note(request=request, kind=SecurityEventKind.SIGNED_IN, user=user)


@receiver(user_logged_out)
def _signed_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        security_event_note(request=request, kind=SecurityEventKind.SIGNED_OUT, user=user)


@receiver([account.password_changed, account.password_set])
def _password_changed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    security_event_note(request=request, kind=SecurityEventKind.PASSWORD_CHANGED, user=user)


@receiver(account.password_reset)
def _password_reset(request: HttpRequest, user: User, **kwargs: Any) -> None:
    detail = "By the link of a mail"
    security_event_note(request=request, kind=SecurityEventKind.PASSWORD_CHANGED, user=user, detail=detail)


@receiver([mfa.authenticator_added, mfa.authenticator_reset])
def _factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _note_factor(SecurityEventKind.SECOND_FACTOR_ADDED, request, user, authenticator)


@receiver(mfa.authenticator_removed)
def _factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _note_factor(SecurityEventKind.SECOND_FACTOR_REMOVED, request, user, authenticator)


@receiver(mfa.authentication_failed)
def _factor_wrong(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _note_factor(SecurityEventKind.SECOND_FACTOR_FAILED, request, user, authenticator)


def _note_factor(kind: SecurityEventKind, request: HttpRequest, user: User, authenticator: Authenticator) -> None:
    detail = str(authenticator.get_type_display())
    security_event_note(request=request, kind=kind, user=user, detail=detail)
