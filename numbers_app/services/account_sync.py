"""Reading the vendor's account tree into ours: now, once an hour, or when somebody asks.

The vendor is asked for every Location, so a large tree takes a while: nobody at a screen waits for it. How the last
reading went is kept in the cache that all processes share; losing it loses no more than a sentence on a page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from django.core.cache import cache
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import AccountNode, CallcapError, CallcapUnreadable
from numbers_app.models import Account, HistoryEntry, Verb
from numbers_app.vendor import vendor_corporates, vendor_describe_account

from .history import history_append

logger = structlog.get_logger(__name__)

STATE, CLAIM = "accounts_sync", "accounts_sync_claim"
# After this time a reading that has not ended counts as given up: its process has died, or nobody began it.
LONGEST = timedelta(minutes=15)
# What was read this recently is not read again by the clock, which may have been started anew.
FRESH = timedelta(minutes=30)
CUT_SHORT = "Its answer was probably cut short."


class ManyGone(CallcapUnreadable):
    """The answer lacks so many of our accounts that it was more likely cut short."""


@dataclass(frozen=True)
class SyncResult:
    """How many accounts the vendor listed, and how many of them were added, changed or gone."""

    listed: int
    added: int
    changed: int
    vanished: int


@dataclass(frozen=True)
class SyncState:
    """How the reading of the tree stands. ``trouble`` says why the last one failed; empty when it did not.

    ``many_gone`` says that it failed because so many accounts were missing, which a person may confirm.
    ``begun_at`` and ``begun_by`` are set from the moment it is asked for until it ends.
    """

    begun_at: datetime | None = None
    begun_by: str = ""
    ended_at: datetime | None = None
    trouble: str = ""
    many_gone: bool = False

    @property
    def is_being_read(self) -> bool:
        return self.begun_at is not None and timezone.now() - self.begun_at < LONGEST

    @property
    def was_given_up(self) -> bool:
        """Whether it was asked for and nothing came of it."""
        return self.begun_at is not None and not self.is_being_read


def accounts_sync(*, actor: Actor, even_if_many_are_gone: bool = False) -> SyncResult:
    """Read the whole tree from the vendor, then bring ours in line; nothing is deleted. Raises CallcapError.

    Raises ManyGone, and changes nothing, when the answer looks as if it were cut short, unless a person has said that
    so many are really gone.
    Of two that run at once, the one that began first changes nothing when it ends last: what it has read is older.
    The actor is a part of the portal: a zone that a person wrote into the history is one that they set by hand. It
    stays until the vendor tells another one than it told when it was set.
    """
    begun = timezone.now()
    nodes = list(_read_tree())
    if not nodes:
        raise CallcapUnreadable("Callcap listed no accounts at all.")
    counts = {"added": 0, "changed": 0}
    with transaction.atomic():
        # No key: orders that refer to these accounts commit meanwhile, or both would wait for each other in a circle.
        list(Account.objects.select_for_update(no_key=True))
        # Anew behind the locks: another reading may have added accounts while this one waited for it.
        known = {account.key: account for account in Account.objects.all()}
        if any(begun < account.synced_at < timezone.now() for account in known.values()):
            return SyncResult(listed=len(nodes), vanished=0, **counts)
        listed = {node.key for node in nodes}
        if not even_if_many_are_gone:
            _refuse_cut_short(known.values(), listed)
        told_before = _zones_told_when_set_by_hand()
        for node in nodes:
            account = known.get(node.key)
            wished = _wished(node, known)
            if node.key in told_before and wished.get("time_zone") == told_before[node.key]:
                del wished["time_zone"]
            if account is None:
                known[node.key] = _add(actor, node, wished, begun)
                counts["added"] += 1
            elif _change(actor, account, wished):
                counts["changed"] += 1
        Account.objects.filter(key__in=listed).update(synced_at=begun)
        gone = [account for account in known.values() if account.key not in listed]
        vanished = sum(account.active for account in gone)
        parents = {account.pk: account for account in known.values()}
        for account in gone:
            # It moves along with what it hung below: who was granted that goes on to see its numbers.
            _change(actor, account, {"active": False, "path": _path(parents.get(account.parent_id or 0), account.key)})
    return SyncResult(listed=len(nodes), vanished=vanished, **counts)


def accounts_sync_now(*, actor: Actor, even_if_many_are_gone: bool = False) -> SyncResult:
    """Read the tree, whoever else may be reading it, and keep how that went. Raises CallcapError."""
    trouble, many_gone = "The portal itself failed; its log says how.", False
    if not accounts_sync_state().is_being_read:
        accounts_sync_begin(actor=actor)
    try:
        result = accounts_sync(actor=actor, even_if_many_are_gone=even_if_many_are_gone)
        trouble = ""
    except CallcapError as error:
        trouble, many_gone = error.message, isinstance(error, ManyGone)
        raise
    finally:
        _keep(SyncState(ended_at=timezone.now(), trouble=trouble, many_gone=many_gone))
    return result


def accounts_sync_run(*, actor: Actor, even_if_many_are_gone: bool = False) -> SyncResult | None:
    """Read the tree where nobody waits for it: None when that failed, or another process is reading it just now."""
    if not cache.add(CLAIM, actor.name, LONGEST.total_seconds()):
        return None
    try:
        return accounts_sync_now(actor=actor, even_if_many_are_gone=even_if_many_are_gone)
    except CallcapError as error:
        logger.warning("accounts_not_synced", problem=error.message)
        return None
    finally:
        cache.delete(CLAIM)


def accounts_sync_if_due(*, actor: Actor) -> SyncResult | None:
    """Read the tree unless that was done a short while ago. What the clock does every hour."""
    last = Account.objects.aggregate(last=Max("synced_at"))["last"]
    if last and timedelta(0) <= timezone.now() - last < FRESH:
        return None
    return accounts_sync_run(actor=actor)


def accounts_sync_state() -> SyncState:
    """How the reading of the tree stands."""
    return SyncState(**cache.get(STATE, {}))


def accounts_sync_begin(*, actor: Actor) -> None:
    """Note who has asked for the tree to be read, before anybody has begun with it."""
    _keep(SyncState(begun_at=timezone.now(), begun_by=actor.name))


def _keep(state: SyncState) -> None:
    cache.set(STATE, asdict(state), timeout=None)


def _read_tree() -> Iterator[AccountNode]:
    """Every account, parents first. Locations are asked one by one: only their own answer gives the zone."""
    for corporate in vendor_corporates():
        yield corporate
        _, divisions = vendor_describe_account(corporate.kind, corporate.callcap_id)
        for division in divisions:
            yield division
            _, locations = vendor_describe_account(division.kind, division.callcap_id)
            for location in locations:
                described, _ = vendor_describe_account(location.kind, location.callcap_id)
                yield AccountNode(
                    location.key,
                    location.kind,
                    location.callcap_id,
                    location.name,
                    division.key,
                    described.time_zone,
                )


def _refuse_cut_short(known: Collection[Account], listed: set[str]) -> None:
    """Raise ManyGone when an account has lost all of several below it, or more than half of all Locations are gone.

    The sentence names no account: people read it who were not granted it. The log does.
    """
    below = defaultdict(list)
    for account in known:
        if account.active:
            below[account.parent_id].append(account.key)
    for siblings in below.values():
        if len(siblings) > 1 and listed.isdisjoint(siblings):
            logger.warning("accounts_gone_together", accounts=siblings)
            raise ManyGone(f"Callcap lists none of {len(siblings)} accounts that lay side by side. {CUT_SHORT}")
    locations = {account.key for account in known if account.active and account.kind == Account.Kind.LOCATION}
    gone = locations - listed
    if len(gone) > 1 and 2 * len(gone) > len(locations):
        logger.warning("accounts_gone_together", accounts=sorted(gone))
        raise ManyGone(f"Callcap lists {len(gone)} of {len(locations)} Locations no longer. {CUT_SHORT}")


def _zones_told_when_set_by_hand() -> dict[str, str]:
    """{account key: the zone that the vendor told when a person last set another one} of those that still have theirs.

    Of several set by hand in a row the first counts: what it replaced was the vendor's.
    """
    told: dict[str, str] = {}
    zones = HistoryEntry.objects.filter(verb=Verb.ACCOUNT_CHANGED, changes__has_key="time_zone").order_by("sequence")
    for key, person, changes in zones.values_list("account_key", "actor_id", "changes"):
        if person is None:
            told.pop(key, None)
        else:
            told.setdefault(key, changes["time_zone"][0])
    return told


def _wished(node: AccountNode, known: dict[str, Account]) -> dict[str, object]:
    parent = known.get(node.parent_key)
    fields: dict[str, object] = {
        "name": node.name,
        "parent_id": parent.pk if parent else None,
        "path": _path(parent, node.key),
        "active": True,
    }
    # A zone that the vendor does not tell is not a zone that changed.
    return fields | ({"time_zone": node.time_zone} if node.time_zone else {})


def _path(parent: Account | None, key: str) -> str:
    return f"{parent.path if parent else '/'}{key}/"


def _add(actor: Actor, node: AccountNode, fields: dict[str, object], begun: datetime) -> Account:
    history_append(
        actor=actor,
        verb=Verb.ACCOUNT_ADDED,
        account_key=node.key,
        changes={"name": [None, node.name], "path": [None, fields["path"]]},
    )
    return Account.objects.create(key=node.key, kind=node.kind, callcap_id=node.callcap_id, synced_at=begun, **fields)


def _change(actor: Actor, account: Account, wished: dict[str, object]) -> bool:
    changes = {
        name: [getattr(account, name), value] for name, value in wished.items() if getattr(account, name) != value
    }
    if not changes:
        return False
    # The path says what it hangs below, in keys that people know.
    said = {name: values for name, values in changes.items() if name != "parent_id"}
    history_append(actor=actor, verb=Verb.ACCOUNT_CHANGED, account_key=account.key, changes=said)
    for name, (_, value) in changes.items():
        setattr(account, name, value)
    account.save(update_fields=list(changes))
    return True
