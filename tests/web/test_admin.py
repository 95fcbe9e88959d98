"""Administration: superusers make users and give them roles; the domain's records can only be looked at.

What it writes into the history is in ``tests/people``.
"""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.test import Client

from numbers_app.models import Campaign, HistoryEntry, Order, User
from tests.factories import PASSWORD, UserFactory

from .conftest import Purchase
from .page import Page

pytestmark = pytest.mark.django_db

DOMAIN = [model for model in apps.get_app_config("numbers_app").get_models() if model is not User]


@pytest.fixture
def as_admin(admin: User, signed_in: Any) -> Client:
    client: Client = signed_in(admin)
    return client


def test_it_has_the_portals_icon(as_admin: Client) -> None:
    [icon] = Page(as_admin.get("/admin/")).all("link", rel="icon")
    assert icon.attributes["href"] == Page(as_admin.get("/")).one("link", rel="icon").attributes["href"]


def test_every_model_of_the_domain_can_be_looked_at() -> None:
    assert {model for model in DOMAIN if site.is_registered(model)} == set(DOMAIN)


@pytest.mark.parametrize("model", DOMAIN, ids=lambda model: model.__name__)
def test_a_domain_model_is_read_only(model: Any, as_admin: Client, campaign: Campaign, purchase: Purchase) -> None:
    purchase("3167342254")
    base = f"/admin/numbers_app/{model._meta.model_name}/"
    assert as_admin.get(base).status_code == 200
    assert as_admin.get(f"{base}add/").status_code == 403
    row = model.objects.first()
    if row is None:
        return
    page = Page(as_admin.get(f"{base}{row.pk}/change/"))
    assert page.status == 200
    assert not page.all("input", name="_save")
    assert as_admin.post(f"{base}{row.pk}/change/", {"_save": "Save"}).status_code == 403
    assert as_admin.get(f"{base}{row.pk}/delete/").status_code == 403
    assert as_admin.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    as_admin.post(base, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert model.objects.filter(pk=row.pk).exists()


def test_a_user_is_made_and_put_in_a_group(as_admin: Client, location: Any) -> None:
    group = Group.objects.get(name="Manager")
    sent = {
        "username": "ann",
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
        "first_name": "Ann",
        "last_name": "Ames",
        "email": "ann@example.com",
        "groups": [group.pk],
    }
    response = as_admin.post("/admin/numbers_app/user/add/", sent)
    assert response.status_code == 302, Page(response).text
    ann = User.objects.get(username="ann")
    assert list(ann.groups.all()) == [group]
    assert (
        Client().post("/accounts/login/", {"login": "ann@example.com", "password": sent["password1"]}).status_code
        == 302
    )


def changed_user(as_admin: Client, user: User, **values: Any) -> Any:
    url = f"/admin/numbers_app/user/{user.pk}/change/"
    page = Page(as_admin.get(url))
    form = next(form for form in page.all("form") if form.attributes.get("id") == "user_form")
    sent: dict[str, Any] = {
        element.attributes["name"]: page.values(element.attributes["name"])[0]
        for element in form.all("input")
        if element.attributes.get("type") in ("text", "email", "hidden") and element.attributes.get("name")
    }
    return as_admin.post(url, sent | {"is_active": "on"} | values)


def test_a_users_group_and_zone_are_changed(as_admin: Client, rep: User) -> None:
    auditors = Group.objects.get(name="Auditor")
    response = changed_user(as_admin, rep, groups=[auditors.pk], time_zone="Pacific/Honolulu")
    assert response.status_code == 302, Page(response).text
    rep.refresh_from_db()
    assert (list(rep.groups.all()), rep.time_zone) == ([auditors], "Pacific/Honolulu")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "US/Wrong"])
def test_a_zone_that_does_not_exist_is_refused(as_admin: Client, rep: User, zone: str) -> None:
    response = changed_user(as_admin, rep, time_zone=zone)
    assert f"{zone} is not a time zone." in Page(response).text
    rep.refresh_from_db()
    assert rep.time_zone == ""


def test_staff_who_are_no_superusers_stay_outside(signed_in: Any, location: Any) -> None:
    client = signed_in(UserFactory(role=None, username="staff", is_staff=True))
    for path in ("/admin/", "/admin/numbers_app/user/", "/admin/login/"):
        response = client.get(path)
        assert response.status_code == 403
        assert "Only administrators with superuser rights" in Page(response).text


def test_administration_has_no_sign_in_of_its_own(client: Client, as_admin: Client, as_rep: Client) -> None:
    assert client.get("/admin/login/")["Location"].startswith("/accounts/login/?next=/admin/")
    right = {"username": "admin", "password": PASSWORD}
    assert client.post("/admin/login/", right)["Location"].startswith("/accounts/login/?next=/admin/")
    assert client.get("/admin/").status_code == 302
    assert as_admin.get("/admin/login/")["Location"] == "/admin/"
    refused = as_rep.get("/admin/login/")
    assert refused.status_code == 403
    assert "Only administrators with superuser rights" in Page(refused).text


def test_a_password_of_ones_own_is_changed_on_the_portals_page(as_admin: Client) -> None:
    assert as_admin.get("/admin/password_change/")["Location"] == "/accounts/password/change/"


@pytest.mark.parametrize("path", ["/admin/auth/group/", "/admin/auth/group/add/"])
def test_roles_are_fixed(as_admin: Client, path: str) -> None:
    assert not site.is_registered(Group)
    assert as_admin.get(path).status_code == 404


def test_addresses_to_sign_in_with_are_looked_at_only(as_admin: Client, rep: User) -> None:
    address = EmailAddress.objects.create(user=rep, email="rep@example.com")
    base = "/admin/account/emailaddress/"
    assert as_admin.get(base).status_code == 200
    assert as_admin.get(f"{base}add/").status_code == 403
    assert as_admin.post(f"{base}{address.pk}/change/", {"email": "evil@example.com"}).status_code == 403
    assert as_admin.post(f"{base}{address.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_second_factor_is_given_by_nobody_else(as_admin: Client) -> None:
    assert as_admin.get("/admin/mfa/authenticator/add/").status_code == 403


def test_deleting_a_user_leaves_orders_and_earlier_history_as_they_are(
    as_admin: Client, purchase: Purchase, rep: User
) -> None:
    order = purchase()
    before = list(HistoryEntry.objects.order_by("sequence").values())
    response = as_admin.post(f"/admin/numbers_app/user/{rep.pk}/delete/", {"post": "yes"})
    assert response.status_code == 302, Page(response).text
    assert not User.objects.filter(username="rep").exists()
    order.refresh_from_db()
    assert (order.author_name, Order.objects.count()) == ("Rep Test", 1)
    assert list(HistoryEntry.objects.order_by("sequence").values())[: len(before)] == before
