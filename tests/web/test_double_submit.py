"""The same form sent several times at once: impatient clicks make one order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Campaign, HistoryEntry, Order, User, Verb
from numbers_app.services.history import NumberState, history_append
from tests.sandbox_server import SandboxServer

from .conftest import CAKE
from .page import Page

CLICKS = 4

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(user: User, send: Callable[[Client], Any]) -> list[tuple[int, str]]:
    """Status and target of every answer, when the same person sends the same thing from several threads."""
    ready, answers = threading.Barrier(CLICKS), []

    def click(client: Client) -> None:
        ready.wait()
        try:
            response = send(client)
            answers.append((response.status_code, response.get("Location", "")))
        finally:
            connection.close()

    clients = [Client(raise_request_exception=False) for _ in range(CLICKS)]
    for client in clients:
        client.force_login(user)
    threads = [threading.Thread(target=click, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_purchase(sandbox: SandboxServer, rep: User, as_rep: Client) -> None:
    page = Page(as_rep.get("/orders/new/", {"number": CAKE, "account": "L-3"}))
    filled = page.filled("/orders/new/") | {"destination": "3164447896"}
    answers = at_once(rep, lambda client: client.post("/orders/new/", filled))
    assert answers == [(302, f"/orders/{Order.objects.get().pk}/")] * CLICKS
    assert HistoryEntry.objects.count() == 1


def test_a_managers_change(campaign: Campaign, manager: User, as_manager: Client) -> None:
    url = f"/numbers/{CAKE}/change/"
    filled = Page(as_manager.get(url)).filled(url) | {"destination": "3165550100", "confirmed": "1"}
    answers = at_once(manager, lambda client: client.post(url, filled))
    assert answers == [(302, f"/orders/{Order.objects.get().pk}/")] * CLICKS
    assert HistoryEntry.objects.filter(verb=Verb.ORDER_APPROVED).count() == 1


def test_a_change_that_is_done_already_leads_to_its_order(
    sandbox: SandboxServer, campaign: Campaign, manager: User, as_manager: Client, worker: Actor
) -> None:
    url = f"/numbers/{CAKE}/change/"
    filled = Page(as_manager.get(url)).filled(url) | {"destination": "3165550100", "confirmed": "1"}
    first = as_manager.post(url, filled)
    said = NumberState("3165550100", campaign.stop_date)
    with transaction.atomic():
        entry = history_append(actor=worker, verb=Verb.NUMBER_CHANGED, number=CAKE, state=said)
        Campaign.objects.update(destination="3165550100", version=2, last_change=entry)
    second = as_manager.post(url, filled)
    assert (second.status_code, second.headers["Location"]) == (302, first.headers["Location"])
