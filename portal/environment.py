"""Reading settings from the environment: typed, checked, and refused with one sentence that names the variable."""

import base64
import binascii
import warnings
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import NoReturn
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured


class Environment:
    """Variables of the process, each also readable from the file that ``<NAME>_FILE`` names.

    Every reader ends the process with one sentence on standard error when the value is missing or makes no sense:
    a portal that buys numbers must not start on a guess.
    """

    def __init__(self) -> None:
        self._env = environ.FileAwareEnv()

    def refuse(self, name: str, why: str) -> NoReturn:
        raise SystemExit(f"{name} {why}")

    def _read[T](self, name: str, reader: Callable[[], T], expected: str) -> T:
        try:
            with warnings.catch_warnings():
                # environ warns of an address that it cannot read with all of it, the password too.
                warnings.simplefilter("ignore", UserWarning)
                return reader()
        except (ImproperlyConfigured, ValueError, TypeError, OSError):
            self.refuse(name, f"must be {expected}.")

    def text(self, name: str, default: str | None = None) -> str:
        """Any text. Without a default the variable must be there and not be empty."""
        if default is not None:
            return str(self._read(name, lambda: self._env.str(name, default), "text")).strip()
        value = str(self._read(name, lambda: self._env.str(name, ""), "text")).strip()
        if not value:
            self.refuse(name, "is not set. Set it in the environment; .env.example says what it is for.")
        return value

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in choices:
            self.refuse(name, f"must be one of {', '.join(choices)}, not {value!r}.")
        return value

    def switch(self, name: str, default: bool) -> bool:
        value = self.text(name, "on" if default else "off").lower()
        if value in ("on", "true", "yes", "1"):
            return True
        if value in ("off", "false", "no", "0", ""):
            return False
        self.refuse(name, f"must be on or off, not {value!r}.")

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        value = self._read(name, lambda: float(self._env.str(name, str(default))), "a number")
        if not least <= value <= most:
            self.refuse(name, f"must be between {least:g} and {most:g}, not {value:g}.")
        return value

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self._read(name, lambda: int(self._env.str(name, str(default))), "a whole number")
        if not least <= value <= most:
            self.refuse(name, f"must be between {least} and {most}, not {value}.")
        return value

    def price(self, name: str) -> Decimal | None:
        """An amount of money, or None when the variable is not set."""
        text = self.text(name, "")
        if not text:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not (value.is_finite() and 0 <= value < 1_000_000):
            self.refuse(name, f"must be an amount such as 2.50, not {text!r}.")
        return value

    def words(self, name: str, default: list[str]) -> list[str]:
        """A comma-separated list."""
        return list(self._read(name, lambda: self._env.list(name, default=default), "a comma-separated list"))

    def url(self, name: str, default: str | None = None) -> str:
        """An http or https address, without a trailing slash."""
        value = self.text(name, default)
        try:
            parts = urlsplit(value)
            known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            known = False
        if not known or parts.query or parts.fragment:
            # What stands before an @ is a password.
            found = "" if "@" in value else f", not {value!r}"
            self.refuse(name, f"must be an address such as https://example.com{found}.")
        return value.rstrip("/")

    def time_zone(self, name: str, default: str) -> str:
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.refuse(name, f"must be a time zone such as America/Chicago, not {value!r}.")
        return value

    def signing_key(self, name: str) -> bytes:
        """32 bytes in base64, or empty when the variable is not set."""
        value = self.text(name, "")
        try:
            key = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            key = b"?"
        if key and len(key) != 32:
            self.refuse(name, "must be 32 bytes in base64, such as `openssl rand -base64 32` prints.")
        return key

    def database(self, name: str, default: str) -> dict[str, object]:
        config = dict(
            self._read(
                name,
                lambda: self._env.db_url(name, default=default),
                "an address such as postgres://user:password@host:5432/name",
            )
        )
        if config.get("ENGINE") not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
            self.refuse(name, "must name a PostgreSQL database (postgres://…) or a SQLite file (sqlite:///…).")
        return config

    def cache(self, name: str, default: str) -> dict[str, object]:
        return dict(
            self._read(
                name,
                lambda: self._env.cache_url(name, default=default),
                "a cache address such as redis://host:6379/0",
            )
        )

    def origin(self, name: str, default: str) -> str:
        """Scheme and host of an address: what may be shown of one that has a password."""
        parts = urlsplit(self.text(name, default))
        return f"{parts.scheme}://{parts.hostname or ''}"

    def mailer(self, name: str, default: str) -> dict[str, object]:
        """One entry of Django's MAILERS, from an address such as ``smtp+tls://user:password@host:587``."""
        config = self._read(
            name,
            lambda: self._env.email_url(name, default=default),
            "a mail address such as smtp://user:password@host:25",
        )
        mailer: dict[str, object] = {"BACKEND": config["EMAIL_BACKEND"]}
        if config["EMAIL_BACKEND"].endswith("smtp.EmailBackend"):
            mailer["OPTIONS"] = {
                "host": config["EMAIL_HOST"],
                "port": config["EMAIL_PORT"],
                "username": config["EMAIL_HOST_USER"],
                "password": config["EMAIL_HOST_PASSWORD"],
                "use_tls": config.get("EMAIL_USE_TLS", False),
                "use_ssl": config.get("EMAIL_USE_SSL", False),
                "timeout": 20,
            }
        return mailer
