"""Callcap's account tree as a test wants it: a reading costs nothing, and what it holds stands in the test."""

from __future__ import annotations

import pytest

from numbers_app.callcap import AccountNode
from numbers_app.services import account_sync

KINDS = {"C": "corporate", "D": "division", "L": "location"}


def node(key: str, name: str = "", above: str = "", zone: str = "") -> AccountNode:
    return AccountNode(key, KINDS[key[0]], int(key[2:]), name or f"Account {key}", above, zone)


def tree(location: str = "L-3", *, name: str = "Salina", zone: str = "America/Chicago") -> list[AccountNode]:
    """One Location with the Division and the Corporate above it."""
    return [node("C-1"), node("D-1", above="C-1"), node(location, name, "D-1", zone)]


def callcap_lists(monkeypatch: pytest.MonkeyPatch, *nodes: AccountNode) -> None:
    """From now on Callcap lists these accounts, parents first."""
    monkeypatch.setattr(account_sync, "_read_tree", lambda: iter(nodes))
