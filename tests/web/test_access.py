"""Who gets in where: every address against every role, forgery refused, and reading writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from numbers_app.actors import Actor
from numbers_app.models import Campaign, Order, SampleScope, User
from numbers_app.periods import Period
from numbers_app.services.samples import sample_draw
from tests.factories import PASSWORD, BatchFactory, BatchRowFactory
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
PEOPLE = ("anonymous", "rep", "stranger", "manager", "auditor", "administrator")

# What a GET answers, in the order of PEOPLE. The stranger is a rep of an account where nothing of this happened.
GATE = 302  # to the sign-in
EVERYBODY_SIGNED_IN = (GATE, 200, 200, 200, 200, 200)
OF_THIS_ACCOUNT = (GATE, 200, 404, 200, 200, 200)
POST_ONLY_SIGNED_IN = (GATE, 405, 405, 405, 405, 405)
FOR_STRANGERS_TOO = (200, 200, 200, 200, 200, 200)
# Pages of signing in, left by who already has.
SIGNING_IN = (200, 302, 302, 302, 302, 302)
ONLY_ELSEWHERE = (302, 302, 302, 302, 302, 302)

EXPECTED: dict[str, tuple[str, tuple[int, ...]]] = {
    "home": ("/", EVERYBODY_SIGNED_IN),
    "search": ("/search/", (GATE, 200, 200, 200, 403, 403)),
    # A part of the search page, which htmx asks for; others are led to the page.
    "search_wider": ("/search/wider/", (GATE, 302, 302, 302, 403, 403)),
    "search_tray": ("/search/tray/", POST_ONLY_SIGNED_IN),
    "order_list": ("/orders/", EVERYBODY_SIGNED_IN),
    "order_new": ("/orders/new/", (GATE, 200, 200, 200, 403, 403)),
    "order_upcoming": ("/orders/upcoming/", EVERYBODY_SIGNED_IN),
    "order_unknown": ("/orders/unknown/", EVERYBODY_SIGNED_IN),
    "destination_hints": ("/orders/destination/", (GATE, 200, 200, 200, 403, 403)),
    "order_approve_several": ("/orders/approve/", POST_ONLY_SIGNED_IN),
    # A part of the queue, which htmx asks for; others are led to the queue.
    "order_just_approved": ("/orders/approved/", (GATE, 403, 403, 302, 403, 403)),
    "order_detail": ("/orders/{order}/", OF_THIS_ACCOUNT),
    "order_amend": ("/orders/{order}/amend/", (GATE, 200, 404, 200, 403, 403)),
    "order_availability": ("/orders/{order}/availability/", OF_THIS_ACCOUNT),
    "order_approve": ("/orders/{order}/approve/", POST_ONLY_SIGNED_IN),
    "order_undo_approval": ("/orders/{order}/undo/", POST_ONLY_SIGNED_IN),
    "order_reject": ("/orders/{order}/reject/", (GATE, 403, 404, 200, 403, 403)),
    "order_cancel": ("/orders/{order}/cancel/", POST_ONLY_SIGNED_IN),
    "order_comment": ("/orders/{order}/comment/", POST_ONLY_SIGNED_IN),
    "order_mark_urgent": ("/orders/{order}/urgent/", POST_ONLY_SIGNED_IN),
    # The order of these tests waits, so that there is nothing to settle: managers are led to it.
    "order_settle": ("/orders/{order}/settle/", (GATE, 403, 404, 302, 403, 403)),
    "sending_switch": ("/sending/", EVERYBODY_SIGNED_IN),
    "sending_pause": ("/sending/pause/", POST_ONLY_SIGNED_IN),
    "sending_resume": ("/sending/resume/", POST_ONLY_SIGNED_IN),
    "campaign_list": ("/numbers/", EVERYBODY_SIGNED_IN),
    "inventory_export": ("/numbers/export/", POST_ONLY_SIGNED_IN),
    "inventory_first_steps": ("/numbers/first-steps/", EVERYBODY_SIGNED_IN),
    "inventory_complete": ("/numbers/complete/", POST_ONLY_SIGNED_IN),
    "inventory_incomplete": ("/numbers/incomplete/", POST_ONLY_SIGNED_IN),
    "media_type_list": ("/numbers/media-types/", EVERYBODY_SIGNED_IN),
    "media_type_name": ("/numbers/media-types/name/", POST_ONLY_SIGNED_IN),
    "media_type_unname": ("/numbers/media-types/7/remove/", POST_ONLY_SIGNED_IN),
    "campaign_detail": (f"/numbers/{CAKE}/", OF_THIS_ACCOUNT),
    "campaign_change": (f"/numbers/{CAKE}/change/", (GATE, 200, 404, 200, 403, 403)),
    "campaign_confirm": (f"/numbers/{CAKE}/confirm/", POST_ONLY_SIGNED_IN),
    "campaign_reapply": (f"/numbers/{CAKE}/reapply/", (GATE, 200, 404, 200, 403, 403)),
    "campaign_disputes": ("/numbers/disputes/", (GATE, 403, 403, 200, 403, 403)),
    # Nothing is in dispute, so that there is nothing to settle: managers are led to the number.
    "campaign_settle_dispute": (f"/numbers/{CAKE}/dispute/", (GATE, 403, 404, 302, 403, 403)),
    "campaign_stopping": ("/numbers/stopping/", EVERYBODY_SIGNED_IN),
    "campaign_extend_several": ("/numbers/stopping/extend/", POST_ONLY_SIGNED_IN),
    # The number of these tests runs on, so that there is no stop date to move: people are led to it.
    "campaign_extend": (f"/numbers/{CAKE}/extend/", (GATE, 302, 404, 302, 403, 403)),
    "campaign_seen": (f"/numbers/{CAKE}/seen/", POST_ONLY_SIGNED_IN),
    "location_list": ("/locations/", EVERYBODY_SIGNED_IN),
    "location_sync": ("/locations/sync/", POST_ONLY_SIGNED_IN),
    "location_zone": ("/locations/L-3/zone/", (GATE, 403, 404, 200, 403, 200)),
    "batch_list": ("/batches/", EVERYBODY_SIGNED_IN),
    "batch_detail": ("/batches/{batch}/", OF_THIS_ACCOUNT),
    "batch_submit": ("/batches/{draft}/submit/", POST_ONLY_SIGNED_IN),
    "batch_approve": ("/batches/{batch}/approve/", POST_ONLY_SIGNED_IN),
    "batch_reject": ("/batches/{batch}/reject/", POST_ONLY_SIGNED_IN),
    "batch_pause": ("/batches/{batch}/pause/", POST_ONLY_SIGNED_IN),
    "batch_resume": ("/batches/{batch}/resume/", POST_ONLY_SIGNED_IN),
    "batch_cancel": ("/batches/{batch}/cancel/", POST_ONLY_SIGNED_IN),
    "batch_retry": ("/batches/{batch}/retry/", POST_ONLY_SIGNED_IN),
    "batch_results": ("/batches/{batch}/results.csv", POST_ONLY_SIGNED_IN),
    "batch_seen": ("/batches/{batch}/seen/", POST_ONLY_SIGNED_IN),
    "batch_new": ("/batches/new/", (GATE, 200, 200, 200, 403, 403)),
    "batch_template": ("/batches/template/change.csv", (GATE, 200, 200, 200, 403, 403)),
    "batch_select": ("/batches/select/", POST_ONLY_SIGNED_IN),
    # A preview is its author's alone.
    "batch_preview": ("/batches/{draft}/preview/", (GATE, 200, 404, 404, 403, 403)),
    "batch_refused": ("/batches/{draft}/refused.csv", (GATE, 200, 404, 404, 403, 403)),
    "batch_discard": ("/batches/{draft}/discard/", POST_ONLY_SIGNED_IN),
    "history_list": ("/history/", EVERYBODY_SIGNED_IN),
    "history_export": ("/history/export/", POST_ONLY_SIGNED_IN),
    "history_evidence": ("/history/evidence/", (GATE, 403, 403, 403, 200, 200)),
    "history_as_of": ("/history/as-of/", EVERYBODY_SIGNED_IN),
    # The first entry is that of the number.
    "history_entry": ("/history/1/", OF_THIS_ACCOUNT),
    "history_reports": ("/history/reports/", EVERYBODY_SIGNED_IN),
    "sample_list": ("/history/samples/", (GATE, 403, 403, 403, 200, 200)),
    "sample_draw": ("/history/samples/draw/", POST_ONLY_SIGNED_IN),
    "sample_detail": ("/history/samples/{sample}/", (GATE, 403, 403, 403, 200, 200)),
    "sample_sign": ("/history/samples/{sample}/entries/1/sign/", POST_ONLY_SIGNED_IN),
    "view_save": ("/views/save/", POST_ONLY_SIGNED_IN),
    # Nobody's view: those of somebody else are tested with the views.
    "view_delete": ("/views/1/delete/", POST_ONLY_SIGNED_IN),
    "view_set_shared": ("/views/1/share/", POST_ONLY_SIGNED_IN),
    "view_set_default": ("/views/1/default/", POST_ONLY_SIGNED_IN),
    "view_watch": ("/views/1/watch/", POST_ONLY_SIGNED_IN),
    "view_unwatch": ("/views/1/unwatch/", POST_ONLY_SIGNED_IN),
    "view_seen": ("/views/1/seen/", POST_ONLY_SIGNED_IN),
    "security_list": ("/security/", (GATE, 403, 403, 403, 200, 200)),
    "notification_list": ("/notifications/", EVERYBODY_SIGNED_IN),
    "notification_count": ("/notifications/count/", EVERYBODY_SIGNED_IN),
    "notification_read_all": ("/notifications/read/", POST_ONLY_SIGNED_IN),
    "notification_mail_setting": ("/notifications/mail/", POST_ONLY_SIGNED_IN),
    "order_seen": ("/orders/{order}/seen/", POST_ONLY_SIGNED_IN),
    "healthz": ("/healthz", FOR_STRANGERS_TOO),
    "readyz": ("/readyz", FOR_STRANGERS_TOO),
    "account_login": ("/accounts/login/", SIGNING_IN),
    "account_logout": ("/accounts/logout/", (302, 200, 200, 200, 200, 200)),
    "account_inactive": ("/accounts/inactive/", FOR_STRANGERS_TOO),
    "account_signup": ("/accounts/signup/", SIGNING_IN),
    "account_reauthenticate": ("/accounts/reauthenticate/", EVERYBODY_SIGNED_IN),
    "account_email": ("/accounts/email/", EVERYBODY_SIGNED_IN),
    "account_email_verification_sent": ("/accounts/confirm-email/", FOR_STRANGERS_TOO),
    "account_confirm_email": ("/accounts/confirm-email/nonsense/", FOR_STRANGERS_TOO),
    "account_change_password": ("/accounts/password/change/", EVERYBODY_SIGNED_IN),
    "account_set_password": ("/accounts/password/set/", ONLY_ELSEWHERE),
    "account_reset_password": ("/accounts/password/reset/", FOR_STRANGERS_TOO),
    "account_reset_password_done": ("/accounts/password/reset/done/", FOR_STRANGERS_TOO),
    "account_reset_password_from_key": ("/accounts/password/reset/key/1-nonsense/", FOR_STRANGERS_TOO),
    "account_reset_password_from_key_done": ("/accounts/password/reset/key/done/", FOR_STRANGERS_TOO),
    "account_confirm_login_code": ("/accounts/login/code/confirm/", ONLY_ELSEWHERE),
    "mfa_index": ("/accounts/2fa/", EVERYBODY_SIGNED_IN),
    "mfa_authenticate": ("/accounts/2fa/authenticate/", ONLY_ELSEWHERE),
    "mfa_reauthenticate": ("/accounts/2fa/reauthenticate/", ONLY_ELSEWHERE),
    "mfa_activate_totp": ("/accounts/2fa/totp/activate/", ONLY_ELSEWHERE),
    "mfa_deactivate_totp": ("/accounts/2fa/totp/deactivate/", (GATE, 404, 404, 404, 404, 404)),
    "mfa_view_recovery_codes": ("/accounts/2fa/recovery-codes/", (GATE, 404, 404, 404, 404, 404)),
    "mfa_generate_recovery_codes": ("/accounts/2fa/recovery-codes/generate/", ONLY_ELSEWHERE),
    "mfa_download_recovery_codes": ("/accounts/2fa/recovery-codes/download/", (GATE, 404, 404, 404, 404, 404)),
}


def named(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, str]]:
    """(name, route) of every address of the site."""
    for pattern in resolver.url_patterns:
        inner = namespace or (getattr(pattern, "namespace", "") or "")
        if isinstance(pattern, URLPattern):
            yield (f"{inner}:" if inner else "") + (pattern.name or str(pattern.pattern)), str(pattern.pattern)
        else:
            yield from named(pattern, inner)


def own_names() -> set[str]:
    return {name for name, _ in named(get_resolver()) if not name.startswith("admin:")}


def admin_paths() -> list[str]:
    """An address for each page of the administration: lists, forms for adding, indexes."""
    paths = ["/admin/"]
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and resolver.namespace == "admin":
            for pattern in resolver.url_patterns:
                route = str(pattern.pattern)
                if isinstance(pattern, URLResolver) and isinstance(pattern.pattern, RoutePattern):
                    paths += [f"/admin/{route}", f"/admin/{route}add/"]
    return paths


@pytest.fixture
def clients(rep: User, stranger: User, manager: User, auditor: User, admin: User, signed_in: Any) -> dict[str, Client]:
    users = {"rep": rep, "stranger": stranger, "manager": manager, "auditor": auditor, "administrator": admin}
    return {"anonymous": Client()} | {name: signed_in(user) for name, user in users.items()}


@pytest.fixture
def address(campaign: Campaign, purchase: Purchase, auditor: User) -> Callable[[str], str]:
    order: Order = purchase("3167342254")
    sample = sample_draw(
        actor=Actor.person(auditor), period=Period.latest(2), scope=SampleScope.EVERYTHING, size=10, seed="seed"
    )
    draft = BatchFactory(author_id=order.author_id, author_name=order.author_name)
    batch = BatchFactory(author_id=order.author_id, author_name=order.author_name, status="waiting")
    BatchRowFactory(batch=batch, account=campaign.account, campaign=campaign, number=CAKE)
    keys = {"order": order.pk, "sample": sample.pk, "draft": draft.pk, "batch": batch.pk}
    return lambda name: EXPECTED[name][0].format(**keys)


def test_every_address_of_the_site_stands_in_the_table() -> None:
    assert own_names() == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_an_address_answers_each_person_as_the_table_says(
    name: str, clients: dict[str, Client], address: Callable[[str], str]
) -> None:
    answers = {person: clients[person].get(address(name)) for person in PEOPLE}
    assert {person: answer.status_code for person, answer in answers.items()} == dict(
        zip(PEOPLE, EXPECTED[name][1], strict=True)
    )
    if EXPECTED[name][1][0] == GATE and name not in ("account_logout", "account_set_password", "mfa_authenticate"):
        assert answers["anonymous"]["Location"].startswith(LOGIN)


# What a POST answers to rep, stranger, manager, auditor and administrator, with everything that its form asks for.
# The rep asked for the order, so everybody but the manager may at most talk about it or take it back.
ACTIONS: dict[str, tuple[int, int, int, int, int]] = {
    # Without a format it leads back to the list.
    "history_export": (302, 302, 302, 302, 302),
    "history_evidence": (403, 403, 403, 200, 200),
    "inventory_export": (200, 200, 200, 200, 200),
    "batch_results": (200, 404, 200, 200, 200),
    "inventory_complete": (403, 403, 302, 403, 302),
    # Nobody has declared anything that could be taken back.
    "inventory_incomplete": (403, 403, 409, 403, 409),
    # Nothing of what it asks for is in the form of these tests.
    "media_type_name": (403, 403, 403, 403, 422),
    # It has no name that could be taken away.
    "media_type_unname": (403, 403, 403, 403, 409),
    "order_approve": (403, 404, 302, 403, 403),
    "order_undo_approval": (403, 404, 409, 403, 403),
    "order_reject": (403, 404, 302, 403, 403),
    "order_cancel": (302, 404, 302, 403, 403),
    "order_comment": (302, 404, 302, 403, 403),
    "order_mark_urgent": (302, 404, 302, 403, 403),
    "order_amend": (422, 404, 422, 403, 403),
    "order_settle": (403, 404, 302, 403, 403),
    "order_approve_several": (403, 403, 302, 403, 403),
    "order_new": (422, 422, 422, 403, 403),
    "campaign_change": (422, 404, 422, 403, 403),
    "campaign_confirm": (302, 404, 302, 403, 403),
    # Without the version that shows that the values were read.
    "campaign_reapply": (422, 404, 422, 403, 403),
    "campaign_settle_dispute": (403, 404, 302, 403, 403),
    "campaign_disputes": (403, 403, 422, 403, 403),
    "campaign_extend": (409, 404, 409, 403, 403),
    "campaign_extend_several": (422, 422, 422, 403, 403),
    "location_sync": (403, 403, 302, 403, 302),
    "location_zone": (403, 404, 422, 403, 422),
    # The draft has no row that could be done.
    "batch_submit": (422, 404, 404, 403, 403),
    # No row is ticked.
    "batch_approve": (403, 404, 422, 403, 403),
    "batch_reject": (403, 404, 422, 403, 403),
    # It waits, and nothing of it has failed.
    "batch_pause": (409, 404, 409, 403, 403),
    "batch_resume": (409, 404, 409, 403, 403),
    "batch_cancel": (302, 404, 302, 403, 403),
    "batch_retry": (409, 404, 409, 403, 403),
    "batch_seen": (302, 404, 302, 302, 302),
    "batch_new": (422, 422, 422, 403, 403),
    "batch_select": (302, 302, 302, 403, 403),
    "batch_discard": (302, 404, 404, 403, 403),
    "sending_pause": (403, 403, 302, 403, 302),
    "sending_resume": (403, 403, 409, 403, 409),
    "order_seen": (302, 404, 302, 302, 302),
    "campaign_seen": (302, 404, 302, 302, 302),
    "sample_draw": (403, 403, 403, 422, 403),
    "sample_sign": (403, 403, 403, 422, 403),
}
CHANGE_NOTHING_OF_ORDERS = {
    "notification_read_all",
    "notification_mail_setting",
    "search_tray",
    "view_save",
    "view_delete",
    "view_set_shared",
    "view_set_default",
    "view_watch",
    "view_unwatch",
    "view_seen",
}


def test_every_address_that_acts_stands_in_the_table_of_actions() -> None:
    acting = {name for name, (_, answers) in EXPECTED.items() if answers == POST_ONLY_SIGNED_IN}
    assert acting <= ACTIONS.keys() | CHANGE_NOTHING_OF_ORDERS


@pytest.mark.parametrize("person", PEOPLE[1:])
@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_answers_each_person_as_the_table_says(
    name: str, person: str, clients: dict[str, Client], address: Callable[[str], str]
) -> None:
    order = Order.objects.get()
    sent = {"revision": 1, "reason": "A test", "text": "A test", "order": f"{order.pk}:1", "destination": "911"}
    response = clients[person].post(address(name), sent)
    assert response.status_code == ACTIONS[name][PEOPLE[1:].index(person)]
    if response.status_code in (403, 404):
        order.refresh_from_db()
        assert (order.status, order.urgent, order.revision) == ("pending", False, 1)


def test_nobody_acts_without_having_signed_in(address: Callable[[str], str]) -> None:
    for name in ACTIONS:
        response = Client().post(address(name), {"revision": 1, "reason": "A test"})
        assert response.status_code == 302, name
        assert response["Location"].startswith(LOGIN), name


def test_administration_is_for_superusers_only(clients: dict[str, Client]) -> None:
    paths = admin_paths()
    assert len(paths) > 10
    for path in paths:
        answers = {person: client.get(path) for person, client in clients.items()}
        assert answers.pop("administrator").status_code in (200, 403), path
        for person, answer in answers.items():
            assert answer.status_code in (302, 403, 404), (path, person)
            assert "csrfmiddlewaretoken" not in answer.content.decode() or answer.status_code != 200, (path, person)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_post_without_the_forms_token_is_refused(name: str, manager: User, address: Callable[[str], str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)
    response = client.post(address(name), {"revision": 1, "reason": "forged", "confirmed": "1"})
    assert response.status_code == 403
    assert "came from another site" in response.content.decode()


def test_a_token_of_the_page_is_accepted(manager: User, address: Callable[[str], str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)
    client.get(address("order_detail"))
    sent = {"revision": 1, "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post(address("order_approve"), sent).status_code == 302


class WriteError(AssertionError):
    """Something was written while a page was read."""


def refuse_writes(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """Sessions, caches, and allauth's own copy of an address may be written; nothing else.

    A refused GET is noted: the security log may grow by it.
    """
    word = sql.lstrip().split(" ", 1)[0].upper()
    if word == "INSERT" and sql.startswith('INSERT INTO "numbers_app_securityevent"'):
        return execute(sql, params, many, context)
    if word in ("INSERT", "UPDATE", "DELETE", "REPLACE") and not any(
        f'"{table}"' in sql.split("(", maxsplit=1)[0]
        for table in ("django_session", "portal_cache", "numbers_app_keptsearch", "account_emailaddress")
    ):
        raise WriteError(sql[:200])
    return execute(sql, params, many, context)


@pytest.mark.parametrize("person", PEOPLE)
def test_reading_writes_nothing(
    person: str, clients: dict[str, Client], address: Callable[[str], str], sandbox: SandboxServer
) -> None:
    client = clients[person]
    with connection.execute_wrapper(refuse_writes):
        for name in EXPECTED:
            client.get(address(name))
            client.head(address(name))
        client.get("/search/", {"vanity_text": "cake"})
        client.get("/orders/new/", {"number": CAKE, "account": "L-3"})
    assert sandbox.journal() == []


def test_the_guard_against_writes_sees_a_write(as_manager: Client, address: Callable[[str], str]) -> None:
    with connection.execute_wrapper(refuse_writes), pytest.raises(WriteError):
        as_manager.post(address("order_approve"), {"revision": 1})


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize(
    "name",
    [
        "search",
        "order_new",
        "order_detail",
        "order_approve",
        "order_undo_approval",
        "order_amend",
        "order_availability",
        "order_settle",
        "destination_hints",
        "sending_switch",
        "sending_pause",
        "campaign_change",
    ],
)
def test_other_methods_are_refused(method: str, name: str, as_manager: Client, address: Callable[[str], str]) -> None:
    assert getattr(as_manager, method)(address(name)).status_code == 405


def test_a_switched_off_account_is_out_at_once(as_rep: Client, rep: User) -> None:
    assert as_rep.get("/").status_code == 200
    rep.is_active = False
    rep.save()
    assert as_rep.get("/")["Location"].startswith(LOGIN)
    assert not Client().login(username=rep.username, password=PASSWORD)


def test_the_gate_remembers_where_a_person_wanted_to_go(client: Client) -> None:
    assert client.get("/orders/?status=pending")["Location"] == f"{LOGIN}?next=/orders/%3Fstatus%3Dpending"
