"""``manage.py createsuperuser``: the first administrator. Django's own command would leave no trace in the history."""

import os
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError

from numbers_app.actors import Actor
from numbers_app.management.prompts import cancellable, password_twice, somebody_or_refuse
from numbers_app.models import Source, User
from numbers_app.permissions import Role
from numbers_app.services.users import user_create

PASSWORD_VARIABLE = "DJANGO_SUPERUSER_PASSWORD"  # noqa: S105
UNASKED = f"Give --noinput, --username, --email and the variable {PASSWORD_VARIABLE}."


class AdministratorForm(UserCreationForm[User]):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "email")


class Command(BaseCommand):
    help = "Add an administrator, who makes users in /admin/, with the entries in the change history."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username")
        parser.add_argument("--email", help="Where a link for a new password can be sent.")
        parser.add_argument(
            "--noinput",
            "--no-input",
            action="store_false",
            dest="interactive",
            help=f"Ask nothing: the password is in the variable {PASSWORD_VARIABLE}.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        answers = {name: options[name] for name in AdministratorForm.Meta.fields if options[name]}
        with cancellable():
            form = self._asked(answers) if options["interactive"] else _unasked(answers)
        administrator = form.instance
        administrator.set_password(form.cleaned_data["password1"])
        administrator.is_staff = administrator.is_superuser = True
        actor = Actor.portal("createsuperuser", source=Source.COMMAND)
        user_create(actor=actor, user=administrator, roles=[Group.objects.get(name=Role.ADMINISTRATOR)])
        self.stdout.write(f"{administrator.username} is an administrator.")

    def _asked(self, answers: dict[str, str]) -> AdministratorForm:
        """What is missing or wrong is asked for until it is right."""
        somebody_or_refuse(UNASKED)
        while True:
            for name in AdministratorForm.Meta.fields:
                if name not in answers:
                    answers[name] = input(f"{name.capitalize()}: ")
            if "password1" not in answers:
                answers["password1"], answers["password2"] = password_twice()
            form = AdministratorForm(answers)
            if form.is_valid():
                return form
            for name in form.errors:
                self.stderr.write("\n".join(map(str, form.errors[name])))
                wrong = ("password1", "password2") if name.startswith("password") else (name,)
                for again in wrong:
                    answers.pop(again, None)


def _unasked(answers: dict[str, str]) -> AdministratorForm:
    password = os.environ.get(PASSWORD_VARIABLE, "")
    form = AdministratorForm(answers | {"password1": password, "password2": password})
    if not form.is_valid():
        # Both fields of the password say the same.
        problems = [f"{name.rstrip('12')}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()]
        raise CommandError("\n".join([*dict.fromkeys(problems), UNASKED]))
    return form
