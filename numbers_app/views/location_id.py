"""Callcap names a Location in two ways, and so may an address or a form here: ``account=L-3`` and ``location_id=3``."""

from django.http import QueryDict


def with_account(data: QueryDict) -> QueryDict:
    """The data with ``account`` filled from ``location_id`` where only that is given."""
    location_id = data.get("location_id", "")
    if not location_id or data.get("account"):
        return data
    filled = data.copy()
    filled["account"] = f"L-{location_id}"
    return filled
