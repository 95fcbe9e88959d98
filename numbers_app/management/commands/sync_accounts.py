"""``manage.py sync_accounts``: bring the account tree in line with Callcap's."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from numbers_app.actors import Actor
from numbers_app.callcap import CallcapError
from numbers_app.models import Source
from numbers_app.services.account_sync import ManyGone, accounts_sync_now


class Command(BaseCommand):
    help = "Read the account tree from the Callcap that CALLCAP_API_URL names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--even-if-many-are-gone",
            action="store_true",
            help="Take over an answer that lacks many accounts, which otherwise counts as cut short.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.portal("sync_accounts", source=Source.COMMAND)
        try:
            result = accounts_sync_now(actor=actor, even_if_many_are_gone=options["even_if_many_are_gone"])
        except ManyGone as error:
            raise CommandError(
                f"{error.message} The accounts stay as they were. If they are really gone: --even-if-many-are-gone"
            ) from error
        except CallcapError as error:
            raise CommandError(f"{error.message} The accounts stay as they were.") from error
        self.stdout.write(
            f"{result.listed} accounts: {result.added} added, {result.changed} changed, {result.vanished} gone."
        )
