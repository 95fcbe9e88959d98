"""What searches tell of the assumptions: one sentence each, from about a dozen harmless calls."""

from __future__ import annotations

from typing import Any

from numbers_app.callcap import vanity
from numbers_app.callcap.reading import CAP, NUMBER_NAMES, PLACE_NAMES, POOL_NAMES, TYPE_NAMES, ten_digits
from numbers_app.callcap.schemas import SEARCH_WIRE_NAMES

from .asking import Asker, Look
from .findings import Report, State, Subject

# There is no area code 200, so no such number either.
IMPOSSIBLE = "2002002000"
# Where a vendor is likely to cut a list off.
USUAL_LIMITS = (20, 25, 50, 100, 200, 250, 500)

READING = "numbers_app/callcap/reading.py"
SCHEMAS = "numbers_app/callcap/schemas.py"
CLIENT = "numbers_app/callcap/client.py"
SEARCH_FORM = "SearchForm.criteria in numbers_app/forms/search.py"
FIELD_NAMES = {"number": NUMBER_NAMES, "type": TYPE_NAMES, "pool": POOL_NAMES, **PLACE_NAMES}


def examine_searches(report: Report, asker: Asker, location: str, area_code: str) -> bool:
    """Search in one local area code, in ways whose answers tell assumptions apart. Returns whether lists are given."""
    here = asker.look(area_code=area_code)
    said = f"{SEARCH_WIRE_NAMES['area_code']}={area_code} was answered in {here.seconds:.2f} seconds"
    if here.problem:
        report.note(Subject.SEARCH, State.FAILS, f"{said}, but not with a list. {here.problem}", READING)
        report.note(Subject.SHAPE, State.FAILS, here.problem, f"LIST_NAMES and succeeded in {READING}")
        return False
    report.note(Subject.SEARCH, State.HOLDS, f"{said}, with {len(here.items)} numbers.")
    _nothing(report, asker)
    if location:
        _reserved(report, asker, location)
    _sample(report, asker, here, location)
    if here.offers:
        _flags(report, asker, here, area_code)
        _pools(report, asker, here, area_code)
    elif not here.items:
        for subject in (Subject.SHAPE, Subject.FLAGS, Subject.POOLS):
            report.note(subject, State.UNTOLD, f"Area code {area_code} offers nothing. Try another with --area-code.")
    return True


def examine_wide_searches(report: Report, asker: Asker) -> None:
    """Search for everything of a type. Comes last: nobody knows how long a vendor takes for that."""
    tollfree, local = asker.look(show_tollfree=True), asker.look(show_local=True)
    _types(report, asker, tollfree)
    _limit(report, local, tollfree)


def _sample(report: Report, asker: Asker, look: Look, location: str) -> None:
    """What the numbers of one answer tell."""
    _shape(report, asker, look)
    if look.offers:
        _whole(report, asker, look.offers[0].number, location)
        _vanity(report, asker, look.offers[0].number)
        _texts(report, asker, [offer.city for offer in look.offers])


def _nothing(report: Report, asker: Asker) -> None:
    look = asker.look(full_number=IMPOSSIBLE)
    sentence, change = f"For a number that cannot exist {len(look.items)} came back.", f"SEARCH_WIRE_NAMES in {SCHEMAS}"
    if look.problem:
        sentence, change = f"For a number that cannot exist: {look.problem}", f"CallcapClient._search in {CLIENT}"
    elif not look.items:
        how = "a 404" if look.status == 404 else "an empty list"
        sentence = f"For a number that cannot exist there was {how}, which is read as nothing found."
    report.hold(Subject.NOTHING, not look.problem and not look.items, sentence, change)


def _shape(report: Report, asker: Asker, look: Look) -> None:
    if not look.items:
        return
    objects = [item for item in look.items if isinstance(item, dict)]
    kind = "objects" if len(objects) == len(look.items) else "objects and others" if objects else "bare values"
    named = sorted({name for item in objects for name in NUMBER_NAMES if ten_digits(item.get(name))})
    under = f", the number under {' or '.join(named)}" if named else ""
    report.note(Subject.SHAPE, State.HOLDS, f"A list under {look.path}, of {kind}{under}.")
    unread = [item for item in look.items if not asker.is_read(item)]
    example = f", such as {asker.evidence.words(unread[0], 200) or unread[0]}" if unread else ""
    sentence = f"{len(unread)} of {len(look.items)} could not be read{example}."
    report.hold(Subject.ITEMS, not unread, sentence, f"NUMBER_NAMES and ten_digits in {READING}")
    if objects:
        _fields(report, look, objects)


def _fields(report: Report, look: Look, objects: list[dict[str, Any]]) -> None:
    given = {name for item in objects for name in item}
    found = [field for field, names in FIELD_NAMES.items() if given.intersection(names)]
    missing = [field for field in FIELD_NAMES if field not in found]
    unused = sorted(given.difference(*FIELD_NAMES.values()))
    strange = [
        field
        for field, understood in (
            ("type", all(offer.number_type for offer in look.offers)),
            ("pool", all(offer.pool for offer in look.offers)),
        )
        if field in found and not understood
    ]
    parts = (("Read", found), ("Not given", missing), ("Not used", unused), ("With words not understood", strange))
    sentence = " ".join(f"{what}: {', '.join(names)}." for what, names in parts if names)
    report.hold(Subject.FIELDS, not strange, sentence, f"the words of _read_number in {READING}")


def _limit(report: Report, *looks: Look) -> None:
    """``looks`` are wide searches for different things."""
    sizes = [len(look.items) for look in looks]
    longest, change = max(sizes), f"CAP in {READING}"
    if longest > CAP:
        report.note(Subject.LIMIT, State.FAILS, f"A list had {longest} numbers; {CAP} count as cut off.", change)
    elif longest == CAP:
        report.note(Subject.LIMIT, State.HOLDS, f"A list had exactly {CAP} numbers, which count as cut off.")
    elif longest in USUAL_LIMITS and sizes.count(longest) > 1:
        sentence = f"Different searches gave exactly {longest} numbers each, so that seems to be the limit."
        report.note(Subject.LIMIT, State.FAILS, sentence, change)
    else:
        report.note(Subject.LIMIT, State.UNTOLD, f"The longest list had {longest} numbers. None looked cut off.")


def _flags(report: Report, asker: Asker, here: Look, area_code: str) -> None:
    tollfree = asker.look(area_code=area_code, show_tollfree=True)
    local = asker.look(area_code=area_code, show_local=True)
    sentence = "true under showTollfree and showLocal changes the result as it should."
    wrong = tollfree.problem or local.problem
    if tollfree.numbers & here.numbers:
        wrong = f"With showTollfree=true numbers of area code {area_code} still came."
    elif not wrong and not local.numbers:
        wrong = f"With showLocal=true no number of area code {area_code} came."
    report.hold(Subject.FLAGS, not wrong, wrong or sentence, f"wire_text and SEARCH_WIRE_NAMES in {SCHEMAS}")


def _types(report: Report, asker: Asker, tollfree: Look) -> None:
    if not tollfree.numbers:
        report.note(Subject.TYPES, State.UNTOLD, f"No toll-free number was found to try it with. {tollfree.problem}")
        return
    number = min(tollfree.numbers)
    both = number in asker.look(full_number=number).numbers
    sentence = f"Without a type flag toll-free numbers are {'found' if both else 'left out'}."
    report.hold(Subject.TYPES, both, sentence, f"{SEARCH_FORM}: set both flags when neither is ticked")


def _pools(report: Report, asker: Asker, here: Look, area_code: str) -> None:
    public = asker.look(area_code=area_code, show_public_pool=True)
    same = public.numbers == here.numbers
    if not same and here.capped:
        report.note(Subject.POOLS, State.UNTOLD, "The lists are cut off, so they cannot be compared.")
        return
    sentence = "A search without a pool flag finds what showPublicPool=true finds."
    if not same:
        sentence = "A search without a pool flag finds other numbers than showPublicPool=true does."
    report.hold(Subject.POOLS, same, sentence, f"{SEARCH_FORM}: set the public pool when neither is ticked")


def _reserved(report: Report, asker: Asker, location: str) -> None:
    look = asker.look(account=location, show_reserved_pool=True)
    sentence = f"The reserved pool of {location} was searched, and offers {len(look.items)} numbers."
    change = f"account and show_reserved_pool in SEARCH_WIRE_NAMES, {SCHEMAS}"
    report.hold(Subject.RESERVED, not look.problem, look.problem or sentence, change)


def _whole(report: Report, asker: Asker, number: str, location: str) -> None:
    reserved = True if location else None
    look = asker.look(full_number=number, account=location, show_public_pool=True, show_reserved_pool=reserved)
    others = len(look.numbers - {number})
    sentence = f"The look before a purchase found {number} alone."
    if number not in look.numbers:
        sentence = f"The look before a purchase did not find {number}. {look.problem}".rstrip()
    elif others:
        sentence = f"The look before a purchase found {number}, and {others} others with it."
    change = f"CallcapClient.find_number in {CLIENT}. Run this again first: the number may just have been sold."
    report.hold(Subject.WHOLE, look.numbers == {number}, sentence, change)


def _vanity(report: Report, asker: Asker, number: str) -> None:
    pattern = f"{number[2:4]}#{number[5]}*{number[7:9]}"
    look = asker.look(area_code=number[:3], vanity_text=pattern)
    astray = sorted(other for other in look.numbers if vanity.match(other, pattern) is None)
    if not astray and number not in look.numbers and look.capped:
        report.note(Subject.VANITY, State.UNTOLD, f"The list for {pattern} is cut off.")
        return
    sentence = f"{pattern} found {number}, and nothing that does not fit."
    if astray:
        sentence = f"{pattern} found {astray[0]}, where it fits only if a wildcard is not exactly one digit."
    elif number not in look.numbers:
        sentence = f"{pattern} did not find {number}. {look.problem}".rstrip()
    report.hold(Subject.VANITY, number in look.numbers and not astray, sentence, "numbers_app/callcap/vanity.py")


def _texts(report: Report, asker: Asker, cities: list[str]) -> None:
    city = next((city for city in cities if city.lower() != city.upper()), "")
    if not city:
        report.note(Subject.TEXTS, State.UNTOLD, "No number came with a city to search for.")
        return
    small, large = asker.look(city=city.lower()), asker.look(city=city.upper())
    others = sorted({offer.city for offer in small.offers if offer.city.lower() != city.lower()})
    same = bool(small.numbers) and small.numbers == large.numbers
    sentence = f"{city}, in small letters and in capitals, finds the same numbers, all of that city."
    if others:
        sentence = f"{city} also finds {others[0]}."
    elif not same:
        sentence = f"{city} in small letters finds other numbers than in capitals."
    change = "what help texts and relaxed searches say, in numbers_app/forms/search.py and selectors/relaxations.py"
    report.hold(Subject.TEXTS, same and not others, sentence, change)
