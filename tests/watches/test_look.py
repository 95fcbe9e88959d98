"""What a watch tells, and what it keeps to itself."""

from __future__ import annotations

import pytest
from django.core import mail
from django.db import connection

from numbers_app.actors import Actor
from numbers_app.callcap import CallcapUnreachable, SearchCriteria
from numbers_app.models import Account, MailState, Notification, NotificationKind, SavedView, User, Watch
from numbers_app.permissions import Role
from numbers_app.services.notifications import notification_mail
from numbers_app.services.watches import CUT_OFF, watch_start, watch_stop, watches_run
from tests.factories import CampaignFactory
from tests.orders.steps import ask, at_once
from tests.sandbox_server import SandboxServer

from .conftest import CLOCK, A, B, C, Vendor, come_due, look, save

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("detail", flat=True))


def seen(watch: Watch) -> list[str] | None:
    watch.refresh_from_db()
    return watch.seen


# --- new numbers ---------------------------------------------------------------------------------------------------


def test_the_first_look_only_remembers(watch: Watch, vendor: Vendor) -> None:
    assert watches_run(actor=CLOCK) == 1
    assert (seen(watch), told()) == ([A, B], [])
    assert watch.ran_at


def test_a_number_that_was_not_there_is_told_to_the_owner_once(watch: Watch, vendor: Vendor, rep: User) -> None:
    look()
    vendor.numbers += [C]
    look()
    look()
    notification = Notification.objects.get()
    assert (notification.user, notification.watch, notification.order) == (rep, watch, None)
    assert (notification.kind, notification.detail) == (NotificationKind.APPEARED, "(316) 555-0103")
    assert notification.mail == MailState.DUE


def test_many_new_numbers_make_one_notification_that_names_ten(watch: Watch, vendor: Vendor) -> None:
    look()
    vendor.numbers += [f"31655502{last:02d}" for last in range(13)]
    look()
    [said] = told()
    assert said.startswith("(316) 555-0200, (316) 555-0201, ")
    assert said.endswith("(316) 555-0209, and 3 more")


def test_callcap_itself_is_asked_and_not_what_was_kept(watch: Watch, vendor: Vendor) -> None:
    look()
    assert vendor.asked == [(SearchCriteria(area_code="316"), True, True)]


def test_what_is_ours_or_wanted_is_no_news(watch: Watch, vendor: Vendor, rep: User, location: Account) -> None:
    look()
    ask(rep, location, C)
    CampaignFactory(phone_number="3165550104", account=location)
    vendor.numbers += [C, "3165550104"]
    look()
    assert told() == []


def test_a_number_that_was_gone_for_a_whole_look_is_told_again(watch: Watch, vendor: Vendor) -> None:
    look()
    vendor.numbers = [A]
    look()
    vendor.numbers = [A, B]
    look()
    assert told() == ["(316) 555-0102"]


def test_another_order_of_the_list_is_no_news(watch: Watch, vendor: Vendor) -> None:
    look()
    vendor.numbers.reverse()
    look()
    assert told() == []


def test_mail_names_the_numbers_and_leads_to_the_search(watch: Watch, vendor: Vendor, settings: object) -> None:
    settings.SITE_URL = "https://numbers.example"  # type: ignore[attr-defined]
    look()
    vendor.numbers += [C]
    look()
    notification_mail(actor=CLOCK, notification_id=Notification.objects.get().pk)
    [message] = mail.outbox
    assert message.subject == "Your search Wichita found new numbers - (316) 555-0103"
    assert "Your search Wichita found new numbers.\n\n(316) 555-0103\n\n" in str(message.body)
    assert "https://numbers.example/search/?area_code=316\n" in str(message.body)


def test_who_wants_no_mails_gets_none(watch: Watch, vendor: Vendor, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(mail_wanted=False)
    look()
    vendor.numbers += [C]
    look()
    assert Notification.objects.get().mail == MailState.NONE


# --- lists that do not say everything ------------------------------------------------------------------------------


def test_of_a_list_that_is_cut_off_nothing_is_told_and_its_owner_sees_why(watch: Watch, vendor: Vendor) -> None:
    look()
    vendor.numbers, vendor.capped = [B, C], True
    look()
    vendor.numbers = [A, C]
    look()
    assert (seen(watch), told(), watch.trouble) == (None, [], CUT_OFF)


def test_the_first_whole_list_after_one_that_was_cut_off_only_remembers(watch: Watch, vendor: Vendor) -> None:
    vendor.capped = True
    look()
    vendor.numbers, vendor.capped = [B, C], False
    look()
    assert (seen(watch), told(), watch.trouble) == ([B, C], [], "")
    vendor.numbers += [A]
    look()
    assert told() == ["(316) 555-0101"]


def test_a_number_that_perhaps_could_not_be_read_is_not_taken_for_gone(watch: Watch, vendor: Vendor) -> None:
    look()
    vendor.numbers, vendor.skipped = [A], 1
    look()
    vendor.numbers, vendor.skipped = [A, B], 0
    look()
    assert told() == []


# --- no answer -----------------------------------------------------------------------------------------------------


def test_without_an_answer_what_was_seen_stays_and_its_owner_sees_why(watch: Watch, vendor: Vendor) -> None:
    look()
    vendor.error = CallcapUnreachable("Callcap could not be reached. Nothing was sent.")
    look()
    assert (seen(watch), watch.trouble) == ([A, B], "Callcap could not be reached. Nothing was sent.")
    vendor.error, vendor.numbers = None, [A, B, C]
    look()
    assert (told(), seen(watch), watch.trouble) == (["(316) 555-0103"], [A, B, C], "")


def test_a_first_look_without_an_answer_remembers_nothing(watch: Watch, vendor: Vendor) -> None:
    vendor.error = CallcapUnreachable("Gone.")
    look()
    vendor.error = None
    look()
    assert (seen(watch), told()) == ([A, B], [])


def test_real_numbers_appear(watch: Watch, sandbox: SandboxServer) -> None:
    number = sandbox.search(areaCode="316")[0]["phoneNumber"]
    sandbox.take(number)
    look()
    sandbox.arm_fault("503", "search", rate=1)
    look()
    sandbox.clear_faults()
    sandbox.reset()
    look()
    assert told() == [f"({number[:3]}) {number[3:6]}-{number[6:]}"]


# --- who may not any more ------------------------------------------------------------------------------------------


def test_who_has_left_has_nothing_looked_at(watch: Watch, vendor: Vendor, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(is_active=False)
    assert (look(), watches_run(actor=CLOCK), vendor.asked) == (0, 0, [])


def test_who_may_no_longer_search_has_nothing_looked_at(watch: Watch, vendor: Vendor, rep: User) -> None:
    rep.groups.clear()
    assert (look(), vendor.asked) == (0, [])


def test_an_account_that_was_taken_away_is_not_searched_in(rep: User, vendor: Vendor) -> None:
    view = save(rep, "account=L-3&show_reserved_pool=on", "Reserve")
    watch = watch_start(actor=Actor.person(rep), view=view)
    look()
    rep.grants.all().delete()
    look()
    assert len(vendor.asked) == 1
    assert seen(watch) == [A, B]
    assert watch.trouble == "The Location L-3 is not granted to you any more, or has closed."


# --- at the same time ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_clocks_take_one_look(watch: Watch, vendor: Vendor) -> None:
    come_due()
    counts = at_once(*[lambda: watches_run(actor=CLOCK)] * 4)
    assert (sorted(counts), len(vendor.asked)) == ([0, 0, 0, 1], 1)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_callcap_is_asked(watch: Watch, vendor: Vendor) -> None:
    inside: list[bool] = []
    vendor.during = lambda: inside.append(connection.in_atomic_block)
    look()
    assert inside == [False]


def test_a_search_that_is_saved_anew_during_a_look_starts_afresh(watch: Watch, vendor: Vendor, rep: User) -> None:
    look()
    vendor.numbers += [C]
    vendor.during = lambda: save(rep, "area_code=620")
    look()
    assert (seen(watch), told()) == (None, [])


def test_a_watch_that_is_stopped_during_a_look_tells_nothing(
    watch: Watch, vendor: Vendor, rep: User, search: SavedView
) -> None:
    look()
    vendor.numbers += [C]
    vendor.during = lambda: watch_stop(actor=Actor.person(rep), view=search)
    look()
    assert told() == []


def test_the_role_is_what_counts_and_not_that_it_was_a_rep(vendor: Vendor, manager: User) -> None:
    watch_start(actor=Actor.person(manager), view=save(manager))
    assert look() == 1
    assert manager.groups.get().name == Role.MANAGER
