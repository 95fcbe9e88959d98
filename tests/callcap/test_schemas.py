"""Names and values as they travel."""

import pytest

from numbers_app.callcap import PROVISION_FIELDS, UPDATE_FIELDS, AvailableNumber, SearchCriteria
from numbers_app.callcap.schemas import WriteValue, wire_text, write_values_to_wire


def test_every_criterion_has_the_vendors_name() -> None:
    criteria = SearchCriteria(
        area_code="316",
        exchange="555",
        line="1234",
        account="L-3",
        show_public_pool=True,
        show_reserved_pool=False,
        show_tollfree=True,
        show_local=False,
        country="US",
        state="KS",
        city="Wichita",
        rate_center="WICHITA",
        zipcode="67202",
        vanity_text="#cake",
        full_number="3165551234",
    )
    assert criteria.to_wire() == {
        "areaCode": "316",
        "exchange": "555",
        "line": "1234",
        "account": "L-3",
        "showPublicPool": "true",
        "showReservedPool": "false",
        "showTollfree": "true",
        "showLocal": "false",
        "country": "US",
        "state": "KS",
        "city": "Wichita",
        "rateCenter": "WICHITA",
        "zipcode": "67202",
        "vanityText": "#cake",
        "fullNumber": "3165551234",
    }


def test_criteria_not_given_are_not_sent() -> None:
    assert SearchCriteria().to_wire() == {}


def test_a_stop_date_exists_only_on_the_update() -> None:
    assert set(UPDATE_FIELDS) - set(PROVISION_FIELDS) == {"stop_date"}


def test_values_under_the_vendors_names() -> None:
    values: dict[str, WriteValue] = {"campaign_name": "A", "media_type_id": 4, "recording": False}
    assert write_values_to_wire(values, UPDATE_FIELDS) == {
        "campaignName": "A",
        "mediaTypeID": 4,
        "recording": False,
    }


def test_blanks_clear_information_and_are_otherwise_left_out() -> None:
    values: dict[str, WriteValue] = {
        "notes": "",
        "evaluation": "",
        "stop_date": "",
        "recording": None,
        "media_type_id": None,
    }
    assert write_values_to_wire(values, UPDATE_FIELDS) == {"notes": "", "mediaTypeID": ""}


@pytest.mark.parametrize("values", [{"destination": ""}, {"destination": None}, {"colour": "red"}])
def test_what_is_never_sent(values: dict[str, WriteValue]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        write_values_to_wire(values, UPDATE_FIELDS)


def test_text_on_the_wire() -> None:
    assert [wire_text(value) for value in (True, False, 3, "x", None)] == ["true", "false", "3", "x", ""]


def test_place() -> None:
    assert AvailableNumber(number="3165551234", city="Wichita", state="KS").place == "Wichita, KS"
    assert AvailableNumber(number="8005551234").place == ""
