"""Who sees what, and who may act where."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from numbers_app.models import Account, Campaign, Order, User
from numbers_app.models.users import validate_time_zone
from numbers_app.permissions import CAPABILITIES, Capability, Role, can, capabilities_of, require
from numbers_app.selectors.accounts import accounts_granted, accounts_visible, locations_granted
from numbers_app.selectors.campaigns import campaign_list
from numbers_app.selectors.orders import order_list, order_queue, orders_open_for_number
from tests.factories import (
    CampaignFactory,
    CorporateFactory,
    DivisionFactory,
    GrantFactory,
    LocationFactory,
    OrderFactory,
    UserFactory,
)
from tests.orders.steps import CAKE, approve, ask

SOMEBODY = 999_999  # an author who is none of the people here

pytestmark = pytest.mark.django_db


@dataclass
class Tree:
    """C-1 over D-1 over L-1 and L-2, D-2 over L-3; C-10 over D-10 over L-10."""

    corporate: Account
    division: Account
    first: Account
    second: Account
    third: Account
    other: Account


@pytest.fixture
def tree() -> Tree:
    corporate = CorporateFactory(callcap_id=1)
    division = DivisionFactory(callcap_id=1, parent=corporate)
    other = DivisionFactory(callcap_id=10, parent=CorporateFactory(callcap_id=10))
    return Tree(
        corporate=corporate,
        division=division,
        first=LocationFactory(callcap_id=1, parent=division),
        second=LocationFactory(callcap_id=2, parent=division),
        third=LocationFactory(callcap_id=3, parent=DivisionFactory(callcap_id=2, parent=corporate)),
        other=LocationFactory(callcap_id=10, parent=other),
    )


def person(role: Role, *accounts: Account) -> User:
    user: User = UserFactory(role=role)
    for account in accounts:
        GrantFactory(user=user, account=account)
    return user


def keys(accounts: object) -> set[str]:
    return {account.key for account in accounts}  # type: ignore[attr-defined]


def test_grant_covers_the_account_and_everything_below(tree: Tree) -> None:
    assert keys(accounts_granted(person(Role.SALES_REP, tree.first))) == {"L-1"}
    assert keys(accounts_granted(person(Role.SALES_REP, tree.division))) == {"D-1", "L-1", "L-2"}
    assert keys(accounts_granted(person(Role.SALES_REP, tree.corporate))) == {"C-1", "D-1", "L-1", "L-2", "D-2", "L-3"}


def test_grant_of_c_1_is_none_of_c_10(tree: Tree) -> None:
    assert tree.other not in accounts_granted(person(Role.MANAGER, tree.corporate))


def test_several_grants_add_up(tree: Tree) -> None:
    assert keys(locations_granted(person(Role.MANAGER, tree.division, tree.other))) == {"L-1", "L-2", "L-10"}


def test_without_grants_there_is_nothing(tree: Tree) -> None:
    user = person(Role.MANAGER)
    assert keys(accounts_granted(user)) == keys(accounts_visible(user)) == keys(locations_granted(user)) == set()


def test_location_that_is_gone_is_seen_but_takes_no_orders(tree: Tree) -> None:
    Account.objects.filter(pk=tree.first.pk).update(active=False)
    user = person(Role.SALES_REP, tree.division)
    assert keys(locations_granted(user)) == {"L-2"}
    assert tree.first in accounts_visible(user)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
def test_auditors_and_administrators_see_all_and_act_nowhere(tree: Tree, role: Role) -> None:
    user = person(role)
    assert accounts_visible(user).count() == Account.objects.count()
    assert not accounts_granted(user).exists()
    CampaignFactory(phone_number=CAKE, account=tree.other)
    assert [campaign.phone_number for campaign in campaign_list(user)] == [CAKE]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
def test_a_grant_does_not_let_an_auditor_act(tree: Tree, role: Role, rep: User) -> None:
    user = person(role, tree.first)
    GrantFactory(user=rep, account=tree.first)
    with pytest.raises(PermissionDenied):
        ask(user, tree.first)
    with pytest.raises(PermissionDenied):
        approve(user, ask(rep, tree.first))


def test_manager_who_is_also_auditor_sees_all_but_acts_within_grants(tree: Tree) -> None:
    both = person(Role.MANAGER, tree.first)
    both.groups.add(Group.objects.get(name=Role.AUDITOR))
    assert tree.other in accounts_visible(both)
    stranger = person(Role.SALES_REP, tree.other)
    colleague = person(Role.SALES_REP, tree.first)
    beyond = ask(stranger, tree.other, "3164440002")
    within = ask(colleague, tree.first, CAKE)
    assert set(order_list(both)) == {beyond, within}
    assert list(order_queue(both)) == [within]
    with pytest.raises(Order.DoesNotExist):
        approve(both, beyond)
    with pytest.raises(PermissionDenied):
        ask(both, tree.other, "3164440003")
    assert approve(both, within).status == "approved"


def test_orders_numbers_and_queue_stay_within_the_grants(tree: Tree) -> None:
    manager = person(Role.MANAGER, tree.division)
    inside = OrderFactory(account=tree.second, phone_number=CAKE, author_id=SOMEBODY)
    OrderFactory(account=tree.other, phone_number=CAKE, author_id=SOMEBODY)
    CampaignFactory(phone_number="3164440002", account=tree.first)
    CampaignFactory(phone_number="3164440003", account=tree.other)
    assert list(order_list(manager)) == list(order_queue(manager)) == [inside]
    assert list(orders_open_for_number(manager, CAKE)) == [inside]
    assert [campaign.phone_number for campaign in campaign_list(manager)] == ["3164440002"]


def test_queue_leaves_out_one_s_own_and_what_is_decided_and_shows_the_oldest_first(tree: Tree) -> None:
    manager = person(Role.MANAGER, tree.corporate)
    first = OrderFactory(account=tree.first, author_id=SOMEBODY)
    second = OrderFactory(account=tree.third, author_id=SOMEBODY)
    OrderFactory(account=tree.first, author_id=manager.pk)
    OrderFactory(account=tree.first, author_id=SOMEBODY, status="cancelled")
    assert list(order_queue(manager)) == [first, second]


def test_grant_taken_away_is_gone_at_once(tree: Tree) -> None:
    user = person(Role.SALES_REP, tree.first)
    user.grants.all().delete()
    with pytest.raises(PermissionDenied):
        ask(user, tree.first)


def test_same_grant_twice_is_refused_by_the_database(tree: Tree) -> None:
    user = person(Role.SALES_REP, tree.first)
    with pytest.raises(IntegrityError), transaction.atomic():
        GrantFactory(user=user, account=tree.first)


def test_granted_account_cannot_be_deleted(tree: Tree) -> None:
    person(Role.SALES_REP, tree.first)
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.filter(pk=tree.first.pk).delete()


def test_open_path_is_refused_by_the_database(tree: Tree) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.filter(pk=tree.first.pk).update(path="/C-1/D-1/L-1")


def test_person_without_a_role_may_do_nothing() -> None:
    user: User = UserFactory()
    assert capabilities_of(user) == frozenset()


def test_inactive_person_may_do_nothing() -> None:
    user: User = UserFactory(role=Role.MANAGER, is_active=False)
    assert not any(can(user, capability) for capability in Capability)
    with pytest.raises(PermissionDenied, match="An administrator can change your role"):
        require(user, Capability.SEARCH)


def test_superuser_has_no_capability_that_no_role_gives() -> None:
    user: User = UserFactory(is_superuser=True)
    assert capabilities_of(user) == frozenset()


def test_nobody_who_sees_everything_can_act_by_that_role_alone() -> None:
    for capabilities in CAPABILITIES.values():
        acting = capabilities & {Capability.ORDER, Capability.DECIDE, Capability.CHANGE_ROUTING}
        assert not (acting and Capability.SEE_ALL in capabilities)


def test_every_role_is_a_group() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= set(Role)


def test_time_zone_of_a_person_is_a_real_one() -> None:
    validate_time_zone("America/Chicago")
    with pytest.raises(ValidationError, match="Mars/Olympus is not a time zone"):
        validate_time_zone("Mars/Olympus")


def test_person_without_a_name_is_shown_by_username() -> None:
    assert UserFactory.build(username="rr", first_name="", last_name="").display_name == "rr"


def test_campaigns_know_which_numbers_they_hold(tree: Tree) -> None:
    campaign: Campaign = CampaignFactory(phone_number=CAKE, account=tree.first)
    assert str(campaign) == CAKE


def test_a_role_is_seen_by_whoever_reads_the_person_anew() -> None:
    person: User = UserFactory(username="reader", role=Role.SALES_REP)
    assert can(person, Capability.ORDER)
    person.groups.clear()
    assert not can(User.objects.get(pk=person.pk), Capability.ORDER)
    person.refresh_from_db()
    assert not can(person, Capability.ORDER)
