"""Keeping Callcap's accounts as they are needed here: reading them anew, their time zones, and who may act where."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.core.exceptions import PermissionDenied
from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.errors import InvalidInput
from numbers_app.models import Account, Grant, User, Verb
from numbers_app.permissions import Capability, require
from numbers_app.selectors.accounts import accounts_kept
from numbers_app.tasks import sync_accounts

from .account_sync import accounts_sync_begin, accounts_sync_state
from .history import history_append


def accounts_sync_ask(*, actor: Actor, even_if_many_are_gone: bool = False) -> bool:
    """Let the worker read the account tree from the vendor now. Returns False when it is being read already.

    ``even_if_many_are_gone`` is the person's word that an answer that lacks many accounts was not cut short.
    Raises PermissionDenied to all but managers and administrators.
    """
    require(actor.person_or_refuse, Capability.KEEP_LOCATIONS)
    if accounts_sync_state().is_being_read:
        return False
    accounts_sync_begin(actor=actor)
    sync_accounts.enqueue(even_if_many_are_gone=even_if_many_are_gone)
    return True


def account_set_zone(*, actor: Actor, account: Account, time_zone: str) -> Account:
    """Set a Location's time zone by hand. It stays until the vendor tells another one than it does now.

    Managers may where they have a grant, administrators everywhere. Raises InvalidInput for what is no zone and for
    accounts that have none.
    """
    user = actor.person_or_refuse
    require(user, Capability.KEEP_LOCATIONS)
    if not accounts_kept(user).filter(pk=account.pk).exists():
        raise PermissionDenied("You may not change this Location: it was not granted to you.")
    if account.kind != Account.Kind.LOCATION:
        raise InvalidInput("Only Locations have a time zone.")
    if time_zone not in available_timezones():
        raise InvalidInput("Choose one of the time zones.", "time_zone")
    with transaction.atomic():
        locked = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        if locked.time_zone != time_zone:
            history_append(
                actor=actor,
                verb=Verb.ACCOUNT_CHANGED,
                account_key=locked.key,
                changes={"time_zone": [locked.time_zone, time_zone]},
            )
            locked.time_zone = time_zone
            locked.save(update_fields=["time_zone"])
    return locked


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
