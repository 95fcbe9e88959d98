"""Tags that every page uses."""

from datetime import UTC, date, datetime

import pytest
from django.core.paginator import Paginator
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import timezone

from numbers_app.templatetags import search, shell

NOON = datetime(2026, 11, 23, 18, 0, 5, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return Template("{% load shell %}" + source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("number", "text"),
    [("3167342253", "(316) 734-2253"), ("31673", "31673"), ("", ""), (None, ""), ("<b>", "<b>")],
)
def test_phone_formats_ten_digits_and_leaves_the_rest(number: str | None, text: str) -> None:
    assert shell.phone(number) == text


def test_phone_is_escaped_in_a_page() -> None:
    assert render("{{ n|phone }}", n="<b>") == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("###cake", "316-734-<mark>CAKE</mark>"),
        ("cake", "316-734-<mark>CAKE</mark>"),
        ("2253", "316-734-<mark>2253</mark>"),
        ("42253", "316-73<mark>4-2253</mark>"),
    ],
)
def test_spelled_marks_the_match_and_reads_the_number_once(text: str, marked: str) -> None:
    html = shell.spelled("3167342253", text)
    assert f'<span aria-hidden="true">{marked}</span>' in html
    assert html.count("(316) 734-2253") == 1


def test_whatever_stands_for_a_number_is_escaped() -> None:
    hostile = "\"'><b>316</b>&"
    for html in (
        shell.spelled(hostile),
        shell.spelled(hostile, "316"),
        search.search_tick(hostile, [], hostile),
        search.search_tick(hostile, [hostile], hostile, oob=True),
    ):
        assert "<b>" not in html
        assert "\"'" not in html


@pytest.mark.parametrize("text", ["", "hello", "ca!ke", "waytoolongtext"])
def test_spelled_without_a_match_is_the_plain_number(text: str) -> None:
    assert shell.spelled("3167342253", text) == '<span class="number">(316) 734-2253</span>'


def test_icon_is_inline_and_hidden_from_screen_readers() -> None:
    html = shell.icon("search")
    assert html.startswith("<svg ")
    assert html.endswith("</svg>")
    assert 'aria-hidden="true"' in html


@pytest.mark.parametrize("name", ["no-such-icon", "../package", ""])
def test_an_unknown_icon_is_an_error(name: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="icon"):
        shell.icon(name)


def test_every_state_has_its_own_icon_or_text() -> None:
    for state in shell.STATES:
        html = shell.state_badge(state)
        assert "<svg" in html
        assert shell.field_label(state) in html
    assert "Waiting &amp; more" in shell.state_badge("pending", "Waiting & more")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("campaign_name", "Campaign name"),
        ("memo1", "Memo 1"),
        ("media_type_id", "Media type ID"),
        ("city", "City"),
    ],
)
def test_field_label(name: str, label: str) -> None:
    assert shell.field_label(name) == label


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "on"), (False, "off"), (["a", "<b>"], "a, &lt;b&gt;"), ("x & y", "x &amp; y"), (0, "0")],
)
def test_shown_values(value: object, text: str) -> None:
    assert shell.shown(value) == text


@pytest.mark.parametrize("value", [None, "", []])
def test_shown_names_the_absence_of_a_value(value: object) -> None:
    assert "empty" in shell.shown(value)


def test_moment_shows_the_readers_zone_and_exact_utc() -> None:
    with timezone.override("America/Chicago"):
        html = render("{% moment t %}", t=NOON)
    assert "Nov 23, 2026, 12:00 PM CST" in html
    assert "2026-11-23 18:00:05 UTC" in html
    assert 'datetime="2026-11-23T12:00:05-06:00"' in html
    assert shell.shown(NOON).startswith("<time")
    assert "never" in render("{% moment t %}", t=None)


def test_stop_dates_say_whose_day_they_are() -> None:
    assert "No stop date" in shell.stop_date(None)
    assert "runs on" in shell.stop_date(date(2099, 1, 1), "America/Chicago")
    assert "(2099-01-01)" in shell.stop_date(date(2099, 1, 1))
    html = shell.stop_date(date(2027, 1, 31), "America/New_York")
    assert "Jan 31, 2027" in html
    assert "America/New York time" in html
    assert "is not known" in shell.stop_date(date(2027, 1, 31))


def test_page_numbers_leave_gaps() -> None:
    pages = Paginator(range(1000), 10)
    assert shell.page_numbers(pages.page(50)) == [1, None, 49, 50, 51, None, 100]


def test_pagination_keeps_the_query(rf: RequestFactory) -> None:
    page = Paginator(range(100), 10).page(2)
    request = rf.get("/orders/?state=pending&page=2")
    context = {"page": page, "label": "Orders", "target": "#results"}
    html = Template('{% include "partials/pagination.html" %}').render(RequestContext(request, context))
    assert 'href="?state=pending&amp;page=3"' in html
    assert 'hx-get="?state=pending&amp;page=3"' in html
    assert 'aria-current="page"' in html


def test_partials_show_before_and_after_as_text() -> None:
    rows = [{"label": "Destination", "before": None, "after": "<1>"}]
    html = render('{% include "partials/diff_table.html" %}', rows=rows)
    assert "empty" in html
    assert "&lt;1&gt;" in html
    entry = {"time": NOON, "actor": "Ann", "text": "approved it", "detail": "<why>", "icon": "check2", "sequence": 7}
    html = render('{% include "partials/timeline.html" with label="Timeline" %}', entries=[entry])
    assert "&lt;why&gt;" in html
    assert "18:00:05 UTC" in html
    assert 'href="/history/7/"' in html
