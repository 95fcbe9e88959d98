"""``manage.py confirm_numbers``."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderKind, OrderStatus, Source, User
from numbers_app.services.confirmation import MOST_A_SECOND
from numbers_app.services.sweep import orders_sweep
from tests.factories import CampaignFactory
from tests.orders.conftest import bought  # noqa: F401
from tests.orders.steps import CAKE, approve, ask, carry_out, pause_is_over, rings
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db
NOT_AT_CALLCAP = "3164440777"


def confirm_numbers(**options: object) -> str:
    out = io.StringIO()
    call_command("confirm_numbers", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that carries out whatever is waited for."""

    def work(seconds: float) -> None:
        for order in Order.objects.filter(status__in=(OrderStatus.APPROVED, OrderStatus.UNKNOWN)):
            pause_is_over(order)
            carry_out(order)

    monkeypatch.setattr(time, "sleep", work)


@pytest.fixture
def numbers(location: Account) -> list[Campaign]:
    return [CampaignFactory(phone_number=f"31644401{n:02d}", account=location) for n in range(3)]


def test_it_asks_in_its_own_name_and_the_history_says_so(numbers: list[Campaign], as_auditor: Client) -> None:
    assert confirm_numbers(all=True) == "3 numbers to be confirmed.\n"
    order = Order.objects.filter(kind=OrderKind.CONFIRM).first()
    assert order is not None
    assert (order.status, order.self_approved, order.author_name) == (OrderStatus.APPROVED, True, "confirm_numbers")
    entry = HistoryEntry.objects.get(order_id=order.pk)
    assert (entry.actor_id, entry.actor_name, entry.source) == (None, "confirm_numbers", Source.COMMAND)
    for address in (f"/orders/{order.pk}/", "/orders/", "/orders/upcoming/", f"/history/{entry.sequence}/"):
        assert as_auditor.get(address).status_code == 200


def test_one_number_or_an_account_with_all_below_it_can_be_meant(
    numbers: list[Campaign],
    elsewhere: Account,
) -> None:
    CampaignFactory(phone_number="3164440199", account=elsewhere)
    confirm_numbers(number=["(316) 444-0199"])
    assert [order.phone_number for order in Order.objects.all()] == ["3164440199"]
    division = numbers[0].account.parent
    assert division
    assert confirm_numbers(account=division.key) == "3 numbers to be confirmed.\n"


def test_what_is_being_asked_or_has_stopped_is_left_out(numbers: list[Campaign]) -> None:
    CampaignFactory(phone_number="3164440150", account=numbers[0].account, ended_at=timezone.now())
    confirm_numbers(number=[numbers[0].phone_number])
    assert "1 left out" in confirm_numbers(all=True)
    assert Order.objects.count() == 3


@pytest.mark.parametrize(
    "options", [{}, {"account": "L-99"}, {"number": ["3164440999"]}, {"number": ["nonsense"]}, {"number": [CAKE]}]
)
def test_what_names_none_of_our_numbers_does_nothing(numbers: list[Campaign], options: dict[str, object]) -> None:
    with pytest.raises(CommandError, match="Nothing was done"):
        confirm_numbers(**options)
    assert not Order.objects.exists()


def test_many_are_spread_over_time(numbers: list[Campaign]) -> None:
    confirm_numbers(all=True)
    due = list(Order.objects.order_by("pk").values_list("execute_after", flat=True))
    apart = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(due)]
    assert apart == pytest.approx([1 / MOST_A_SECOND] * 2)


def test_a_limit_of_calls_leaves_half_of_them_to_others(numbers: list[Campaign], settings: object) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 1  # type: ignore[attr-defined]
    confirm_numbers(all=True)
    due = list(Order.objects.order_by("pk").values_list("execute_after", flat=True))
    assert due[2] - due[0] == timedelta(seconds=4)


def test_what_people_asked_for_goes_first(
    numbers: list[Campaign], rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    confirm_numbers(all=True)
    order = approve(manager, ask(rep, location, CAKE))
    DBTaskResult.objects.all().delete()
    Order.objects.update(execute_after=timezone.now() - timedelta(seconds=1), rung_at=None)
    orders_sweep(actor=Actor.portal("Clock", source=Source.WORKER))
    assert rings()[0] == order.pk
    first = DBTaskResult.objects.ready().first()
    assert first.args_kwargs["args"] == [order.pk]
    assert DBTaskResult.objects.filter(priority__lt=0).count() == 3


def test_waiting_ends_with_the_answers_and_fails_for_a_dispute(
    bought: Campaign,  # noqa: F811
    answered: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "1 confirmed, 0 refused, 0 unknown, 0 in dispute." in confirm_numbers(all=True, wait=True)
    CampaignFactory(phone_number=NOT_AT_CALLCAP, account=bought.account)
    with pytest.raises(SystemExit) as ended:
        call_command("confirm_numbers", all=True, wait=True)
    assert ended.value.code == 1
    assert "1 confirmed, 1 refused, 0 unknown, 1 in dispute." in capsys.readouterr().out
    assert Campaign.objects.get(phone_number=NOT_AT_CALLCAP).disputed_at is not None


def test_a_doubtful_answer_is_followed_up_under_the_commands_name(
    bought: Campaign,  # noqa: F811
    sandbox: SandboxServer,
    answered: None,
) -> None:
    sandbox.arm_fault("drop_before_commit", "update")
    assert "1 confirmed" in confirm_numbers(all=True, wait=True)
    entry = HistoryEntry.objects.filter(verb="order.approved").first()
    assert entry is not None
    assert (entry.actor_id, entry.actor_name, entry.role) == (None, "confirm_numbers", "portal")


@pytest.fixture
def as_auditor(auditor: User, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(auditor)
