"""How people get an account, an administrator makes it; and what the sign-in pages refuse, for the security log."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import get_pending_stage
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from numbers_app.models import SecurityEventKind, User
from numbers_app.services.security import security_event_note

# Sent when a new password was asked for: to a person's address, and to one that nobody here has.
RESET_MAILS = ("account/email/password_reset_key", "account/email/unknown_account")


class InvitationOnlyAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link of the mail, at the address that people open, whatever host the request named."""
        link = urlsplit(super().get_reset_password_from_key_url(key))
        return f"{settings.SITE_URL}{link.path}"

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong name or password. A name is given as typed, the password to nobody."""
        typed = credentials.get("username", "")
        security_event_note(request=request, kind=SecurityEventKind.SIGN_IN_FAILED, person=typed)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        detail = "The account is switched off."
        security_event_note(request=request, kind=SecurityEventKind.SIGN_IN_FAILED, user=user, detail=detail)
        response: HttpResponse = super().respond_user_inactive(request, user)
        return response

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """What a form says. Every lock-out, of a password or of a second factor, is said through here."""
        if code == "too_many_login_attempts":
            typed = self.request.POST.get("login", "").strip()
            # Without a name it is about a second factor: its owner has given the right password.
            stage = None if typed else get_pending_stage(self.request)
            security_event_note(
                request=self.request,
                kind=SecurityEventKind.LOCKED_OUT,
                user=stage.login.user if stage else None,
                person=typed,
                detail="Too many attempts",
            )
        error: ValidationError = super().validation_error(code, *args)
        return error

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        if template_prefix in RESET_MAILS:
            kind = SecurityEventKind.PASSWORD_RESET_ASKED
            security_event_note(request=self.request, kind=kind, user=context.get("user"), person=email)
        page = {"request": self.request, "email": email, "current_site": get_current_site(self.request)}
        # What a mail tells of is kept by then, and no row stays locked while a mail server takes its time.
        transaction.on_commit(self.render_mail(template_prefix, email, page | context).send)
