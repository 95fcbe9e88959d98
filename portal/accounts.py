"""How people get an account: an administrator makes it."""

from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class InvitationOnlyAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link of the mail, at the address that people open, whatever host the request named."""
        link = urlsplit(super().get_reset_password_from_key_url(key))
        return f"{settings.SITE_URL}{link.path}"
