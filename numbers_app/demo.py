"""A little life for the demo, played through the ordinary services against the sandbox."""

from __future__ import annotations

import csv
import io
import itertools
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import SearchCriteria
from numbers_app.criteria import criteria_to_query
from numbers_app.models import Account, BatchKind, Campaign, Notification, Order, SavedView, Source, User
from numbers_app.permissions import Role
from numbers_app.selectors.search import number_search
from numbers_app.services.batch_drafts import batch_from_file, batch_from_selection
from numbers_app.services.batch_release import batch_finish, batch_release
from numbers_app.services.batches import batch_approve, batch_submit
from numbers_app.services.confirmation import order_request_confirm
from numbers_app.services.decisions import order_approve, order_comment, order_mark_urgent, order_reject
from numbers_app.services.execution import order_execute
from numbers_app.services.media_types import media_type_name
from numbers_app.services.notifications import notifications_read_all, user_set_mail
from numbers_app.services.orders import WantedNumber, order_request_change, order_request_purchase
from numbers_app.services.saved_views import view_save
from numbers_app.services.users import NewUser
from numbers_app.services.watches import watch_start
from numbers_app.tasks import execute_order_behind
from numbers_app.vendor import callcap_client, vendor_turn

PEOPLE = (
    NewUser("rep", "Riley", "Reed", Role.SALES_REP),
    NewUser("rep2", "Robin", "Roe", Role.SALES_REP),
    NewUser("manager", "Morgan", "Moss", Role.MANAGER),
    NewUser("manager2", "Max", "Mora", Role.MANAGER),
    NewUser("auditor", "Avery", "Ash", Role.AUDITOR),
    NewUser("admin", "Alex", "Ames", Role.ADMINISTRATOR, superuser=True),
)
# Granted one Location only, so that the limits of a grant can be seen.
ONE_LOCATION_ONLY = "rep2"

PURCHASES = 40
CHANGES = 8
PENDING = 4
CAMPAIGNS = (
    "Spring mailer",
    "Radio spot",
    "Search ads",
    "Billboard I-35",
    "Bus stops",
    "Newspaper",
    "Trade fair",
    "Website",
)
MEDIA_TYPES = {"Spring mailer": (4, "Direct mail"), "Radio spot": (7, "Radio"), "Billboard I-35": (12, "Billboard")}
# In how many days some of the numbers stop: soon enough to be reminded of, and later.
STOPS = (1, 6, 12, 25, 33, 60, 110, 200)
# Bought before there was a portal. Callcap confirms some, does not know the last one, and is not asked of the others.
IMPORTED = 9
CONFIRMED = 3
WISHES = (
    SearchCriteria(area_code="316"),
    SearchCriteria(vanity_text="home"),
    SearchCriteria(show_tollfree=True),
    SearchCriteria(state="ON"),
)


def play() -> dict[str, int]:
    """Buy about 40 numbers, import and re-route some, and leave some wishes waiting. Returns how many of each."""
    people = {user.username: Actor.person(user, source=Source.COMMAND) for user in User.objects.all()}
    # What was played is not worth a flood of mails; what people do afterwards is.
    for person in people.values():
        user_set_mail(actor=person, wanted=False)
    worker = Actor.portal("Worker", source=Source.COMMAND)
    for media_type, name in MEDIA_TYPES.values():
        media_type_name(actor=people["admin"], number=media_type, name=name)
    locations = itertools.cycle(Account.objects.filter(kind=Account.Kind.LOCATION, active=True))
    offers = _offers()
    for index, number in enumerate(itertools.islice(offers, PURCHASES)):
        order = _request(people["rep"], next(locations), number, index)
        decider = people["manager" if index % 3 else "manager2"]
        order_approve(actor=decider, order_id=order.pk, revision=order.revision)
        order_execute(actor=worker, order_id=order.pk)
        for child in order.children.all():
            order_execute(actor=worker, order_id=child.pk)
    changed = _change_some(people, worker)
    bought = Campaign.objects.count()
    _import_some(people, worker, locations, offers)
    rejected = _request(people["rep"], next(locations), next(offers), 1)
    order_reject(
        actor=people["manager"],
        order_id=rejected.pk,
        revision=1,
        reason="We already have a number for this campaign.",
    )
    told = Notification.objects.latest("pk").pk
    for person in people.values():
        notifications_read_all(actor=person, up_to=told)
    _leave_some_waiting(people, locations, offers)
    _leave_batch_waiting(people["rep"])
    _keep_views(people)
    for person in people.values():
        user_set_mail(actor=person, wanted=True)
    return {"bought": bought, "imported": IMPORTED, "changed": changed, "waiting": PENDING}


def _import_some(people: dict[str, Actor], worker: Actor, locations: Iterator[Account], offers: Iterator[str]) -> None:
    """Numbers from the time before the portal, by file: most never confirmed, some confirmed, one in dispute."""
    rows = [
        _old_number(next(locations), number, index) for index, number in enumerate(itertools.islice(offers, IMPORTED))
    ]
    for row in rows[:-1]:
        # As the company did it then: at Callcap, past the portal.
        vendor_turn()
        callcap_client().provision(
            row["phone_number"],
            row["account"],
            {"destination": row["destination"], "campaign_name": row["campaign_name"]},
        )
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    batch = batch_from_file(
        actor=people["rep"],
        kind=BatchKind.IMPORT,
        filename="numbers-of-2024.csv",
        data=text.getvalue().encode(),
        title="Numbers bought before the portal",
        form_token=uuid.uuid4(),
    )
    batch_submit(actor=people["rep"], batch_id=batch.pk, reason="The list that accounting kept.")
    batch_approve(actor=people["manager"], batch_id=batch.pk, lines=None)
    batch_release(actor=worker, batch_id=batch.pk, ring=execute_order_behind.enqueue)
    batch_finish(actor=worker, batch_id=batch.pk)
    imported = list(Campaign.objects.filter(imported_at__isnull=False).order_by("pk"))
    for campaign in (*imported[: CONFIRMED - 1], imported[-1]):
        order = order_request_confirm(actor=people["manager"], campaign=campaign, form_token=uuid.uuid4())
        order_execute(actor=worker, order_id=order.pk)


def _old_number(account: Account, number: str, index: int) -> dict[str, str]:
    stops = account.today() + timedelta(days=15 * index) if index % 4 == 1 else ""
    return {
        "phone_number": number,
        "account": account.key,
        "destination": f"316555{index + 180:04d}",
        "campaign_name": f"Yellow pages, {account.name}"[:100],
        "brand": account.name.rsplit(" ", 1)[0],
        "stop_date": str(stops),
        "notes": "From the old list: nobody knows who set it up." if index % 3 == 0 else "",
    }


def _leave_batch_waiting(rep: Actor) -> None:
    """Several numbers at once, for a manager to approve or to look at row by row."""
    batch = batch_from_selection(
        actor=rep,
        kind=BatchKind.CHANGE,
        campaigns=Campaign.objects.filter(campaign_name__startswith="Bus stops"),
        values={"destination": "3165550190"},
        title="Bus stops ring at the new reception",
    )
    batch_submit(actor=rep, batch_id=batch.pk, reason="The reception has a new number.")


def _keep_views(people: dict[str, Actor]) -> None:
    """A view of the inventory, and a saved search that the portal repeats: it tells of what comes later."""
    view_save(
        actor=people["manager"],
        page=SavedView.Page.NUMBERS,
        name="Never confirmed",
        query="confirmation=never&sort=number",
        shared=True,
        is_default=False,
    )
    search = view_save(
        actor=people["rep"],
        page=SavedView.Page.SEARCH,
        name="Homes in Wichita",
        query=criteria_to_query(SearchCriteria(area_code="316", vanity_text="home")),
        shared=True,
        is_default=False,
    )
    watch_start(actor=people["rep"], view=search)


def _leave_some_waiting(people: dict[str, Actor], locations: Iterator[Account], offers: Iterator[str]) -> None:
    """Orders that show what a manager meets: a plain one, an urgent one, one with a question, one for later."""
    waiting = [
        _request(people["manager2" if index % 2 else "rep"], next(locations), number, index)
        for index, number in enumerate(itertools.islice(offers, PENDING), start=1)
    ]
    order_mark_urgent(actor=people["rep"], order_id=waiting[1].pk)
    order_comment(actor=people["manager"], order_id=waiting[3].pk, text="Is this for the spring or the summer mailer?")
    campaign = Campaign.objects.filter(imported_at=None).latest("pk")
    order_request_change(
        actor=people["manager"],
        campaign=campaign,
        version=campaign.version,
        parameters={"destination": "3165550177"},
        reason="The shop moves next month.",
        form_token=uuid.uuid4(),
        execute_after=timezone.now() + timedelta(days=30),
    )


def _offers() -> Iterator[str]:
    """Numbers from several searches in turn."""
    lists = [[offer.number for offer in number_search(wish).offers] for wish in WISHES]
    seen: set[str] = set()
    for number in itertools.chain.from_iterable(itertools.zip_longest(*lists)):
        if number and number not in seen:
            seen.add(number)
            yield number


def _request(actor: Actor, account: Account, number: str, index: int) -> Order:
    parameters: dict[str, Any] = {
        "destination": f"316555{index % 20 + 100:04d}",
        "campaign_name": f"{CAMPAIGNS[index % len(CAMPAIGNS)]}, {account.name}"[:100],
        "recording": index % 2 == 0,
        "evaluation": "realtime" if index % 3 == 0 else "off",
    }
    if media_type := MEDIA_TYPES.get(CAMPAIGNS[index % len(CAMPAIGNS)]):
        parameters["media_type_id"] = media_type[0]
    if index % 5 == 0:
        parameters["stop_date"] = (account.today() + timedelta(days=STOPS[index // 5])).isoformat()
    return order_request_purchase(
        actor=actor,
        account=account,
        wanted=[WantedNumber(number)],
        parameters=parameters,
        reason="New campaign of the season.",
        form_token=uuid.uuid4(),
    )


def _change_some(people: dict[str, Actor], worker: Actor) -> int:
    changed = 0
    for index, campaign in enumerate(Campaign.objects.order_by("pk")[:CHANGES]):
        by_rep = index % 2 == 0
        order = order_request_change(
            actor=people["rep" if by_rep else "manager"],
            campaign=campaign,
            version=campaign.version,
            parameters={"destination": f"316555{index + 150:04d}"},
            reason="The shop has moved." if by_rep else "The line was always busy.",
            form_token=uuid.uuid4(),
        )
        if by_rep:
            order_approve(actor=people["manager2"], order_id=order.pk, revision=order.revision)
        order_execute(actor=worker, order_id=order.pk)
        changed += 1
    return changed
