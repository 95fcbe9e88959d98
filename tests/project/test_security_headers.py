"""What every answer tells the browser: what may run, who may frame, what may be kept, which cookies are safe."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from numbers_app.models import User

from .environment import settings_say

pytestmark = pytest.mark.django_db

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


@pytest.mark.parametrize("path", ["/accounts/login/", "/", "/orders/", "/nowhere/", "/admin/", "/healthz"])
def test_nothing_runs_that_does_not_come_from_here(path: str, rep: User, signed_in: Any) -> None:
    headers = signed_in(rep).get(path).headers
    assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/orders/", "/numbers/", "/history/", "/accounts/login/"])
def test_no_cache_keeps_company_data_and_fragments_are_told_apart(path: str, rep: User, signed_in: Any) -> None:
    headers = signed_in(rep).get(path).headers
    assert "no-store" in headers["Cache-Control"]
    vary = {name.strip() for name in headers["Vary"].split(",")}
    assert {"HX-Request", "Cookie"} <= vary


def signed_in_by_form(client: Client) -> Any:
    from tests.factories import PASSWORD

    client.post("/accounts/login/", {"login": "rep", "password": PASSWORD})
    return client.cookies


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client: Client, rep: User) -> None:
    session = signed_in_by_form(client)["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert not session["secure"]


def test_the_form_token_is_out_of_reach_of_scripts(client: Client) -> None:
    client.get("/accounts/login/")
    assert client.cookies["csrftoken"]["httponly"]


def test_https_makes_cookies_secure_and_bound_to_this_host() -> None:
    names = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME"]
    names += ["SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_SSL_REDIRECT"]
    expression = f"[getattr(settings, name) for name in {names!r}]"
    assert settings_say(expression, HTTPS="on") == str(
        [True, True, "__Host-sessionid", "__Host-csrftoken", 31_536_000, True, True]
    )
    assert settings_say(expression, HTTPS="off") == str([False, False, "sessionid", "csrftoken", 0, False, False])


ASK = (
    "import django; django.setup(); from django.test import Client; "
    "answer = Client().get({path!r}, secure={secure}, headers={headers}); "
    "print(answer.status_code, answer.get('Location', ''), '|', answer.get('Strict-Transport-Security', ''))"
)


def asked(path: str, *, secure: bool = False, headers: dict[str, str] | None = None, **environment: str) -> str:
    """Status, redirect and HSTS of a portal that runs under this environment."""
    from .environment import portal

    code = ASK.format(path=path, secure=secure, headers={"host": "localhost"} | (headers or {}))
    setting: dict[str, str | None] = {"DJANGO_SETTINGS_MODULE": "portal.settings", **environment}
    finished = portal("-W", "ignore", "-c", code, environment=setting)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip().splitlines()[-1]


def test_https_redirects_everything_but_the_probes() -> None:
    assert asked("/orders/", HTTPS="on") == "301 https://localhost/orders/ |"
    assert asked("/healthz", HTTPS="on") == "200  |"


def test_https_is_remembered_for_a_year() -> None:
    assert asked("/healthz", secure=True, HTTPS="on").endswith("| max-age=31536000; includeSubDomains; preload")
    assert asked("/healthz", HTTPS="off") == "200  |"


def test_a_proxys_word_on_https_counts_only_where_a_proxy_is_said_to_be() -> None:
    forwarded = {"x-forwarded-proto": "https"}
    assert asked("/orders/", headers=forwarded, HTTPS="on").startswith("301 ")
    assert asked("/orders/", headers=forwarded, HTTPS="on", TRUSTED_PROXY_COUNT="1").startswith("302 /accounts/login/")
