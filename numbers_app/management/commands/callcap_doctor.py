"""``manage.py callcap_doctor``: compares the real Callcap with what the portal assumes of it."""

from __future__ import annotations

import json
import re
import uuid
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from numbers_app.actors import Actor
from numbers_app.callcap import CallcapError
from numbers_app.callcap.doctor import Finding, State, examine
from numbers_app.errors import PortalError
from numbers_app.forms.fields import read_phone_number
from numbers_app.models import Account, Order, Source, User
from numbers_app.selectors.doctor import recorded_findings
from numbers_app.services.orders import WantedNumber, order_request_purchase
from numbers_app.text import phone_text
from numbers_app.vendor import VendorBusy, vendor_find_number, vendor_turn

# 2 is also what argparse ends with for arguments that it does not know.
ALL_WELL, SOMETHING_FAILS, REFUSED, NOT_REACHED = 0, 1, 2, 3
WISHED = ("buy", "account", "destination", "requester", "yes")


class Command(BaseCommand):
    help = """Compare the Callcap of CALLCAP_API_URL and CALLCAP_API_KEY with what the portal assumes of it.

Reads only. Says for each assumption whether it holds, does not hold (and which file to
change), or could not be told.
Exit status: 0 all well, 1 something does not hold, 2 the arguments were refused, or the
portal's database could not be read, 3 Callcap could not be reached.

--buy NUMBER --account L-3 --destination NUMBER --requester USERNAME --yes, all of them, asks
for one number in the name of that person. It does not buy: the order waits in the portal for
a manager who did not ask for it, and the worker buys the number as any other, so that it is
bought once at most, reaches the mirror and stands in the history. Run the command again
afterwards: it says what Callcap answered."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for machines.")
        parser.add_argument("--area-code", default="316", help="A local area code that offers numbers (default 316).")
        wish = parser.add_argument_group("asking for one number")
        wish.add_argument("--buy", metavar="NUMBER", help="The number to ask for.")
        wish.add_argument("--account", metavar="L-3", help="The Location that gets it.")
        wish.add_argument("--destination", metavar="NUMBER", help="Where its calls go.")
        wish.add_argument("--requester", metavar="USERNAME", help="Who asks: somebody who may order there.")
        wish.add_argument("--yes", action="store_true", help="That it is meant.")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = [name for name in WISHED if not options[name]]
        try:
            if not missing:
                self._ask_for(options)
            elif len(missing) < len(WISHED):
                names = ", ".join(f"--{name}" for name in missing)
                raise CommandError(f"Nothing was done: to ask for a number, give {names} as well.", returncode=REFUSED)
            else:
                self._examine(options)
        except DatabaseError as error:
            problem = f"The portal's own database could not be read ({type(error).__name__}). Run manage.py migrate."
            raise CommandError(problem, returncode=REFUSED) from error

    def _examine(self, options: dict[str, Any]) -> None:
        if not re.fullmatch("[2-9][0-9]{2}", options["area_code"]):
            raise CommandError("An area code has three digits and starts with 2 to 9, as in 316.", returncode=REFUSED)
        recorded = recorded_findings()
        try:
            findings = examine(
                base_url=settings.CALLCAP_API_URL,
                api_key=settings.CALLCAP_API_KEY,
                timeout=settings.CALLCAP_TIMEOUT,
                max_answer_bytes=settings.CALLCAP_MAX_ANSWER_BYTES,
                area_code=options["area_code"],
                turn=lambda: vendor_turn(batch=True),
            )
        except VendorBusy as busy:
            raise CommandError(busy.message, returncode=NOT_REACHED) from busy
        findings += recorded
        states = [finding.state for finding in findings]
        code = NOT_REACHED if State.UNREACHED in states else SOMETHING_FAILS if State.FAILS in states else ALL_WELL
        if options["json"]:
            told = [vars(finding) for finding in findings]
            self.stdout.write(json.dumps({"callcap": settings.CALLCAP_API_URL, "exit": code, "findings": told}))
        else:
            self._print(findings)
        if code:
            raise SystemExit(code)

    def _print(self, findings: list[Finding]) -> None:
        for finding in findings:
            self.stdout.write(f"{finding.subject}: {finding.state}. {finding.sentence}")
            if finding.change:
                self.stdout.write(f"    Change: {finding.change}")
        counts = [f"{sum(one.state == state for one in findings)} {state}" for state in State]
        self.stdout.write(f"\n{', '.join(counts)}.")

    def _ask_for(self, options: dict[str, Any]) -> None:
        try:
            order = self._request(options)
        except (PortalError, CallcapError) as error:
            raise CommandError(f"Nothing was asked for: {error.message}", returncode=REFUSED) from error
        except (PermissionDenied, ValidationError) as error:
            said = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            raise CommandError(f"Nothing was asked for: {said}", returncode=REFUSED) from error
        self.stdout.write(
            f"Order {order.pk} for {phone_text(order.phone_number)} waits for a manager of {order.account} who did not "
            f"ask for it: {settings.SITE_URL}{order.get_absolute_url()}\n"
            "Nothing is bought before. Run this command again once the order is done: it says what Callcap answered."
        )

    def _request(self, options: dict[str, Any]) -> Order:
        number, destination = read_phone_number(options["buy"]), read_phone_number(options["destination"])
        person = User.objects.filter(username=options["requester"], is_active=True).first()
        location = Account.objects.filter(key=options["account"], kind=Account.Kind.LOCATION).first()
        if person is None:
            raise PortalError(f"There is nobody called {options['requester']}.")
        if location is None:
            raise PortalError(f"There is no Location {options['account']}. Run manage.py sync_accounts first.")
        offer = vendor_find_number(number, location.key)
        if offer is None:
            raise PortalError(f"Callcap does not offer {phone_text(number)} to {location} now.")
        return order_request_purchase(
            actor=Actor.person(person, source=Source.COMMAND),
            account=location,
            wanted=[WantedNumber(number, place=offer.place)],
            parameters={"destination": destination},
            reason="To see what Callcap answers to a purchase (manage.py callcap_doctor).",
            form_token=uuid.uuid4(),
        )
