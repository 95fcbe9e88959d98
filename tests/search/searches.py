"""Searches to draw examples from."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from numbers_app.callcap import SearchCriteria
from numbers_app.places import AREA_CODES, STATES, TOLLFREE_CODES

SWITCH = st.sampled_from([None, True])
PLACE = st.text("abcdefghij éñ'-", min_size=1, max_size=12).map(str.strip)
PATTERN = (
    st.text("abcxyzABCXYZ0123456789*#", min_size=1, max_size=10)
    .filter(lambda text: bool(text.strip("*#")))
    .map(lambda text: text[:3] + "-" + text[3:] if len(text) > 5 else text)
)


def maybe(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | values


AREA_CODE = st.sampled_from([*AREA_CODES, *TOLLFREE_CODES])
EXCHANGE = st.from_regex(r"[2-9][0-9]{2}", fullmatch=True)
LINE = st.from_regex(r"[0-9]{4}", fullmatch=True)
NUMBER = st.builds(
    "{}{}{}".format, st.sampled_from(["316", "800", "416", "212"]), EXCHANGE.filter(lambda e: e[1:] != "11"), LINE
)


def _as_the_form_gives_it(criteria: SearchCriteria) -> SearchCriteria:
    """Toll-free numbers have no place."""
    if criteria.area_code not in TOLLFREE_CODES and (not criteria.show_tollfree or criteria.show_local):
        return criteria
    return replace(criteria, country="", state="", city="", rate_center="", zipcode="")


# Whatever the search form lets through; the reserved pool is always some Location's.
CRITERIA = st.builds(
    SearchCriteria,
    area_code=maybe(AREA_CODE),
    exchange=maybe(EXCHANGE),
    line=maybe(LINE),
    account=st.just("L-3"),
    show_public_pool=SWITCH,
    show_reserved_pool=SWITCH,
    show_tollfree=SWITCH,
    show_local=SWITCH,
    country=st.sampled_from(["", "US", "CA"]),
    state=maybe(st.sampled_from([state.code for state in STATES])),
    city=maybe(PLACE),
    rate_center=maybe(PLACE),
    zipcode=st.sampled_from(["", "67202", "M5V 2T6"]),
    vanity_text=maybe(PATTERN),
    full_number=maybe(NUMBER),
).map(_as_the_form_gives_it)
