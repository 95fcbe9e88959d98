"""One question after the other, as far as there are answers."""

from __future__ import annotations

from collections.abc import Callable

from numbers_app.callcap.client import ACCOUNTS_PATH, CallcapClient
from numbers_app.callcap.evidence import Evidence
from numbers_app.callcap.transport import Transport

from .accounts import examine_accounts, key_is_known
from .asking import Asker, NothingMoreToAsk
from .connection import ConnectionTrouble, connection_facts
from .findings import Finding, Report, State, Subject
from .searches import examine_searches, examine_wide_searches

SOON_EXPIRED_DAYS = 14


def examine(
    *,
    base_url: str,
    api_key: str,
    timeout: float,
    max_answer_bytes: int,
    area_code: str,
    turn: Callable[[], None] = lambda: None,
) -> list[Finding]:
    """Everything that reading tells, one finding a subject; the key stands in none of them.

    ``area_code`` is a local one where numbers are offered. ``turn`` is called before each call.
    """
    try:
        # Whatever it would not be made with is wrong in the settings.
        CallcapClient(
            base_url=base_url, api_key=api_key, timeout=timeout, post_encoding="form", max_answer_bytes=max_answer_bytes
        ).close()
    except ValueError as error:
        return [Finding(Subject.ADDRESS, State.FAILS, str(error), "CALLCAP_API_URL or CALLCAP_API_KEY")]
    evidence = Evidence(api_key)
    report = Report(evidence)
    if not _way_is_open(report, base_url, timeout):
        return report.findings()
    transport = Transport(api_key=api_key, timeout=timeout, max_answer_bytes=max_answer_bytes)
    asker = Asker(base_url=base_url.rstrip("/"), transport=transport, evidence=evidence, timeout=timeout, turn=turn)
    asked = Subject.KEY
    try:
        top = asker.ask(ACCOUNTS_PATH, {})
        if key_is_known(report, top):
            asked = Subject.TREE
            locations = examine_accounts(report, asker, top)
            asked = Subject.SEARCH
            if examine_searches(report, asker, locations[0].key if locations else "", area_code):
                asked = Subject.LIMIT
                examine_wide_searches(report, asker)
    except NothingMoreToAsk as end:
        report.note(asked, State.UNREACHED, str(end))
    finally:
        transport.close()
    return report.findings()


def _way_is_open(report: Report, base_url: str, timeout: float) -> bool:
    try:
        facts = connection_facts(base_url, timeout)
    except ConnectionTrouble as trouble:
        if trouble.reached:
            report.note(Subject.REACH, State.HOLDS, "The name was found and a connection opened.")
        report.note(Subject.TLS if trouble.reached else Subject.REACH, State.UNREACHED, str(trouble))
        return False
    said = f"{'https' if facts.secure else 'Plain http'} to {facts.host}, port {facts.port}"
    if facts.secure:
        report.note(Subject.ADDRESS, State.HOLDS, f"{said}.")
    elif facts.is_this_machine:
        report.note(Subject.ADDRESS, State.HOLDS, f"{said}, which stays on this machine.")
    else:
        warning = f"{said}: everybody on the way can read the key."
        report.note(Subject.ADDRESS, State.FAILS, warning, "CALLCAP_API_URL in the environment: use https")
    at = "" if facts.host == facts.address else f" is {facts.address}, and"
    report.note(Subject.REACH, State.HOLDS, f"{facts.host}{at} takes connections.")
    if facts.secure:
        soon = "Nothing here: the certificate is Callcap's. Once it has expired nothing can be sent."
        lasts = facts.days_left >= SOON_EXPIRED_DAYS
        report.hold(Subject.TLS, lasts, f"The certificate is valid. Days left: {facts.days_left}.", soon)
    else:
        report.note(Subject.TLS, State.UNTOLD, "Plain http has none.")
    return True
