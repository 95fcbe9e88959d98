"""``manage.py sync_accounts``: bring the account tree in line with Callcap's."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from numbers_app.actors import Actor
from numbers_app.callcap import CallcapError
from numbers_app.models import Source
from numbers_app.services.account_sync import accounts_sync_now


class Command(BaseCommand):
    help = "Read the account tree from the Callcap that CALLCAP_API_URL names."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = accounts_sync_now(actor=Actor.portal("sync_accounts", source=Source.COMMAND))
        except CallcapError as error:
            raise CommandError(f"{error.message} The accounts stay as they were.") from error
        self.stdout.write(
            f"{result.listed} accounts: {result.added} added, {result.changed} changed, {result.vanished} gone."
        )
