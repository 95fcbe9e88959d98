"""``manage.py load_demo``: people to try the portal with and, with ``--activity``, some life."""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from numbers_app.actors import Actor
from numbers_app.demo import ONE_LOCATION_ONLY, PEOPLE, play
from numbers_app.errors import PortalError
from numbers_app.models import Account, Order, Source
from numbers_app.permissions import Role
from numbers_app.services.users import user_add

DEFAULT_PASSWORD = "numbers-demo"  # noqa: S105


class Command(BaseCommand):
    help = "Add the demo users. Refuses unless DEMO=on. Harmless to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--activity", action="store_true", help="Also buy, import and change some numbers, once.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo users have a published password, so they are added only where DEMO=on.")
        if not Account.objects.exists():
            raise CommandError("There are no accounts to grant. Run manage.py sync_accounts first.")
        password = os.environ.get("DEMO_PASSWORD") or DEFAULT_PASSWORD
        actor = Actor.portal("load_demo", source=Source.COMMAND)
        for person in PEOPLE:
            user_add(actor=actor, new=person, password=password, accounts=_grants(person.username, person.role))
        self.stdout.write(f"Users {', '.join(person.username for person in PEOPLE)}, password {password}")
        if options["activity"]:
            self._play()

    def _play(self) -> None:
        if Order.objects.exists():
            self.stdout.write("There are orders already, so no activity is added.")
            return
        try:
            done = play()
        except PortalError as error:
            raise CommandError(f"{error.message} The demo's activity is incomplete.") from error
        self.stdout.write(", ".join(f"{count} {what}" for what, count in done.items()) + ".")


def _grants(username: str, role: Role) -> list[Account]:
    """Every Corporate to the people who act, one Location to one of them; who sees all needs no grant."""
    if role in (Role.AUDITOR, Role.ADMINISTRATOR):
        return []
    if username == ONE_LOCATION_ONLY:
        return list(Account.objects.filter(kind=Account.Kind.LOCATION, active=True)[:1])
    return list(Account.objects.filter(kind=Account.Kind.CORPORATE, active=True))
