"""A list query becomes a request: one path, paging in the query, nothing in the body."""

from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
import yarl
from hypothesis import example, given
from hypothesis import strategies as st

from mixpeek_async import InvalidArgumentError
from mixpeek_async._options import PageRequest, PageStart
from mixpeek_async._wire import ListEndpoint, Request, list_objects

LIST = "/v1/buckets/bkt_1/objects/list"


@pytest.mark.parametrize(
    ("page", "target"),
    [
        (PageRequest(PageStart(), 1000), f"{LIST}?limit=1000"),
        (PageRequest(PageStart(offset=20), 10), f"{LIST}?limit=10&offset=20"),
        (PageRequest(PageStart(cursor="abc"), 10), f"{LIST}?limit=10&cursor=abc"),
        (PageRequest(PageStart(offset=20, cursor="abc"), 10), f"{LIST}?limit=10&cursor=abc"),
        (PageRequest(PageStart(), 10, include_total=True), f"{LIST}?limit=10&include_total=true"),
        (PageRequest(PageStart(cursor="a+b/c=&d"), 1), f"{LIST}?limit=1&cursor=a%2Bb%2Fc%3D%26d"),
        (PageRequest(PageStart(cursor="a b é"), 1), f"{LIST}?limit=1&cursor=a%20b%20%C3%A9"),
    ],
)
def test_a_page_is_asked_for_in_the_query_alone(page: PageRequest, target: str) -> None:
    assert list_objects("bkt_1").page(page) == Request(method="POST", target=target, body=None)


def test_a_body_is_that_of_the_listing_for_every_page() -> None:
    listing = ListEndpoint(path="/v1/buckets/list", body=b'{"search": "x"}')

    assert listing.page(PageRequest(PageStart(), 1)).body == b'{"search": "x"}'
    assert listing.page(PageRequest(PageStart(offset=9), 1)).body == b'{"search": "x"}'


pages = st.builds(
    PageRequest,
    st.builds(PageStart, st.integers(0, 10_000), st.none() | st.text(max_size=50)),
    st.integers(1, 1000),
    st.booleans(),
)


@given(pages)
def test_any_page_is_asked_for_in_full_and_with_nothing_more(page: PageRequest) -> None:
    path, _, query = list_objects("bkt_1").page(page).target.partition("?")
    asked = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))

    assert path == LIST
    assert asked.pop("limit") == str(page.limit)
    assert asked.pop("cursor", None) == page.start.cursor
    assert asked.pop("include_total", None) == ("true" if page.include_total else None)
    if page.start.cursor is None:
        assert int(asked.pop("offset", "0")) == page.start.offset
    assert asked == {}


# --- the bucket's id ---

REFUSED: list[Any] = [
    "",
    " ",
    "\t",
    ".",
    "..",
    "\0",
    "a\0",
    "a\r\nb",
    "a\n",
    "\x7f",
    "a\u202eb",
    "\ufeffa",
    "\ud800",
    "a" * 257,
    " " * 5_000,
]
SENT = ["a/b", "../x", "%2e%2e", "%2F", "?", "#", "\\", "...", " a ", "a;b", "a+b&c=d", "🪣", "e\u0301", "a" * 256]


@pytest.mark.parametrize("bucket", REFUSED, ids=ascii)
def test_an_id_that_could_not_arrive_is_refused_in_a_short_printable_sentence(bucket: str) -> None:
    with pytest.raises(InvalidArgumentError, match="bucket") as caught:
        list_objects(bucket)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("bucket", [None, 7, b"bkt_1", ["bkt_1"]])
def test_an_id_is_a_string(bucket: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"bucket must be a string.*{type(bucket).__name__}"):
        list_objects(bucket)


def arrives_as_one_segment(bucket: str) -> bool:
    """Whether the target, as aiohttp puts it on the wire, names this bucket and nothing else."""
    url = yarl.URL("https://api.test" + list_objects(bucket).page(PageRequest(PageStart(), 1)).target, encoded=True)
    before, segment, after = url.raw_path.split("/v1/buckets/")[-1].partition("/objects/list")
    return (unquote_to_bytes(before), segment, after) == (bucket.encode(), "/objects/list", "") and not (
        "/" in before or before in {".", ".."} or url.raw_query_string != "limit=1" or url.raw_fragment
    )


@pytest.mark.parametrize("bucket", SENT, ids=ascii)
def test_every_other_id_is_one_segment_of_the_path(bucket: str) -> None:
    assert arrives_as_one_segment(bucket)


@given(st.text(st.characters(codec=None), max_size=300))
@example("/v1/buckets//objects/list")
def test_any_id_is_refused_or_arrives_byte_for_byte(bucket: str) -> None:
    try:
        list_objects(bucket)
    except InvalidArgumentError:
        return
    assert arrives_as_one_segment(bucket)


@given(
    st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=256).filter(
        lambda id_: id_ not in {".", ".."}
    )
)
def test_any_id_of_visible_characters_is_taken(bucket: str) -> None:
    assert arrives_as_one_segment(bucket)
