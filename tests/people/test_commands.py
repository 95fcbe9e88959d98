"""The first administrator and a lost password, from the terminal: told in the history as from everywhere else."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from numbers_app.management import prompts
from numbers_app.models import HistoryEntry, SecurityEvent, SecurityEventKind, User
from tests.factories import PASSWORD

from .conftest import told

pytestmark = pytest.mark.django_db
LONG = "a quiet harbour at noon"


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """``types("alex", ..., unseen=[...])``: what somebody at the terminal answers, question by question."""

    def answer(*seen: str, unseen: list[str]) -> list[str]:
        asked: list[str] = []
        typed, secrets = iter(seen), iter(unseen)

        def reply(replies: Iterator[str]) -> Callable[[str], str]:
            def to(question: str) -> str:
                asked.append(question)
                return next(replies)

            return to

        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", reply(typed))
        monkeypatch.setattr(prompts, "getpass", reply(secrets))
        return asked

    return answer


def run(command: str, *arguments: str, **options: object) -> tuple[str, str]:
    out, problems = io.StringIO(), io.StringIO()
    call_command(command, *arguments, stdout=out, stderr=problems, **options)
    return out.getvalue(), problems.getvalue()


def test_the_first_administrator_is_told_and_can_enter(types: Callable[..., list[str]], client: Client) -> None:
    types("alex", "alex@example.com", unseen=[LONG, LONG])
    assert run("createsuperuser") == ("alex is an administrator.\n", "")
    assert [verb for verb, _ in told()] == ["user.added", "role.given"]
    assert told()[0][1]["is_superuser"] == [None, True]
    assert told()[1][1] == {"user": ["alex", "alex"], "role": [None, "Administrator"]}
    assert {entry.actor_name for entry in HistoryEntry.objects.all()} == {"createsuperuser"}
    assert client.login(username="alex", password=LONG)
    assert client.get("/admin/").status_code == 200
    assert client.get("/history/").status_code == 200


def test_what_is_wrong_is_asked_again_and_what_is_right_is_kept(types: Callable[..., list[str]], rep: User) -> None:
    asked = types("REP", "no address", "alex", "alex@example.com", unseen=[LONG, "other", "1234", "1234", LONG, LONG])
    _, problems = run("createsuperuser")
    assert asked == [
        "Username: ", "Email: ", "Password: ", "Password (again): ",
        "Username: ", "Email: ", "Password: ", "Password (again): ",
        "Password: ", "Password (again): ",
    ]  # fmt: skip
    for sentence in ("already exists", "valid email", "didn’t match", "too short"):
        assert sentence in problems
    assert User.objects.get(username="alex").check_password(LONG)


def test_an_installer_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", LONG)
    run("createsuperuser", "--noinput", username="alex", email="alex@example.com")
    assert User.objects.get(username="alex").is_superuser


@pytest.mark.parametrize(
    ("password", "given", "says"),
    [
        ("", {}, "username: This field is required.\npassword: This field is required.\nGive --noinput, "),
        ("1234", {"username": "alex"}, "password: This password is too short."),
        (LONG, {"username": "rep"}, "username: A user with that username already exists.\nGive --noinput, "),
        (LONG, {"username": "alex", "email": "nowhere"}, "email: Enter a valid email address.\nGive --noinput, "),
    ],
)
def test_an_installer_hears_what_is_missing_or_wrong(
    monkeypatch: pytest.MonkeyPatch, rep: User, password: str, given: dict[str, str], says: str
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    with pytest.raises(CommandError) as refused:
        run("createsuperuser", "--noinput", **given)
    assert str(refused.value).startswith(says)
    assert (User.objects.count(), told()) == (1, [])


def test_nobody_at_the_terminal_is_not_asked(monkeypatch: pytest.MonkeyPatch, rep: User) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CommandError, match="nobody to ask"):
        run("createsuperuser")
    with pytest.raises(CommandError, match="nobody to ask"):
        run("changepassword", rep.username)


def test_whoever_cancels_hears_that_nothing_was_changed(
    types: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, rep: User
) -> None:
    def interrupted(question: str) -> str:
        raise KeyboardInterrupt

    types("alex", "alex@example.com", unseen=[])
    monkeypatch.setattr(prompts, "getpass", interrupted)
    for command in (["createsuperuser"], ["changepassword", rep.username]):
        with pytest.raises(CommandError, match="Nothing was changed"):
            run(*command)
    assert told() == []


def test_a_password_set_from_the_terminal_is_told_without_its_value(types: Callable[..., list[str]], rep: User) -> None:
    types(unseen=["short", "short", LONG, "other", LONG, LONG])
    out, problems = run("changepassword", rep.username)
    assert out == "The password of rep is changed.\n"
    assert "too short" in problems
    assert "didn’t match" in problems
    assert told() == [("user.changed", {"user": ["rep", "rep"], "password": ["set", "changed"]})]
    event = SecurityEvent.objects.get(kind=SecurityEventKind.PASSWORD_CHANGED)
    assert (event.person, event.detail, event.address, event.path) == ("rep", "Set by changepassword", "", "")
    rep.refresh_from_db()
    assert rep.check_password(LONG)
    assert LONG not in HistoryEntry.objects.get().canonical


def test_the_password_of_nobody_is_not_changed(rep: User) -> None:
    with pytest.raises(CommandError, match="Nobody here is called riley"):
        run("changepassword", "riley")
    rep.refresh_from_db()
    assert rep.check_password(PASSWORD)
