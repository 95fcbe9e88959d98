"""Faults on demand: what each kind does to a call, and which armed one a call meets.

A kind is one function that gets the call and the armed fault; it decides whether and when the call is carried
out (`call.carry_out()`) and what the caller sees. To add a kind, write the function and register it with `@kind`
in the module where it belongs: `refusals` do nothing, `garbled` answers follow what was carried out, `searches`
answer wrongly about the inventory, `connections` break or lag.
"""

from sandbox.faults import connections, garbled, refusals, searches
from sandbox.faults.arming import KINDS, TARGETS, Call, Kind, armed_fault

__all__ = ["KINDS", "TARGETS", "Call", "Kind", "armed_fault", "connections", "garbled", "refusals", "searches"]
