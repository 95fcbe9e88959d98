"""Settings that change what the portal does are in the history, and no secret with them."""

from __future__ import annotations

import base64
import threading
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as now
from django.db import connection

from numbers_app.actors import Actor
from numbers_app.models import HistoryEntry, Source
from numbers_app.services.settings_record import RECORDED, settings_record
from numbers_app.services.verification import history_verify
from numbers_app.signing import public_key_of
from numbers_app.templatetags.history import what
from tests.project.test_settings import VARIABLES

from .conftest import told

pytestmark = pytest.mark.django_db

CLOCK = Actor.portal("Clock", source=Source.WORKER)
# Secrets, where things are kept, and how they look: nothing that decides what is bought, sent or checked.
NOT_RECORDED = {
    *("SECRET_KEY", "CALLCAP_API_KEY", "DATABASE_URL", "CACHE_URL", "DEFAULT_FROM_EMAIL"),
    *("HISTORY_HEAD_FILE", "LOG_FORMAT"),
}


def test_the_first_start_tells_all_settings(settings: Any) -> None:
    entry = settings_record(actor=CLOCK)
    assert entry
    assert (entry.verb, entry.actor_name) == ("settings.changed", "Clock")
    assert entry.changes["APPROVAL_UNDO_SECONDS"] == [None, 0]
    assert entry.changes["CALLCAP_TIMEOUT"] == [None, "5"]
    assert entry.changes["DEMO"] == [None, True]
    assert "MONTHLY_PRICE_LOCAL" not in entry.changes
    assert not history_verify().problems


def test_the_same_settings_are_told_once() -> None:
    settings_record(actor=CLOCK)
    assert settings_record(actor=CLOCK) is None
    assert len(told()) == 1


def test_only_what_differs_is_told(settings: Any) -> None:
    settings_record(actor=CLOCK)
    settings.APPROVAL_UNDO_SECONDS = 30
    settings.MONTHLY_PRICE_LOCAL = Decimal("2.50")
    entry = settings_record(actor=CLOCK)
    assert entry
    assert entry.changes == {"APPROVAL_UNDO_SECONDS": [0, 30], "MONTHLY_PRICE_LOCAL": [None, "2.50"]}
    assert what(entry) == "started with other settings: APPROVAL_UNDO_SECONDS, MONTHLY_PRICE_LOCAL"
    settings.MONTHLY_PRICE_LOCAL = None
    again = settings_record(actor=CLOCK)
    assert again
    assert again.changes == {"MONTHLY_PRICE_LOCAL": ["2.50", None]}


def test_of_the_signing_key_the_public_half_alone_is_told(settings: Any) -> None:
    key = b"k" * 32
    settings.HISTORY_SIGNING_KEY = key
    entry = settings_record(actor=CLOCK)
    assert entry
    assert entry.changes["HISTORY_PUBLIC_KEY"] == [None, public_key_of(key)]
    assert base64.b64encode(key).decode() not in entry.canonical


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://user:secret@api.callcap.com:8443/v3", "https://api.callcap.com:8443/v3"),
        ("https://user:se@cret@api.callcap.com", "https://api.callcap.com"),
        ("https://secret@[::1]:8000", "https://[::1]:8000"),
        ("https://api.callcap.com/a@b", "https://api.callcap.com/a@b"),
    ],
)
def test_a_password_in_an_address_is_left_out(settings: Any, given: str, kept: str) -> None:
    settings.CALLCAP_API_URL = given
    entry = settings_record(actor=CLOCK)
    assert entry
    assert entry.changes["CALLCAP_API_URL"] == [None, kept]
    assert "secret" not in entry.canonical


def test_whether_mail_goes_out_and_where_checkpoints_are_kept_is_told(settings: Any) -> None:
    settings.EMAIL_URL = "smtp+tls://mail.example.com"
    entry = settings_record(actor=CLOCK)
    assert entry
    assert entry.changes["EMAIL_URL"] == [None, "smtp+tls://mail.example.com"]
    assert entry.changes["CHECKPOINT_FILE"] == [None, str(settings.CHECKPOINT_FILE)]


def test_no_secret_is_in_it() -> None:
    entry = settings_record(actor=CLOCK)
    assert entry
    for secret in (
        now.SECRET_KEY,
        now.CALLCAP_API_KEY,
        str(now.DATABASES["default"].get("PASSWORD") or now.SECRET_KEY),
    ):
        assert secret not in entry.canonical


def test_every_setting_is_either_told_or_known_not_to_matter() -> None:
    told_otherwise = {"HISTORY_SIGNING_KEY"}
    assert set(VARIABLES) == set(RECORDED) | NOT_RECORDED | told_otherwise


@pytest.mark.django_db(transaction=True)
def test_two_clocks_that_start_at_once_tell_it_once() -> None:
    gate = threading.Barrier(4)

    def start() -> None:
        gate.wait()
        settings_record(actor=CLOCK)
        connection.close()

    clocks = [threading.Thread(target=start) for _ in range(4)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()
    assert HistoryEntry.objects.count() == 1
