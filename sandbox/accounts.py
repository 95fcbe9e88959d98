"""Reading the account tree in the shape of the vendor's accounts page."""

from collections.abc import Mapping

from sandbox.answers import VendorError
from sandbox.models import Account
from sandbox.tree import KINDS


def list_corporates() -> Mapping[str, object]:
    """The Corporates that the key can see: all of them."""
    corporates = Account.objects.filter(kind="corporate").order_by("account_id")
    return {
        "info": "Corporate accounts that you have access to",
        "children": [_brief(one) for one in corporates],
    }


def describe_account(kind: str, account_id: str) -> Mapping[str, object]:
    """One account with its parent and children. Raises VendorError."""
    if kind not in KINDS:
        raise VendorError(f"account_type must be one of: {', '.join(KINDS)}.")
    if not (account_id.isascii() and account_id.isdigit() and len(account_id) < 10):
        raise VendorError("account_id must be numeric.")
    found = Account.objects.select_related("parent").filter(kind=kind, account_id=account_id).first()
    if found is None:
        raise VendorError("The requested account did not exist.", 404)
    info = _brief(found)
    if found.parent:
        info["parent"] = _brief(found.parent)
    if found.time_zone:
        info["systemTimezone"] = found.time_zone
    return {"info": info, "children": [_brief(child) for child in found.children.order_by("account_id")]}


def _brief(account: Account) -> dict[str, object]:
    return {"account_type": account.kind, "account_name": account.name, "account_id": account.account_id}
