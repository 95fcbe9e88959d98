"""Callcap's account tree as the reader may see it, with what is going on in each part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderStatus, User, Verb

from .accounts import accounts_visible
from .history import history_list

NEWS_OF = timedelta(days=30)


@dataclass
class Branch:
    """An account and what is below it. The counts are sums over all of that.

    ``depth`` is how far it lies below the highest account that the reader may see.
    """

    account: Account
    depth: int = 0
    numbers: int = 0
    waiting: int = 0
    bought: int = 0
    children: list[Branch] = field(default_factory=list)


def month_start() -> datetime:
    """The first moment of this month by the reader's clocks."""
    return timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def locations_tree(user: User) -> list[Branch]:
    """The accounts that the user may see, each followed by what is below it, in the order of their names."""
    accounts = accounts_visible(user)
    numbers = _by_account(Campaign.objects.filter(ended_at=None, account__in=accounts), "account_id")
    waiting = _by_account(Order.objects.filter(status=OrderStatus.PENDING, account__in=accounts), "account_id")
    entries = history_list(user).filter(verb=Verb.NUMBER_BOUGHT, at__gte=month_start())
    bought = _by_account(entries, "account_key")
    branches = {
        account.pk: Branch(
            account, numbers=numbers[account.pk], waiting=waiting[account.pk], bought=bought[account.key]
        )
        for account in accounts
    }
    tops: list[Branch] = []
    for branch in branches.values():
        above = branches.get(branch.account.parent_id or 0)
        (above.children if above else tops).append(branch)
    return [branch for top in _by_name(tops) for branch in _walk(top, 0)]


def accounts_last_read() -> datetime | None:
    """When the newest reading of the tree that was taken over began."""
    last: datetime | None = Account.objects.aggregate(last=Max("synced_at"))["last"]
    return last


def account_news(user: User) -> QuerySet[HistoryEntry]:
    """What the last readings of the tree, and people, changed about the accounts within thirty days, newest first."""
    since = timezone.now() - NEWS_OF
    return history_list(user).filter(verb__in=(Verb.ACCOUNT_ADDED, Verb.ACCOUNT_CHANGED), at__gte=since)


def _by_account(rows: QuerySet[Campaign] | QuerySet[Order] | QuerySet[HistoryEntry], column: str) -> Counter[int | str]:
    return Counter(dict(rows.order_by().values_list(column).annotate(Count("pk"))))


def _walk(branch: Branch, depth: int) -> Iterator[Branch]:
    """The branch and all below it; a branch comes out when what is below it has been added to it."""
    branch.depth = depth
    below = [found for child in _by_name(branch.children) for found in _walk(child, depth + 1)]
    for child in branch.children:
        branch.numbers += child.numbers
        branch.waiting += child.waiting
        branch.bought += child.bought
    yield branch
    yield from below


def _by_name(branches: list[Branch]) -> list[Branch]:
    return sorted(branches, key=lambda branch: (branch.account.name.casefold(), branch.account.pk))
