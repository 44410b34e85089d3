"""A list answer's bytes become a page, or the error that says what is wrong with them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpeek_async import (
    InvalidObjectError,
    MalformedResponseError,
    MixpeekError,
    NamespaceUnresolvedError,
    Object,
    ObjectStatus,
)
from mixpeek_async._model import structurer
from mixpeek_async._paging import ReceivedPage
from mixpeek_async._wire import Response, parse_page

EXAMPLE = Path(__file__).with_name("list_objects_example.json")
HUGE = b"9" * 5_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def parse(body: bytes, headers: dict[str, str] | None = None) -> ReceivedPage:
    return parse_page(Response(status=200, headers=headers or {}, body=body))


def parse_json(**answer: Any) -> ReceivedPage:
    return parse(json.dumps(answer).encode())


def refusal(body: bytes) -> MalformedResponseError:
    with pytest.raises(MalformedResponseError) as caught:
        parse(body)
    return caught.value


def test_an_answer_of_the_published_example_becomes_typed_objects() -> None:
    page = parse(EXAMPLE.read_bytes())
    [obj] = [structurer(Object)(row, index) for index, row in enumerate(page.rows)]

    assert obj == Object(
        object_id="obj_5f0e2c7d41aa",
        bucket_id="bkt_holiday",
        key_prefix="/postcards/lisbon",
        blobs=[],
        status=ObjectStatus.ACTIVE,
        metadata={"place": "Lisbon", "stamps": 3},
        created_at=datetime(2025, 3, 2, 8, 15, tzinfo=UTC),
        updated_at=datetime(2025, 3, 4, 19, 45, 30, tzinfo=UTC),
    )
    assert page.pagination.to_dict() == {"skip": 0, "limit": 25, "has_more": False}


SHAPES = {
    "A": {"has_more": True, "limit": 10, "skip": 20},
    "B": {"total": 95, "page": 2, "page_size": 10, "total_pages": 10, "next_page": 3, "previous_page": 1},
    "B with links": {"total": 95, "page": 2, "next_page": "/v1/x?page=3", "previous_page": "/v1/x?page=1"},
    "C": {"next_cursor": "eyJvIjoxMH0", "total": None, "page": None, "page_size": None, "total_pages": None},
    "C with the total": {"next_cursor": None, "total": 95, "page": 10, "page_size": 10, "total_pages": 10},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_each_published_shape_of_pagination_is_read_as_it_is(shape: dict[str, Any]) -> None:
    pagination = parse_json(results=[], pagination=shape).pagination

    assert {key: getattr(pagination, key) for key in shape} == shape
    assert pagination.to_dict() == shape


def test_a_pagination_tells_a_null_from_a_key_that_did_not_come() -> None:
    assert parse_json(results=[], pagination={"next_cursor": None}).pagination.to_dict() == {"next_cursor": None}


@pytest.mark.parametrize("answer", [{"results": []}, {"results": [], "pagination": None}], ids=["missing", "null"])
def test_no_pagination_is_one_without_keys(answer: dict[str, Any]) -> None:
    assert parse_json(**answer).pagination.to_dict() == {}


@pytest.mark.parametrize("answer", [{"results": []}, {"results": [], "stats": None}], ids=["missing", "null"])
def test_no_stats_are_none(answer: dict[str, Any]) -> None:
    assert parse_json(**answer).stats is None


@pytest.mark.parametrize("answer", [{"results": []}, {"results": [], "warnings": None}], ids=["missing", "null"])
def test_no_warnings_are_an_empty_list(answer: dict[str, Any]) -> None:
    assert parse_json(**answer).warnings == []


def test_stats_are_counts() -> None:
    stats = parse_json(
        results=[], stats={"total_objects": 3, "avg_blobs_per_object": 1.5, "objects_by_status": {"DRAFT": 3}}
    ).stats

    assert stats is not None
    assert (stats.total_objects, stats.avg_blobs_per_object, stats.total_blobs) == (3, 1.5, None)
    assert stats.objects_by_status == {"DRAFT": 3}


def test_warnings_come_in_their_order_with_what_to_do() -> None:
    first, second = parse_json(
        results=[],
        warnings=[
            {"resource": "index", "id": "ix_1", "reason": "building", "next_step": "wait", "stage": "scan"},
            {"resource": "quota"},
        ],
    ).warnings

    assert (first.resource, first.id, first.reason, first.next_step, first.stage) == (
        "index",
        "ix_1",
        "building",
        "wait",
        "scan",
    )
    assert (second.resource, second.reason) == ("quota", None)


def test_keys_beside_the_known_ones_do_no_harm() -> None:
    assert parse_json(results=[], total_count=7, success=True).rows == []


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text()), max_size=20))
def test_rows_are_the_json_of_the_results_one_each_in_order(results: list[dict[str, Any]]) -> None:
    assert [json.loads(bytes(row)) for row in parse_json(results=results).rows] == results


# --- 200, and not a page ---

DAMAGED = {
    "nothing": b"",
    "white space": b" \n",
    "HTML": b"<!doctype html><title>Bad gateway</title>",
    "cut in the list": b'{"results": [',
    "cut in a row": b'{"results": [{"object_id": "obj_',
    "cut before the last brace": b'{"results": []',
    "cut in a word": b'{"results": [nul',
    "a word that JSON does not know": b'{"results": [N]}',
    "half a surrogate pair": rb'{"results": [{"x": "\ud83d and on"}]}',
    "half a surrogate pair in the cursor": rb'{"results": [], "pagination": {"next_cursor": "\ud83d"}}',
    "UTF-16": '{"results": []}'.encode("utf-16"),
    "a page and more": b'{"results": []}{"results"',
    "no UTF-8 at all": b"\xff\x00\x80",
    "no UTF-8 in a row": b'{"results": [{"object_id": "a\xff", "bucket_id": "b"}]}',
    "no UTF-8 in a row's unknown key": b'{"results": [{"object_id": "a", "bucket_id": "b", "x": "\xc3("}]}',
}


@pytest.mark.parametrize("body", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_body_is_malformed_and_worth_another_try(body: bytes) -> None:
    error = refusal(body)

    assert error.retryable
    assert error.path is None


WRONG = {
    "null": (b"null", "$"),
    "a list": (b"[]", "$"),
    "a number": (b"7", "$"),
    "an empty object": (b"{}", "$"),
    "no results": (b'{"pagination": {"has_more": false}}', "$"),
    "results null": (b'{"results": null}', "$.results"),
    "results an object": (b'{"results": {"0": {}}}', "$.results"),
    "results a string": (b'{"results": "abc"}', "$.results"),
    "pagination a list": (b'{"results": [], "pagination": []}', "$.pagination"),
    "cursor a number": (b'{"results": [], "pagination": {"next_cursor": 7}}', "$.pagination.next_cursor"),
    "NaN for a page": (b"NaN", "$"),
    "a list of NaN": (b"[NaN]", "$"),
    "NaN for the results": (b'{"results": NaN}', "$"),
    "NaN in the pagination": (b'{"results": [], "pagination": {"total": NaN}}', "$"),
    "NaN in the stats": (b'{"results": [], "stats": {"avg_blobs_per_object": NaN}}', "$"),
    "NaN in a warning": (b'{"results": [], "warnings": [{}, {"id": NaN}]}', "$"),
    "NaN in a row": (b'{"results": [{}, {"metadata": {"x": NaN}}]}', "$"),
    "infinity in a row": (b'{"results": [{"x": [1, -Infinity]}]}', "$"),
    "5,000 digits for a page": (HUGE, "$"),
    "5,000 digits and a NaN": (b'{"results": [%s, NaN]}' % HUGE, "$"),
    "200,000 brackets": (b"[" * 200_000, "$"),
    "200,000 brackets in a row": (b'{"results": [' + b"[" * 200_000, "$"),
    "deep, and whole": (b'{"results": [' + b"[" * 50_000 + b"]" * 50_000 + b"]}", "$"),
}


@pytest.mark.parametrize(("body", "path"), WRONG.values(), ids=WRONG)
def test_json_of_another_shape_is_malformed_for_good_and_the_error_says_where(body: bytes, path: str) -> None:
    error = refusal(body)

    assert not error.retryable
    assert error.path == path


@pytest.mark.parametrize("value", ["false", 1, 0, "yes", [], {}])
def test_has_more_is_true_false_or_null_and_nothing_else(value: Any) -> None:
    error = refusal(json.dumps({"results": [], "pagination": {"has_more": value}}).encode())

    assert error.path == "$.pagination.has_more"
    assert not error.retryable


@pytest.mark.parametrize("item", [b"null", b"7", b'"abc"', b"[]", HUGE])
def test_an_item_that_is_no_object_is_found_when_that_row_is_structured(item: bytes) -> None:
    page = parse(b'{"results": [{"object_id": "a", "bucket_id": "b"}, %s]}' % item)

    assert structurer(Object)(page.rows[0], 0).object_id == "a"
    with pytest.raises(InvalidObjectError) as caught:
        structurer(Object)(page.rows[1], 1)
    assert caught.value.path == "$.results[1]"


def test_the_error_for_a_body_that_is_no_json_shows_how_it_begins_safely_and_briefly() -> None:
    message = refusal(b"\x1b[31m<html>\r\n" + b"x" * 1_000_000).message

    assert r"\x1b[31m<html>" in message
    assert message.isprintable()
    assert len(message) < 500


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_page_or_malformed(body: bytes) -> None:
    try:
        page = parse(body)
    except MalformedResponseError:
        return
    assert isinstance(page.rows, list)


@given(st.integers(1, 10_000))
def test_a_body_cut_anywhere_is_malformed_and_worth_another_try(at: int) -> None:
    body = EXAMPLE.read_bytes().strip()
    assert refusal(body[: at % len(body)]).retryable


@pytest.mark.parametrize("body", [b"<html>", b"null", b'{"results": [], "pagination": 7}'])
def test_no_exception_of_another_library_is_chained(body: bytes) -> None:
    error = refusal(body)
    assert error.__cause__ is None
    assert error.__context__ is None


# --- parts that never cost a row ---

SOME_ROWS = [{"object_id": "a"}, {"object_id": "b"}]

UNREADABLE: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "total a string": ({"pagination": {"total": "7", "page": 2}}, ("$.pagination.total",)),
    "limit a string": ({"pagination": {"limit": "10", "has_more": True}}, ("$.pagination.limit",)),
    "page a fraction": ({"pagination": {"page": 1.5}}, ("$.pagination.page",)),
    "two numbers": ({"pagination": {"page": [], "skip": {}}}, ("$.pagination.page", "$.pagination.skip")),
    "previous_page a list": ({"pagination": {"previous_page": []}}, ("$.pagination.previous_page",)),
    "stats a list": ({"stats": []}, ("$.stats",)),
    "a count a string": ({"stats": {"total_objects": "3"}}, ("$.stats.total_objects",)),
    "counts a list": ({"stats": {"objects_by_status": []}}, ("$.stats.objects_by_status",)),
    "a warning a number": ({"warnings": [{}, 7, "text"]}, ("$.warnings[1]",)),
    "warnings a number": ({"warnings": 7}, ("$.warnings[0]",)),
    "a reason a list": ({"warnings": [{"reason": []}]}, ("$.warnings[0].reason",)),
}


@pytest.mark.parametrize(("beside", "paths"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_decoration_of_a_wrong_type_is_noted_and_costs_no_row(beside: dict[str, Any], paths: tuple[str, ...]) -> None:
    page = parse_json(results=SOME_ROWS, **beside)

    assert [json.loads(bytes(row)) for row in page.rows] == SOME_ROWS
    assert tuple(note.partition(": ")[0] for note in page.unreadable) == paths


def test_what_cannot_be_read_is_none_and_the_rest_is_there() -> None:
    page = parse_json(
        results=[],
        pagination={"has_more": True, "total": "7", "page": 2, "extra": 1},
        stats={"total_objects": None, "total_blobs": "x", "objects_by_status": {"DRAFT": 1.5, "FAILED": None}},
    )

    assert (page.pagination.has_more, page.pagination.total, page.pagination.page) == (True, None, 2)
    assert page.pagination.to_dict() == {"has_more": True, "total": "7", "page": 2, "extra": 1}
    assert page.pagination.extra == {"extra": 1}
    assert page.stats is not None
    assert (page.stats.total_blobs, page.stats.objects_by_status) == (None, {"DRAFT": 1.5, "FAILED": None})
    assert page.unreadable == (
        "$.pagination.total: Expected `int | null`, got `str`",
        "$.stats.total_blobs: Expected `int | null`, got `str`",
    )


def test_a_number_that_no_int_holds_costs_no_row() -> None:
    page = parse(b'{"results": [{}], "pagination": {"total": %s}, "warnings": [%s]}' % (HUGE, HUGE))

    assert (len(page.rows), page.pagination.total, page.warnings) == (1, None, [])
    assert [note.partition(": ")[0] for note in page.unreadable] == ["$.pagination.total", "$.warnings[0]"]


def test_a_page_that_can_be_read_whole_has_no_notes() -> None:
    assert parse_json(results=[], pagination=SHAPES["C"], stats={"total_objects": 1}, warnings=["x"]).unreadable == ()


@pytest.mark.parametrize("value", ["p2", 3, 1.5, True, [3], {"page": 3}], ids=repr)
def test_next_page_is_kept_whatever_it_is(value: Any) -> None:
    assert parse_json(results=[], pagination={"next_page": value}).pagination.next_page == value


@pytest.mark.parametrize("warnings", ["careful", ["careful"], [{"reason": "careful"}]], ids=repr)
def test_a_warning_in_plain_text_is_its_reason(warnings: Any) -> None:
    page = parse_json(results=[], warnings=warnings)

    assert [warning.reason for warning in page.warnings] == ["careful"]
    assert page.unreadable == ()


def test_at_most_a_hundred_warnings_are_read() -> None:
    page = parse_json(results=[], warnings=[f"warning {number}" for number in range(500)])

    assert [warning.reason for warning in page.warnings] == [f"warning {number}" for number in range(100)]
    assert page.unreadable == ("$.warnings[100]: only the first 100 are read",)


def test_megabytes_of_warnings_are_not_read_at_all() -> None:
    page = parse(b'{"results": [{}], "warnings": [%s]}' % b",".join([b"{}"] * 400_000))

    assert (len(page.rows), page.warnings) == (1, [])
    assert page.unreadable == ("$.warnings: too long to be read",)


@given(st.sampled_from(["stats", "warnings"]), JSON)
def test_any_decoration_leaves_the_rows_as_they_are(name: str, value: Any) -> None:
    page = parse_json(results=SOME_ROWS, **{name: value})

    assert [json.loads(bytes(row)) for row in page.rows] == SOME_ROWS


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_body_may_be_one_growing_buffer(kind: type[bytes] | type[bytearray]) -> None:
    page = parse_page(Response(status=200, body=kind('{"results": [{"object_id": "é"}]}'.encode())))
    assert [json.loads(bytes(row)) for row in page.rows] == [{"object_id": "é"}]


# --- the namespace ---


def test_a_warning_that_the_namespace_is_unresolved_is_an_error_and_not_an_empty_page() -> None:
    with pytest.raises(NamespaceUnresolvedError, match="namespace"):
        parse_json(results=[], warnings=[{"resource": "x"}, {"resource": "namespace", "reason": "unresolved"}])


def test_a_header_that_the_namespace_is_unresolved_is_the_same_error() -> None:
    with pytest.raises(NamespaceUnresolvedError) as caught:
        parse(b'{"results": []}', {"x-namespace-unresolved": "staging"})
    assert not caught.value.retryable
    assert isinstance(caught.value, MixpeekError)


@pytest.mark.parametrize(
    "warning",
    [
        {"resource": "namespace", "reason": "deprecated"},
        {"resource": "collection", "reason": "unresolved"},
        {"reason": "unresolved"},
        {},
    ],
)
def test_any_other_warning_leaves_the_page_as_it_is(warning: dict[str, str]) -> None:
    assert len(parse_json(results=[{}], warnings=[warning]).rows) == 1
