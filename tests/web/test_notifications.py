"""The bell and its page: what a person was told, what counts as read, and whether mails are sent."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from numbers_app.actors import Actor
from numbers_app.models import Account, MailState, Notification, NotificationKind, Order, User
from numbers_app.selectors.notifications import MOST_COUNTED
from numbers_app.services.decisions import order_comment, order_reject

from .conftest import HTMX, Purchase
from .page import Element, Page

pytestmark = pytest.mark.django_db

READ_ALL = "/notifications/read/"


def opened(client: Client, address: str = "/notifications/") -> Page:
    response = client.get(address)
    assert response.status_code == 200
    return Page(response)


def rows(page: Page) -> list[Element]:
    return [row for found in page.all("ol", class_="news") for row in found.all("li")]


def bell(page: Page) -> str:
    return page.one("a", href="/notifications/", class_="bell").text


def unread(user: User) -> int:
    return user.notifications.filter(read_at=None).count()


def told(user: User, order: Order, times: int = 1, **fields: Any) -> list[Notification]:
    made = [Notification(user=user, order=order, kind=NotificationKind.COMMENTED, **fields) for _ in range(times)]
    return Notification.objects.bulk_create(made)


def test_a_manager_reads_who_asked_for_what_and_why(as_manager: Client, purchase: Purchase, location: Account) -> None:
    order = purchase()
    row = rows(opened(as_manager))[0].text
    assert f"Order {order.pk}, purchase of (316) 734-2253, waits for your decision" in row
    assert "Rep Test: For the spring campaign" in row
    assert str(location) in row
    assert "UTC" in row
    assert "State now: Waiting for approval" in row


def test_the_newest_stands_first(as_manager: Client, purchase: Purchase) -> None:
    first, second = purchase("3167342254"), purchase("3167342255")
    newest, oldest = rows(opened(as_manager))
    assert f"Order {second.pk}," in newest.text
    assert f"Order {first.pk}," in oldest.text


def test_unread_ones_are_marked_with_a_word(as_manager: Client, purchase: Purchase, manager: User) -> None:
    purchase("3167342254")
    manager.notifications.update(read_at="2026-01-01T00:00:00Z")
    purchase("3167342255")
    assert [bool(row.all("span", class_="badge-state badge-info")) for row in rows(opened(as_manager))] == [True, False]
    assert "New" in rows(opened(as_manager))[0].text


def test_opening_an_order_marks_what_was_told_of_it_and_leads_to_it(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    order, other = purchase("3167342254"), purchase("3167342255")
    told(manager, order)
    address = f"/orders/{order.pk}/seen/"
    assert len(opened(as_manager).all("form", action=address)) == 2
    response = as_manager.post(address)
    assert response["Location"] == f"/orders/{order.pk}/"
    assert list(manager.notifications.filter(read_at=None).values_list("order", flat=True)) == [other.pk]
    read = next(row for row in rows(opened(as_manager)) if f"Order {order.pk}," in row.text)
    assert read.one("a").attributes["href"] == f"/orders/{order.pk}/"


def test_a_script_that_only_says_that_the_order_was_seen_gets_nothing(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    order = purchase()
    response = as_manager.post(f"/orders/{order.pk}/seen/", headers=HTMX)
    assert (response.status_code, response.content) == (204, b"")
    assert unread(manager) == 0


def test_looking_marks_nothing(as_manager: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    for address in ("/notifications/", "/notifications/?unread=1", "/notifications/count/", f"/orders/{order.pk}/"):
        opened(as_manager, address)
    for address in (f"/orders/{order.pk}/seen/", "/notifications/read/", "/notifications/mail/"):
        assert as_manager.get(address).status_code == 405
    assert unread(manager) == 1


def test_what_another_person_was_told_stays_unread(
    as_manager: Client, purchase: Purchase, manager: User, manager2: User
) -> None:
    order = purchase()
    as_manager.post(f"/orders/{order.pk}/seen/")
    newest = Notification.objects.latest("pk").pk
    as_manager.post("/notifications/read/", {"up_to": newest})
    assert (unread(manager), unread(manager2)) == (0, 1)


def test_everybody_sees_only_their_own(signed_in: Any, strange_manager: User, purchase: Purchase) -> None:
    purchase()
    page = opened(signed_in(strange_manager))
    assert rows(page) == []
    assert "No notifications yet" in page.text
    assert bell(page) == "Notifications: none unread"


def test_an_order_of_another_account_is_not_there(
    signed_in: Any, strange_manager: User, rep: User, manager: User, purchase: Purchase
) -> None:
    order = purchase()
    order_reject(actor=Actor.person(manager), order_id=order.pk, revision=1, reason="No")
    assert signed_in(strange_manager).post(f"/orders/{order.pk}/seen/").status_code == 404
    assert signed_in(strange_manager).post("/orders/999999/seen/").status_code == 404
    assert unread(rep) == 1


def test_who_lost_an_account_reads_nothing_of_its_orders_any_more(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    order = purchase()
    manager.grants.all().delete()
    page = opened(as_manager)
    assert "not granted to you any more" in rows(page)[0].text
    assert "For the spring campaign" not in page.text
    assert "734-2253" not in page.text
    assert page.all("form", action=f"/orders/{order.pk}/seen/") == []
    assert bell(page) == "Notifications: 1 unread"


def test_all_are_marked_as_read_at_once(as_manager: Client, purchase: Purchase, manager: User) -> None:
    purchase("3167342254")
    purchase("3167342255")
    seen = opened(as_manager).filled(READ_ALL)
    response = as_manager.post(READ_ALL, seen, follow=True)
    page = Page(response)
    assert page.alerts == ["2 notifications are marked as read."]
    assert unread(manager) == 0
    assert page.all("form", action=READ_ALL) == []
    assert Page(as_manager.post(READ_ALL, seen, follow=True)).alerts == ["There was nothing unread."]


@pytest.mark.parametrize("address", ["/notifications/", "/notifications/?unread=1"])
def test_what_arrived_after_the_page_was_drawn_stays_unread(
    as_manager: Client, purchase: Purchase, manager: User, address: str
) -> None:
    purchase("3167342254")
    seen = opened(as_manager, address).filled(READ_ALL)
    later = purchase("3167342255")
    page = Page(as_manager.post(READ_ALL, seen, follow=True))
    assert page.alerts == ["1 notification is marked as read."]
    assert [told_of.order for told_of in manager.notifications.filter(read_at=None)] == [later]
    assert bell(page) == "Notifications: 1 unread"


@pytest.mark.parametrize("up_to", [None, "", "-1", "everything", "\x00"])
def test_nothing_is_marked_by_a_form_that_does_not_say_up_to_where(
    as_manager: Client, purchase: Purchase, manager: User, up_to: str | None
) -> None:
    purchase()
    response = as_manager.post(READ_ALL, {} if up_to is None else {"up_to": up_to})
    assert response.status_code == 422
    assert Page(response).summary
    assert unread(manager) == 1


def test_only_the_unread_ones_on_demand(as_manager: Client, purchase: Purchase, manager: User) -> None:
    read, new = purchase("3167342254"), purchase("3167342255")
    as_manager.post(f"/orders/{read.pk}/seen/")
    page = opened(as_manager)
    assert page.links("Unread only") == ["/notifications/?unread=1"]
    assert len(rows(page)) == 2
    unread_only = opened(as_manager, "/notifications/?unread=1")
    assert [f"Order {new.pk}," in row.text for row in rows(unread_only)] == [True]
    as_manager.post(READ_ALL, unread_only.filled(READ_ALL))
    assert "Nothing unread" in opened(as_manager, "/notifications/?unread=1").text


def test_pages_of_fifty_keep_the_filter(as_manager: Client, purchase: Purchase, manager: User) -> None:
    told(manager, purchase(), times=50)
    page = opened(as_manager, "/notifications/?unread=1")
    assert len(rows(page)) == 50
    assert page.links("Next") == ["?unread=1&page=2"]
    assert len(rows(opened(as_manager, "/notifications/?unread=1&page=2"))) == 1


@pytest.mark.parametrize("query", ["?page=nonsense", "?page=99", "?unread=maybe", "?unread=%00"])
def test_nonsense_in_the_address_does_no_harm(as_manager: Client, purchase: Purchase, query: str) -> None:
    purchase()
    assert len(rows(opened(as_manager, f"/notifications/{query}"))) == 1


def test_every_control_has_a_name_of_its_own(as_manager: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    told(manager, order, times=2)
    told(manager, order, times=2, read_at="2026-01-01T00:00:00Z")
    main = opened(as_manager).one("main")
    names = [control.text for tag in ("button", "a") for control in main.all(tag)]
    assert len(names) == len(set(names)), names


def test_what_people_wrote_is_shown_as_text(as_manager: Client, purchase: Purchase, manager: User) -> None:
    told(manager, purchase(), detail="<script>alert(7)</script>")
    html = opened(as_manager).html
    assert "<script>alert(7)" not in html
    assert "&lt;script&gt;alert(7)&lt;/script&gt;" in html


def test_a_mail_that_could_not_be_sent_is_admitted(as_manager: Client, purchase: Purchase, manager: User) -> None:
    purchase()
    assert "could not be sent" not in opened(as_manager).text
    manager.notifications.update(mail=MailState.FAILED)
    assert "The mail about this could not be sent." in rows(opened(as_manager))[0].text


def test_mails_are_turned_off_and_on_with_the_button_of_the_page(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    purchase()
    for heading, word, wanted in (("Mails are on", "off", False), ("Mails are off", "on", True)):
        page = opened(as_manager)
        assert heading in page.text
        assert page.one("form", action="/notifications/mail/").one("button").text == f"Turn mails {word}"
        answer = as_manager.post("/notifications/mail/", page.filled("/notifications/mail/"), follow=True)
        assert f"Mails are {word}." in Page(answer).alerts[0]
        manager.refresh_from_db()
        assert manager.mail_wanted is wanted
    assert not manager.notifications.filter(mail=MailState.DUE).exists()


@pytest.mark.parametrize("sent", [{}, {"wanted": ""}, {"wanted": "perhaps"}, {"wanted": "\x00"}])
def test_mails_are_not_turned_off_by_what_says_neither(as_manager: Client, manager: User, sent: dict[str, str]) -> None:
    response = as_manager.post("/notifications/mail/", sent)
    assert response.status_code == 422
    assert "press the button again" in Page(response).summary
    manager.refresh_from_db()
    assert manager.mail_wanted


def test_who_has_no_address_is_told_so(as_manager: Client, manager: User) -> None:
    User.objects.filter(pk=manager.pk).update(email="")
    assert "No address is known of you" in opened(as_manager).text


def test_the_bell_counts_on_every_page(as_manager: Client, as_rep: Client, purchase: Purchase, manager: User) -> None:
    assert bell(opened(as_manager, "/")) == "Notifications: none unread"
    told(manager, purchase(), times=2)
    for address in ("/", "/orders/", "/history/", "/notifications/", "/accounts/password/change/"):
        assert bell(opened(as_manager, address)) == "Notifications: 3 unread"
    assert bell(opened(as_rep, "/")) == "Notifications: none unread"


def test_the_bell_counts_to_ninety_nine(as_manager: Client, purchase: Purchase, manager: User) -> None:
    told(manager, purchase(), times=98)
    assert bell(opened(as_manager, "/")) == "Notifications: 99 unread"
    told(manager, Order.objects.get(), times=30)
    assert bell(opened(as_manager, "/")) == "Notifications: 99+ unread"


def test_nobody_signed_in_hears_no_bell(client: Client) -> None:
    assert Page(client.get("/accounts/login/")).all("a", class_="bell") == []


def test_the_bell_refreshes_itself_with_a_fragment(as_manager: Client, purchase: Purchase) -> None:
    purchase()
    poll = opened(as_manager, "/").one("a", class_="bell").one("span", hx_get="/notifications/count/")
    assert "data-quiet" in poll.attributes
    response = as_manager.get(poll.attributes["hx-get"], headers=HTMX)
    fragment = Page(response)
    assert fragment.text == poll.text == "Notifications: 1 unread"
    assert fragment.all("html") == []


def test_the_count_is_one_bounded_query_and_fragments_do_without(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    told(manager, purchase(), times=MOST_COUNTED)

    def counts(address: str, **headers: str) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            as_manager.get(address, headers=headers)
        return [query["sql"] for query in queries if "notification" in query["sql"]]

    [sql] = counts("/history/")
    assert f"LIMIT {MOST_COUNTED}" in sql
    assert "ORDER BY" not in sql
    assert counts("/history/", **HTMX) == []
    assert len(counts("/notifications/count/", **HTMX)) == 1


def test_a_long_list_costs_no_more_queries_than_a_short_one(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            as_manager.get("/notifications/")
        return len(captured)

    purchase("3167342254")
    few = queries()
    for number in ("3167342255", "3167342256", "3167342257"):
        told(manager, purchase(number), times=5)
    assert queries() == few


def test_auditors_and_administrators_have_the_page_too(signed_in: Any, auditor: User, admin: User) -> None:
    for person in (auditor, admin):
        assert "No notifications yet" in opened(signed_in(person)).text


def test_a_comment_tells_the_person_who_asked(as_rep: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    order_comment(actor=Actor.person(manager), order_id=order.pk, text="Which campaign?")
    row = rows(opened(as_rep))[0].text
    assert f"Order {order.pk}, purchase of (316) 734-2253, has a new comment" in row
    assert "Manager Test: Which campaign?" in row
