"""Starting on a guess is refused: a missing or senseless setting is one sentence that names it."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from django.core.cache.backends.redis import RedisCache

from .environment import LEAST, ROOT, portal, settings_say

VARIABLES = [
    *("SECRET_KEY", "DEBUG", "DEMO", "HTTPS", "SITE_URL", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS"),
    *("TRUSTED_PROXY_COUNT", "DATABASE_URL", "CACHE_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL", "CALLCAP_API_URL"),
    *("CALLCAP_API_KEY", "CALLCAP_TIMEOUT", "CALLCAP_POST_ENCODING", "CALLCAP_TIME_ZONE", "CALLCAP_MAX_PER_SECOND"),
    *("CALLCAP_SETTLE_SECONDS", "CALLCAP_MAX_ANSWER_BYTES", "HISTORY_SIGNING_KEY", "LOG_FORMAT"),
    *("APPROVAL_UNDO_SECONDS", "ORDER_EXPIRY_DAYS", "ORDER_REMINDER_DAYS", "MONTHLY_PRICE_LOCAL"),
    *("MONTHLY_PRICE_TOLLFREE", "PRICE_CURRENCY", "HISTORY_HEAD_FILE", "CHECKPOINT_FILE", "HISTORY_FORMER_PUBLIC_KEYS"),
]

REFUSED = [
    ("SECRET_KEY", None, "is not set"),
    ("SECRET_KEY", "  ", "is not set"),
    ("CALLCAP_API_KEY", None, "is not set"),
    ("DEBUG", "maybe", "must be on or off, not 'maybe'"),
    ("DEMO", "2", "must be on or off"),
    ("HTTPS", "ja", "must be on or off"),
    ("SITE_URL", "numbers.example.com", "must be an address"),
    ("SITE_URL", "ftp://example.com", "must be an address"),
    ("SITE_URL", "http://[half", "must be an address"),
    ("SITE_URL", "http://example.com:99999", "must be an address"),
    ("CALLCAP_API_URL", "https://", "must be an address"),
    ("CALLCAP_API_URL", "https://api.callcap.com?key=1", "must be an address"),
    ("CALLCAP_TIMEOUT", "soon", "must be a number"),
    ("CALLCAP_TIMEOUT", "0", "must be between 1 and 50, not 0"),
    ("CALLCAP_TIMEOUT", "600", "must be between 1 and 50"),
    ("CALLCAP_TIMEOUT", "nan", "must be between 1 and 50"),
    ("CALLCAP_TIMEOUT", "inf", "must be between 1 and 50"),
    ("CALLCAP_POST_ENCODING", "xml", "must be one of form, json, not 'xml'"),
    ("CALLCAP_TIME_ZONE", "Mars/Olympus", "must be a time zone"),
    ("CALLCAP_TIME_ZONE", "../../etc/passwd", "must be a time zone"),
    ("CALLCAP_MAX_PER_SECOND", "-1", "must be between 0 and 1000"),
    ("CALLCAP_SETTLE_SECONDS", "1.5", "must be a whole number"),
    ("CALLCAP_SETTLE_SECONDS", "90000", "must be between 0 and 86400"),
    ("CALLCAP_MAX_ANSWER_BYTES", "12", "must be between 10000"),
    ("TRUSTED_PROXY_COUNT", "-1", "must be between 0 and 10"),
    ("HISTORY_SIGNING_KEY", "not base64!", "must be 32 bytes in base64"),
    ("HISTORY_SIGNING_KEY", base64.b64encode(b"short").decode(), "must be 32 bytes in base64"),
    ("DATABASE_URL", "mysql://user@host/name", "must name a PostgreSQL database"),
    ("DATABASE_URL", "nonsense", "must name a PostgreSQL database"),
    ("CACHE_URL", "nonsense", "must be a cache address"),
    ("EMAIL_URL", "nonsense", "must be a mail address"),
    ("APPROVAL_UNDO_SECONDS", "301", "must be between 0 and 300"),
    ("ORDER_EXPIRY_DAYS", "0", "must be between 1 and 365"),
    ("ORDER_REMINDER_DAYS", "14", "must be less than ORDER_EXPIRY_DAYS"),
    ("MONTHLY_PRICE_LOCAL", "free", "must be an amount such as 2.50, not 'free'"),
    ("MONTHLY_PRICE_LOCAL", "nan", "must be an amount"),
    ("MONTHLY_PRICE_TOLLFREE", "-1", "must be an amount"),
    ("LOG_FORMAT", "xml", "must be one of console, json"),
]


@pytest.mark.parametrize(("name", "value", "why"), REFUSED)
def test_a_missing_or_senseless_value_stops_the_start_with_one_sentence(name: str, value: str | None, why: str) -> None:
    finished = portal("manage.py", "check", environment={name: value})
    assert finished.returncode != 0
    assert finished.stdout == ""
    lines = finished.stderr.strip().splitlines()
    assert len(lines) == 1, finished.stderr
    assert lines[0].startswith(f"{name} ")
    assert why in lines[0]
    assert lines[0].endswith(".")


def test_the_least_environment_is_enough() -> None:
    finished = portal("manage.py", "check")
    assert finished.returncode == 0, finished.stderr


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n")
    said = settings_say("settings.SECRET_KEY", SECRET_KEY_FILE=str(secret))
    assert said == "from-a-file"


@pytest.mark.parametrize("name", ["SECRET_KEY", "CALLCAP_API_KEY"])
def test_a_secret_file_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    finished = portal("manage.py", "check", environment={name: None, f"{name}_FILE": str(missing)})
    assert finished.returncode != 0
    assert finished.stderr.startswith(f"{name} ")
    assert len(finished.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["DATABASE_URL", "CALLCAP_API_URL", "EMAIL_URL"])
def test_a_refused_address_is_not_shown_with_its_password(name: str) -> None:
    finished = portal("manage.py", "check", environment={name: "sch\x01eme://user:swordfish@host/?x=1#y"})
    assert finished.returncode != 0
    assert "swordfish" not in finished.stderr


def example() -> dict[str, str]:
    """.env.example as {name: default}; a variable that has none is commented out."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = (re.fullmatch(r"#?([A-Z][A-Z0-9_]*)=(.*)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def test_every_variable_is_in_the_example_with_a_sentence_above_it() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    for name in VARIABLES:
        [place] = [place for place, line in enumerate(lines) if re.match(rf"#?{name}=", line)]
        assert re.match(r"# \S", lines[place - 1]), name
    assert set(VARIABLES) <= example().keys()


def test_the_examples_defaults_are_the_portals_own() -> None:
    """With the example's values, and with none but the secrets, every setting comes out the same."""
    elsewhere = {"CACHE_URL": "CACHES", "EMAIL_URL": "MAILERS"}
    names = [elsewhere.get(name, name) for name in VARIABLES if name not in ("DATABASE_URL", *LEAST)]
    settings = f"[getattr(settings, name) for name in {names!r}]"
    given = {name: value for name, value in example().items() if name not in ("DATABASE_URL", *LEAST)}
    assert settings_say(settings, **given) == settings_say(settings)


def test_the_examples_database_is_the_portals_own() -> None:
    default = portal("-c", "from portal import settings; print(settings.DATABASES['default']['NAME'])").stdout.strip()
    assert ROOT / example()["DATABASE_URL"].removeprefix("sqlite:///") == Path(default)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("consolemail://", "django.core.mail.backends.console.EmailBackend"),
        ("smtp+tls://user:pass%40word@mail.example.com:587", "('mail.example.com', 587, 'user', 'pass@word', True)"),
    ],
)
def test_a_mail_address_sets_up_the_mailer(url: str, expected: str) -> None:
    options = "settings.MAILERS['default'].get('OPTIONS')"
    wanted = f"tuple(o[n] for n in ('host', 'port', 'username', 'password', 'use_tls')) if (o := {options}) else "
    assert settings_say(wanted + "settings.MAILERS['default']['BACKEND']", EMAIL_URL=url) == expected


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("consolemail://", "consolemail://"),
        ("smtp+tls://user:pass%40word@mail.example.com:587", "smtp+tls://mail.example.com"),
        ("smtp://user:pass@word@mail.example.com:25/?token=secret", "smtp://mail.example.com"),
    ],
)
def test_of_a_mail_address_no_password_is_shown(url: str, shown: str) -> None:
    assert settings_say("settings.EMAIL_URL", EMAIL_URL=url) == shown


def test_postgres_connections_are_kept_and_checked() -> None:
    default = "settings.DATABASES['default']"
    said = settings_say(
        f"({default}['CONN_MAX_AGE'], {default}['CONN_HEALTH_CHECKS'])", DATABASE_URL="postgres://u:p@h:5432/n"
    )
    assert said == "(60, True)"


def test_sqlite_keeps_a_committed_intent_through_a_power_cut() -> None:
    options = settings_say("settings.DATABASES['default']['OPTIONS']", DATABASE_URL="sqlite:///x.sqlite3")
    assert "synchronous=FULL" in options
    assert "IMMEDIATE" in options
    assert "journal_mode=WAL" in options


def test_the_library_for_redis_is_there() -> None:
    """Making a client connects to nothing, but needs what speaks to Redis."""
    assert RedisCache("redis://127.0.0.1:9/0", {})._cache is not None
