"""Who reads which part of the history."""

import pytest
from django.db import transaction

from numbers_app.models import Account, User, Verb
from numbers_app.selectors.history import history_list
from numbers_app.services.history import history_append
from tests.factories import LocationFactory
from tests.history.conftest import PORTAL


@pytest.fixture
def entries(location: Account) -> None:
    """Entries about L-3, about another Location, and about none."""
    LocationFactory(key="L-30", callcap_id=30)
    with transaction.atomic():
        for key in ("L-3", "L-30", ""):
            history_append(actor=PORTAL, verb=Verb.ACCOUNT_CHANGED, account_key=key)


@pytest.mark.django_db
@pytest.mark.usefixtures("entries")
def test_rep_reads_about_granted_accounts_only(rep: User) -> None:
    assert [entry.account_key for entry in history_list(rep)] == ["L-3"]


@pytest.mark.django_db
@pytest.mark.usefixtures("entries")
def test_auditor_reads_everything_newest_first(auditor: User) -> None:
    assert [entry.account_key for entry in history_list(auditor)] == ["", "L-30", "L-3"]
