"""The page of a summary, as a program reads it: what is escaped, how large it is, what readers without eyes get."""

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest
from figures import HOSTILE_NAME, hostile, plain

from mixpeek_async import Breakdown, Summary
from mixpeek_async.cli._charts import charts, headline
from mixpeek_async.cli._page import page
from mixpeek_async.cli._text import printable

NOW = datetime(2025, 3, 4, 5, 6, tzinfo=UTC)
VOID = {"meta", "link", "wbr"}


class Parsed(HTMLParser):
    """The elements of a page, their attributes and their text. AssertionError where an end tag fits no start tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text between the tags."""
        return "".join(self.texts)


@pytest.mark.parametrize("summary", [plain(), hostile()], ids=["plain", "hostile"])
def test_a_page_is_small_and_asks_for_nothing(summary: Summary) -> None:
    text = page(HOSTILE_NAME * 3, summary, NOW)
    parsed = Parsed(text)
    assert len(text.encode()) < 100_000
    assert not {"script", "img", "iframe", "object", "embed", "base", "form", "a"} & set(parsed.tags)
    assert [value for _, name, value in parsed.attributes if name in ("src", "href", "srcset")] == ["data:,"]
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    # A hostile name, shortened, may hold "url("; the style of the page holds none.
    assert "url(" not in text.partition("<style>")[2].partition("</style>")[0]
    assert ("meta", "content", "default-src 'none'; img-src data:; style-src 'unsafe-inline'") in parsed.attributes


def test_names_are_shown_as_they_are_and_cannot_do_anything() -> None:
    parsed = Parsed(page(HOSTILE_NAME, hostile(), NOW))
    assert printable(HOSTILE_NAME) in parsed.text
    assert not {"\u202e", "\x1b"} & set(parsed.text)
    assert parsed.tags.count("title") == 1 + 1 + 120


def test_a_chart_is_a_table_with_every_number() -> None:
    parsed = Parsed(page("archive", plain(), NOW))
    assert parsed.tags.count("table") == parsed.tags.count("caption") == parsed.tags.count("tbody") == 5
    assert parsed.attributes.count(("th", "scope", "row")) == sum(len(chart.rows) for chart in charts(plain()))
    for text in ("COMPLETED_WITH_ERRORS", "1,700", "99.4%", "no status", "0.1%", "2024-01", "2025-06", "no date"):
        assert text in parsed.text


def test_the_columns_have_a_title_and_a_description() -> None:
    parsed = Parsed(page("archive", plain(), NOW))
    assert ("svg", "role", "img") in parsed.attributes
    assert "18 columns from 2024-01 to 2025-06; the highest is 2025-06 with 280." in parsed.text
    assert "Not in the columns: no date: 3" in parsed.text
    assert "2024-01: 110" in parsed.texts


def test_what_is_small_is_seen_and_what_is_zero_is_not() -> None:
    made = Breakdown({date(2025, 1, 1): 1_000_000, date(2025, 1, 2): 1, date(2025, 1, 3): 0}, "server")
    text = page("archive", _with(made), NOW)
    heights = [float(height) for height in re.findall(r'<rect x.* height="([\d.]+)"', text)]
    assert heights == [100.0, 0.7, 0.0]
    # The first, the one in the middle and the last have their dates below them.
    assert re.search(r"<span>2025-01-01</span><span>2025-01-02</span><span>2025-01-03</span>", text)


def test_a_bucket_without_objects_has_a_page() -> None:
    parsed = Parsed(page("archive", _with(Breakdown({}, "server")), NOW))
    assert parsed.text.count("None.") == 5
    assert Parsed(page("archive", _with(Breakdown({None: 2}, "server")), NOW)).tags.count("svg") == 0


def _with(created: Breakdown[date]) -> Summary:
    nothing = Breakdown[str]({}, "server")
    return Summary(
        objects=0,
        statuses=nothing,
        blob_types=nothing,
        mime_types=nothing,
        sizes=nothing,
        created=created,
        created_by="day",
    )


def test_many_values_become_one_row_of_others() -> None:
    timeline, statuses, *_ = charts(hostile())
    assert [row.label for row in statuses.rows][-1] == "480 others"
    assert statuses.total == 500
    assert all(len(row.label) <= 61 for row in statuses.rows)
    assert timeline.rows[0].label == "earlier"
    assert len(timeline.rows) == 121
    assert timeline.total == sum(range(9_000))


def test_a_share_is_never_shown_as_nothing() -> None:
    chart = charts(plain())[1]
    assert [chart.share(row) for row in chart.rows] == ["99.4%", "0.5%", "0.1%"]
    rare = charts(_with(Breakdown({date(2025, 1, 1): 99_999, None: 1}, "server")))[0]
    assert [rare.share(row) for row in rare.rows] == ["100.0%", "<0.1%"]


def test_the_headline_says_what_is_unusual() -> None:
    assert headline(plain()) == "1,710 objects"
    assert headline(hostile()) == (
        "500 objects; 7 more that cannot be read; the bucket changed meanwhile, so that the sums may differ"
    )
