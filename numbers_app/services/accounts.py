"""Mirroring the vendor's account tree, and granting people parts of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import AccountNode
from numbers_app.models import Account, Grant, User, Verb
from numbers_app.vendor import vendor_corporates, vendor_describe_account

from .history import history_append


@dataclass(frozen=True)
class SyncResult:
    """How many accounts the vendor listed, and how many of them were added, changed or gone."""

    listed: int
    added: int
    changed: int
    vanished: int


def accounts_sync(*, actor: Actor) -> SyncResult:
    """Read the whole tree from the vendor, then bring ours in line; nothing is deleted. Raises CallcapError."""
    nodes = list(_read_tree())
    counts = {"added": 0, "changed": 0}
    with transaction.atomic():
        # No key: orders that refer to these accounts commit meanwhile, or both would wait for each other in a circle.
        known = {account.key: account for account in Account.objects.select_for_update(no_key=True)}
        for node in nodes:
            account = known.get(node.key)
            if account is None:
                known[node.key] = _add(actor, node, known)
                counts["added"] += 1
            elif _change(actor, account, _wished(node, known)):
                counts["changed"] += 1
        Account.objects.filter(key__in=[node.key for node in nodes]).update(synced_at=timezone.now())
        listed = {node.key for node in nodes}
        gone = [account for account in known.values() if account.key not in listed and account.active]
        for account in gone:
            _change(actor, account, {"active": False})
    return SyncResult(listed=len(nodes), vanished=len(gone), **counts)


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


def _wished(node: AccountNode, known: dict[str, Account]) -> dict[str, object]:
    parent = known.get(node.parent_key)
    fields: dict[str, object] = {
        "name": node.name,
        "parent_id": parent.pk if parent else None,
        "path": f"{parent.path if parent else '/'}{node.key}/",
        "active": True,
    }
    # A zone that the vendor does not tell is not a zone that changed.
    return fields | ({"time_zone": node.time_zone} if node.time_zone else {})


def _add(actor: Actor, node: AccountNode, known: dict[str, Account]) -> Account:
    fields = _wished(node, known)
    history_append(
        actor=actor,
        verb=Verb.ACCOUNT_ADDED,
        account_key=node.key,
        changes={"name": [None, node.name], "path": [None, fields["path"]]},
    )
    return Account.objects.create(
        key=node.key, kind=node.kind, callcap_id=node.callcap_id, synced_at=timezone.now(), **fields
    )


def _change(actor: Actor, account: Account, wished: dict[str, object]) -> bool:
    changes = {
        name: [getattr(account, name), value] for name, value in wished.items() if getattr(account, name) != value
    }
    if not changes:
        return False
    history_append(actor=actor, verb=Verb.ACCOUNT_CHANGED, account_key=account.key, changes=changes)
    for name, (_, value) in changes.items():
        setattr(account, name, value)
    account.save(update_fields=list(changes))
    return True


def user_lock(user_id: int) -> User:
    """The user as the database has them, locked until the transaction ends. Raises User.DoesNotExist.

    Whoever changes a person, their roles or their grants locks the person first, and the history's head after that.
    No key: rows that refer to the person commit meanwhile, or both would wait for each other in a circle.
    """
    return User.objects.select_for_update(no_key=True).get(pk=user_id)


def grant_add(*, actor: Actor, user: User, account: Account) -> Grant:
    """Let the user act on the account and everything below it. Harmless to repeat."""
    with transaction.atomic():
        user_lock(user.pk)
        existing = Grant.objects.filter(user=user, account=account).first()
        if existing:
            return existing
        history_append(
            actor=actor,
            verb=Verb.GRANT_ADDED,
            account_key=account.key,
            changes={"user": [None, user.username], "account": [None, account.key]},
        )
        return Grant.objects.create(user=user, account=account)


def grant_remove(*, actor: Actor, user: User, account: Account) -> None:
    """Let the user no longer act on the account, unless an account above it is granted too. Harmless to repeat."""
    with transaction.atomic():
        user_lock(user.pk)
        grant = Grant.objects.filter(user=user, account=account).first()
        if grant is None:
            return
        history_append(
            actor=actor,
            verb=Verb.GRANT_REMOVED,
            account_key=account.key,
            changes={"user": [user.username, None], "account": [account.key, None]},
        )
        grant.delete()
