"""Comparing a real Callcap with what is assumed of it, by reading alone: nothing is ever bought or changed.

The vendor's pages leave much open, and each assumption that fills a gap stands in one place of ``callcap/``. What does
not hold names that place, so that the first run against the real service is corrected by one edit.
"""

from .examination import examine
from .findings import Finding, State

__all__ = ["Finding", "State", "examine"]
