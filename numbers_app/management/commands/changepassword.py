"""``manage.py changepassword``: for who is locked out. Django's own command would leave no trace in the history."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.forms import SetPasswordForm
from django.core.management.base import BaseCommand, CommandError

from numbers_app.actors import Actor
from numbers_app.management.prompts import cancellable, password_twice, somebody_or_refuse
from numbers_app.models import SecurityEventKind, Source, User
from numbers_app.services.security import security_event_note
from numbers_app.services.users import password_change


class Command(BaseCommand):
    help = "Set somebody's password, with its entry in the change history and in the security log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"Nobody here is called {options['username']}.")
        somebody_or_refuse("Administrators also set passwords on the person's page in /admin/.")
        with cancellable():
            password = self._asked(user)
        actor = Actor.portal("changepassword", source=Source.COMMAND)
        password_change(actor=actor, user=user, password=password)
        kind, detail = SecurityEventKind.PASSWORD_CHANGED, f"Set by {actor.name}"
        security_event_note(request=None, kind=kind, user=user, detail=detail)
        self.stdout.write(f"The password of {user.username} is changed.")

    def _asked(self, user: User) -> str:
        """Asked for until both are the same and good enough."""
        while True:
            password, again = password_twice()
            form = SetPasswordForm(user, {"new_password1": password, "new_password2": again})
            if form.is_valid():
                return password
            for errors in form.errors.values():
                self.stderr.write("\n".join(map(str, errors)))
