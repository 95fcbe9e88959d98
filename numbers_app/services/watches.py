"""Repeating saved searches and telling their owners of numbers that were not there before.

The vendor is asked outside any transaction. A look is claimed by moving ``due_at`` on, of which one clock alone
succeeds, and what came of it is kept only while that claim stands: a search that was saved anew meanwhile, or a
watch that was stopped, loses nothing but one look.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import CallcapError, SearchAnswer, SearchCriteria
from numbers_app.errors import InvalidInput
from numbers_app.forms.saved_views import error_sentences
from numbers_app.forms.search import SearchForm
from numbers_app.models import SavedView, User, Watch
from numbers_app.permissions import Capability, can, require
from numbers_app.selectors.accounts import locations_granted
from numbers_app.selectors.taken import numbers_taken
from numbers_app.text import phone_text
from numbers_app.vendor import searched_recall, vendor_search

from .notifications import watch_tell
from .saved_views import view_own

MOST_LOOKS = 5
MOST_NAMED = 10
# Multiples of the golden ratio spread evenly over any interval, however many there are.
GOLDEN = 0.618_033_988_749_895
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
CUT_OFF = "Callcap's list is cut off, so new numbers cannot be told from old ones. Make the search narrower."


class _NotAllowedError(Exception):
    """The search is no longer one that its owner may make; the message says why."""


def watch_start(*, actor: Actor, view: SavedView, every_minutes: int = Watch.USUAL_MINUTES) -> Watch:
    """Repeat one of the actor's own searches, or repeat it at another pace; the first look comes at once.

    The watch's ``trouble`` is what is known already to be in its way.
    Raises SavedView.DoesNotExist for somebody else's, PermissionDenied for who may not search, InvalidInput for what is
    no search and for a pace out of bounds.
    """
    person = actor.person_or_refuse
    own = view_own(person, view)
    require(person, Capability.SEARCH)
    if own.page != SavedView.Page.SEARCH:
        raise InvalidInput("Only a search can be watched.")
    if not Watch.LEAST_MINUTES <= every_minutes <= Watch.MOST_MINUTES:
        raise InvalidInput("A search is repeated every 5 minutes at most and once a day at least.", "every_minutes")
    watch, _ = Watch.objects.update_or_create(
        view=own,
        defaults={"every_minutes": every_minutes, "due_at": timezone.now(), "trouble": _trouble_ahead(own, person)},
    )
    return watch


def watch_stop(*, actor: Actor, view: SavedView) -> None:
    """Repeat one of the actor's own searches no longer; what its watch told goes with it. Harmless to repeat.

    Raises SavedView.DoesNotExist for somebody else's.
    """
    Watch.objects.filter(view=view_own(actor.person_or_refuse, view)).delete()


def watches_run(*, actor: Actor) -> int:
    """Take a look for each watch that is due, at most MOST_LOOKS of them, the longest due first. Returns how many."""
    due = Watch.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    return sum(_look(watch) for watch in due.select_related("view__owner")[:MOST_LOOKS])


def _look(watch: Watch) -> bool:
    claimed = Watch.objects.filter(pk=watch.pk, due_at=watch.due_at)
    next_at = _next_slot(watch, timezone.now())
    if not claimed.update(due_at=next_at):
        return False
    owner = watch.view.owner
    if not owner.is_active or not can(owner, Capability.SEARCH):
        return False
    ours = Watch.objects.filter(pk=watch.pk, due_at=next_at)
    try:
        answer = vendor_search(_criteria(watch.view, owner), fresh=True, batch=True).answer
    except CallcapError as error:
        ours.update(ran_at=timezone.now(), trouble=error.message)
    except _NotAllowedError as why:
        ours.update(ran_at=timezone.now(), trouble=str(why))
    else:
        _remember(watch, next_at, answer)
    return True


def _trouble_ahead(view: SavedView, owner: User) -> str:
    """Why a watch would tell nothing, as far as that is known without asking Callcap: most come from its results."""
    try:
        kept = searched_recall(_criteria(view, owner))
    except _NotAllowedError as why:
        return str(why)
    return CUT_OFF if kept and kept.answer.capped else ""


def _next_slot(watch: Watch, now: datetime) -> datetime:
    """The watch's next time after ``now``: a place of its own within each interval, so that watches do not bunch."""
    period = timedelta(minutes=watch.every_minutes)
    start = EPOCH + period * (watch.pk * GOLDEN % 1)
    return start + period * ((now - start) // period + 1)


def _criteria(view: SavedView, owner: User) -> SearchCriteria:
    """What the owner may search for today. Raises _NotAllowedError when the search is not one any more."""
    form = SearchForm(QueryDict(view.query), locations=locations_granted(owner))
    if form.is_valid():
        return form.criteria()
    if "account" in form.errors:
        raise _NotAllowedError(f"The Location {form['account'].value()} is not granted to you any more, or has closed.")
    raise _NotAllowedError(" ".join(error_sentences(form)))


def _remember(watch: Watch, claim: datetime, answer: SearchAnswer) -> None:
    """Keep what was seen and tell of what is new, both or neither.

    Of a list that is cut off any part may be missing: nothing is known by it, so the next whole one only remembers,
    as the first does. An item that could not be read may be any number, so that nothing is taken for gone.
    """
    offered = {offer.number for offer in answer.numbers}
    before = set(watch.seen or ())
    seen = offered | before if answer.skipped else offered
    new = [] if watch.seen is None or answer.capped else _free(sorted(offered - before))
    with transaction.atomic():
        kept = Watch.objects.filter(pk=watch.pk, due_at=claim).update(
            seen=None if answer.capped else sorted(seen),
            ran_at=timezone.now(),
            trouble=CUT_OFF if answer.capped else "",
        )
        if kept and new:
            watch_tell(watch=watch, owner=watch.view.owner, detail=_in_words(new))


def _free(numbers: list[str]) -> list[str]:
    """Those that nobody asks for and that are not ours."""
    taken = numbers_taken(numbers)
    return [number for number in numbers if number not in taken]


def _in_words(numbers: list[str]) -> str:
    named = ", ".join(phone_text(number) for number in numbers[:MOST_NAMED])
    more = len(numbers) - MOST_NAMED
    return f"{named}, and {more} more" if more > 0 else named
