"""Records for tests. A campaign comes with its history entry, as the database demands."""

from __future__ import annotations

import uuid
from typing import Any

import factory
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import (
    Account,
    Batch,
    BatchKind,
    BatchRow,
    Campaign,
    Grant,
    Order,
    OrderKind,
    RowState,
    Source,
    User,
    Verb,
)
from numbers_app.permissions import Role
from numbers_app.services.history import NumberState, history_append

PASSWORD = "correct horse battery"


class UserFactory(factory.django.DjangoModelFactory[User]):
    """``UserFactory(role=Role.MANAGER)``; the password is PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    first_name = factory.LazyAttribute(lambda user: user.username.capitalize())
    last_name = "Test"
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def role(user: User, create: bool, role: Role | None, **kwargs: Any) -> None:  # noqa: N805
        if role:
            user.groups.add(Group.objects.get(name=role))


class CorporateFactory(factory.django.DjangoModelFactory[Account]):
    class Meta:
        model = Account
        django_get_or_create = ("key",)

    kind = Account.Kind.CORPORATE
    callcap_id = factory.Sequence(lambda n: 1000 + n)
    key = factory.LazyAttribute(lambda account: f"C-{account.callcap_id}")
    name = factory.LazyAttribute(lambda account: f"Corporate {account.callcap_id}")
    path = factory.LazyAttribute(lambda account: f"{account.parent.path if account.parent else '/'}{account.key}/")
    parent = None
    synced_at = factory.LazyFunction(timezone.now)


class DivisionFactory(CorporateFactory):
    kind = Account.Kind.DIVISION
    key = factory.LazyAttribute(lambda account: f"D-{account.callcap_id}")
    name = factory.LazyAttribute(lambda account: f"Division {account.callcap_id}")
    parent = factory.SubFactory(CorporateFactory)


class LocationFactory(CorporateFactory):
    kind = Account.Kind.LOCATION
    key = factory.LazyAttribute(lambda account: f"L-{account.callcap_id}")
    name = factory.LazyAttribute(lambda account: f"Location {account.callcap_id}")
    parent = factory.SubFactory(DivisionFactory)
    time_zone = "America/Chicago"


class GrantFactory(factory.django.DjangoModelFactory[Grant]):
    class Meta:
        model = Grant

    user = factory.SubFactory(UserFactory)
    account = factory.SubFactory(LocationFactory)


class CampaignFactory(factory.django.DjangoModelFactory[Campaign]):
    class Meta:
        model = Campaign

    phone_number = factory.Sequence(lambda n: f"316734{n % 10_000:04d}")
    account = factory.SubFactory(LocationFactory)
    destination = "3164447896"
    campaign_name = factory.LazyAttribute(lambda campaign: campaign.phone_number)
    confirmed_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class: type[Campaign], *args: Any, **fields: Any) -> Campaign:
        with transaction.atomic():
            entry = history_append(
                actor=Actor.portal("Factory", source=Source.COMMAND),
                verb=Verb.NUMBER_BOUGHT,
                number=fields["phone_number"],
                account_key=fields["account"].key,
                changes={"destination": [None, fields["destination"]]},
                state=NumberState(fields["destination"], fields.get("stop_date"), fields.get("ended_at")),
            )
            return Campaign.objects.create(last_change=entry, **fields)


class OrderFactory(factory.django.DjangoModelFactory[Order]):
    """A pending purchase without choices; use the services for anything with a life of its own."""

    class Meta:
        model = Order

    kind = OrderKind.PROVISION
    account = factory.SubFactory(LocationFactory)
    parameters = factory.LazyFunction(lambda: {"destination": "3164447896"})
    # Nobody who is in a test.
    requester_id = author_id = 1_000_000_000
    requester_name = author_name = "Somebody"
    form_token = factory.LazyFunction(uuid.uuid4)


class BatchFactory(factory.django.DjangoModelFactory[Batch]):
    """A draft without rows: ``BatchFactory(author_id=user.pk, author_name=user.display_name)``."""

    class Meta:
        model = Batch

    kind = BatchKind.CHANGE
    title = "New reception"
    author_id = 1_000_000_000
    author_name = "Somebody"


class BatchRowFactory(factory.django.DjangoModelFactory[BatchRow]):
    """A row that can be submitted; ``batch`` is needed, and what the row is about."""

    class Meta:
        model = BatchRow

    line = factory.Sequence(lambda n: n + 2)
    state = RowState.READY
    author_id = factory.SelfAttribute("batch.author_id")
