"""Asking the vendor, on behalf of all processes together: at a bounded rate, not while it is down, not twice a minute.

Everything that reads from Callcap goes through here. Writes take their turn here too, with ``vendor_turn``, and are
then sent by ``callcap_client()``.
"""

from .breaker import VendorLeftAlone, vendor_left_alone_until
from .client import callcap_client
from .rate_gate import VendorBusy, vendor_turn
from .reads import vendor_corporates, vendor_describe_account, vendor_find_number, vendor_search
from .search_cache import Searched, searched_forget, searched_recall

__all__ = [
    "Searched",
    "VendorBusy",
    "VendorLeftAlone",
    "callcap_client",
    "searched_forget",
    "searched_recall",
    "vendor_corporates",
    "vendor_describe_account",
    "vendor_find_number",
    "vendor_left_alone_until",
    "vendor_search",
    "vendor_turn",
]
