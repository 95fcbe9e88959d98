"""Reading the mirror of provisioned numbers, within what the reader may see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from numbers_app.models import Campaign, User

from .accounts import accounts_visible


def campaign_list(user: User) -> QuerySet[Campaign]:
    """The numbers of the accounts that the user may see, newest first."""
    return Campaign.objects.filter(account__in=accounts_visible(user)).select_related("account__parent")


def campaign_search(campaigns: QuerySet[Campaign], text: str) -> QuerySet[Campaign]:
    """Those whose number, destination, name, notes or memos contain the text; punctuation in numbers is ignored."""
    found = (
        Q(campaign_name__icontains=text)
        | Q(notes__icontains=text)
        | Q(memo1__icontains=text)
        | Q(memo2__icontains=text)
    )
    digits = "".join(character for character in text if character.isdecimal())
    if digits and not any(character.isalpha() for character in text):
        found |= Q(phone_number__contains=digits) | Q(destination__contains=digits)
    return campaigns.filter(found)


def campaigns_held(numbers: list[str]) -> set[str]:
    """Those of the given numbers that are among ours and have not stopped."""
    return set(Campaign.objects.filter(phone_number__in=numbers, ended_at=None).values_list("phone_number", flat=True))
