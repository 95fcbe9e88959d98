"""The deterministic inventory: the same size always gives the same numbers in the same places and pools."""

import random
from collections.abc import Iterator
from itertools import cycle
from typing import NamedTuple

from sandbox.places import TOLL_FREE_CODES, Locality, area_codes

SEED = "callcap sandbox 1"
HOME_CODE = "316"
WELL_KNOWN = "3167342253"  # the number that the vendor's page spells 316-734-CAKE
HOME_SHARE = 30  # one number in so many is a Wichita one
TOLL_FREE_SHARE = 15
RESERVED_SHARE = 40
NUMBERS_PER_EXCHANGE = 60
KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")

# Seven letters fill exchange and line; these are what businesses ask for.
WORDS = (
    *("ROOFING", "PLUMBER", "DENTIST", "LAWYERS", "FLOWERS", "CLEANER", "HEATING", "COOLING", "FLOORS1"),
    *("WINDOWS", "MOVERS1", "DOCTORS", "LAWNMAN", "TIRES4U", "CARWASH", "BAKERY1", "FURNACE", "WEDDING"),
)
# Exchanges that are not given out: N11 service codes, and the ones for testing, information and fiction.
UNUSABLE_EXCHANGES = frozenset({*(f"{n}11" for n in range(2, 10)), "555", "950", "958", "959", "976"})


class NumberRow(NamedTuple):
    """A number to be stored: no locality means toll-free, no Location key means the public pool."""

    number: str
    locality: Locality | None
    reserved_for: str | None


def generate(size: int, location_keys: list[str]) -> Iterator[NumberRow]:
    """About `size` numbers (exactly, from 5,000 up), ordered within each area code."""
    codes = area_codes()
    home = max(size // HOME_SHARE, 50)
    toll_free = max(size // TOLL_FREE_SHARE // len(TOLL_FREE_CODES), 4)
    others = [code for code in codes if code != HOME_CODE]
    left = max(size - home - toll_free * len(TOLL_FREE_CODES), 5 * len(others))
    wanted = {code: left // len(others) + (index < left % len(others)) for index, code in enumerate(others)}
    wanted |= {HOME_CODE: home} | dict.fromkeys(TOLL_FREE_CODES, toll_free)
    for code, count in sorted(wanted.items()):
        yield from _area_code(code, count, codes.get(code, []), location_keys)


def _area_code(code: str, count: int, localities: list[Locality], locations: list[str]) -> Iterator[NumberRow]:
    rng = random.Random(f"{SEED} {code}")  # noqa: S311 (an inventory that can be repeated, not a secret)
    numbers = _numbers(rng, code, count)
    exchanges = sorted({number[3:6] for number in numbers})
    rng.shuffle(exchanges)
    # An exchange belongs to one rate center, as in the real network.
    place_of = dict(zip(exchanges, cycle(localities), strict=False))
    if code == HOME_CODE:
        place_of[WELL_KNOWN[3:6]] = localities[0]
    for number in numbers:
        reserved = rng.randrange(RESERVED_SHARE) == 0 and number != WELL_KNOWN
        yield NumberRow(number, place_of.get(number[3:6]), rng.choice(locations) if reserved else None)


def _numbers(rng: random.Random, code: str, count: int) -> list[str]:
    usable = [str(n) for n in range(200, 1000) if str(n) not in UNUSABLE_EXCHANGES]
    exchanges = rng.sample(usable, min(len(usable), max(8, count // NUMBERS_PER_EXCHANGE)))
    found = {WELL_KNOWN} if code == HOME_CODE else set()
    words = [word.translate(KEYPAD) for word in rng.sample(WORDS, 3)]
    found |= {code + digits for digits in words if digits[:3] not in UNUSABLE_EXCHANGES}
    while len(found) < count:
        found.add(f"{code}{rng.choice(exchanges)}{rng.randrange(10000):04}")
    return sorted(found)
