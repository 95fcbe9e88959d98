"""The key and the account tree."""

from __future__ import annotations

from numbers_app.callcap.client import ACCOUNTS_PATH
from numbers_app.callcap.errors import CallcapUnreadable
from numbers_app.callcap.reading import ZONE_NAMES, read_children
from numbers_app.callcap.schemas import TIME_ZONES, AccountNode

from .asking import Asker, Reply
from .findings import Report, State, Subject

MOST_ZONES_ASKED = 20
UNKNOWN_KEY_STATUS, FORBIDDEN_STATUS = 401, 403
IN_READING = "read_account and read_children in numbers_app/callcap/reading.py"


def key_is_known(report: Report, top: Reply) -> bool:
    """Note what the first answer says of the key."""
    change = "CALLCAP_API_KEY in the environment"
    if top.status == UNKNOWN_KEY_STATUS:
        report.note(Subject.KEY, State.FAILS, f"The key is wrong or was revoked. {top.problem}", change)
        return False
    if top.status == FORBIDDEN_STATUS:
        report.note(Subject.KEY, State.FAILS, f"The key is known, but may not read accounts. {top.problem}", change)
    elif top.problem:
        report.note(Subject.KEY, State.UNTOLD, f"There was no list of accounts. {top.problem}")
    else:
        report.note(Subject.KEY, State.HOLDS, "The key is accepted.")
    return True


def examine_accounts(report: Report, asker: Asker, top: Reply) -> list[AccountNode]:
    """Walk the tree as ``manage.py sync_accounts`` does. Returns the Locations."""
    if top.problem:
        return []
    try:
        corporates = read_children(top.object, asker.evidence, "")
        divisions = [child for above in corporates for child in _children(asker, above)]
        locations = [child for above in divisions for child in _children(asker, above)]
        zones = [_zone(asker, location) for location in locations[:MOST_ZONES_ASKED]]
    except CallcapUnreadable as error:
        report.note(Subject.TREE, State.FAILS, error.message, IN_READING)
        return []
    counts = f"Corporates: {len(corporates)}, Divisions: {len(divisions)}, Locations: {len(locations)}."
    report.hold(Subject.TREE, bool(locations), counts, "Nothing here: only Locations hold numbers, and none is seen.")
    _note_zones(report, zones)
    return locations


def _note_zones(report: Report, zones: list[str]) -> None:
    told = [zone for zone in zones if zone]
    if not told:
        report.note(Subject.ZONES, State.UNTOLD, f"None of {len(zones)} Locations told its time zone.")
        return
    unknown = sorted(set(told) - TIME_ZONES.keys())
    sentence = f"{len(told)} of {len(zones)} Locations told theirs."
    if unknown:
        sentence += f" Not known here: {', '.join(unknown)}."
    report.hold(Subject.ZONES, not unknown, sentence, "TIME_ZONES in numbers_app/callcap/schemas.py")


def _children(asker: Asker, above: AccountNode) -> tuple[AccountNode, ...]:
    return read_children(_described(asker, above).object, asker.evidence, "", above)


def _zone(asker: Asker, location: AccountNode) -> str:
    """The Location's zone in the vendor's own word, or empty."""
    info = _described(asker, location).object.get("info")
    given = [info[name] for name in ZONE_NAMES if info.get(name)] if isinstance(info, dict) else []
    return asker.evidence.words(given[0]) if given else ""


def _described(asker: Asker, node: AccountNode) -> Reply:
    reply = asker.ask(ACCOUNTS_PATH, {"account_type": node.kind, "account_id": str(node.callcap_id)})
    if reply.problem:
        raise CallcapUnreadable(f"{node.key} was not described. {reply.problem}")
    return reply
