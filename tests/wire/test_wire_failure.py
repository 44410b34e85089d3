"""A response with an error status becomes the error that a caller branches on, whatever its body looks like."""

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpeek_async import (
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    ServerError,
    StatusError,
    ValidationError,
)
from mixpeek_async._wire import Response, status_error

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["error", "detail", "message", "details"]), inner),
)


def error_for(body: Any = b"", status: int = 404, **headers: str) -> StatusError:
    """The error for a body: bytes as they are, anything else as JSON."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status_error(Response(status=status, headers=named, body=sent))


def api_error(status: int = 404, **error: Any) -> StatusError:
    """The error for a body of today's shape."""
    return error_for({"success": False, "status": status, "error": error}, status)


# --- the status ---


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (300, RedirectError),
        (301, RedirectError),
        (302, RedirectError),
        (304, RedirectError),
        (308, RedirectError),
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, StatusError),
        (409, StatusError),
        (410, StatusError),
        (413, StatusError),
        (415, StatusError),
        (422, ValidationError),
        (408, StatusError),
        (425, StatusError),
        (429, RateLimitError),
        (500, ServerError),
        (501, ServerError),
        (503, ServerError),
        (529, ServerError),
        (599, ServerError),
    ],
)
def test_a_status_has_its_class(status: int, cls: type[StatusError]) -> None:
    error = error_for(status=status)

    assert type(error) is cls
    assert error.status == status


def test_what_passes_by_itself_is_retryable_and_nothing_else() -> None:
    retryable = {status for status in range(300, 700) if error_for(status=status).retryable}
    assert retryable == {408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 598, 599}


def test_the_server_can_say_that_another_try_is_no_use() -> None:
    assert not api_error(503, message="gone for good", details={"retryable": False}).retryable


@pytest.mark.parametrize("word", [True, None, "false", 0])
def test_any_other_word_on_retrying_leaves_it_to_the_status(word: Any) -> None:
    assert api_error(503, details={"retryable": word}).retryable
    assert not api_error(404, details={"retryable": word}).retryable


# --- the body ---


def test_an_error_of_the_api_gives_all_its_facts() -> None:
    details = {"validation_errors": [{"field": "limit"}], "api_name": "objects"}
    error = api_error(422, message="limit is too high", type="ValidationError", code="E17", details=details)

    assert error.message == "422: limit is too high"
    assert str(error) == error.message
    assert (error.type, error.code, error.details) == ("ValidationError", "E17", details)
    assert error.retry_after is None


def test_what_an_error_does_not_say_is_none() -> None:
    error = api_error(message="no such bucket")

    assert (error.type, error.code, error.details, error.request_id) == (None, None, {}, None)


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"x_request_id": "req_1", "request_id": "req_2"}, "req_1"),
        ({"request_id": "req_2"}, "req_2"),
        ({"x_request_id": "a\x1b[0m"}, r"a\x1b[0m"),
        ({"x_request_id": "x" * 1_000}, "x" * 199 + "…"),
    ],
)
def test_the_request_id_is_the_headers_safe_to_print(headers: dict[str, Any], request_id: str) -> None:
    assert error_for(**headers).request_id == request_id


@pytest.mark.parametrize(
    ("body", "message"),
    [
        # the API's own, in its odder forms
        ({"error": {"message": ["a", "b"]}}, '["a", "b"]'),
        ({"error": {"message": 7}}, "7"),
        ({"error": {"type": "NotFoundError"}}, '{"type": "NotFoundError"}'),
        ({"error": "text"}, "text"),
        ({"message": "at the root"}, "at the root"),
        # the older shape
        ({"detail": "Not Found"}, "Not Found"),
        (
            {"detail": [{"loc": ["query", "limit"], "msg": "too high"}]},
            '[{"loc": ["query", "limit"], "msg": "too high"}]',
        ),
        ({"detail": {"error": {"message": "inside"}}}, "inside"),
        ({"detail": {"message": "inside too"}}, "inside too"),
        ({"detail": {"reason": "é"}}, '{"reason": "é"}'),
        # no object at all
        ([], "[]"),
        ([{"error": "text"}], '[{"error": "text"}]'),
        ("text", '"text"'),
        (None, "null"),
        # nothing said
        ({}, "{}"),
        ({"error": None, "detail": None}, '{"error": null, "detail": null}'),
        # no JSON
        (b"", "no message"),
        (b" \r\n ", "no message"),
        (b"<html>Bad Gateway</html>\n", "<html>Bad Gateway</html>"),
        (b"\xff\xfe no text", "�� no text"),
        (b"[" * 100_000, "[" * 199 + "…"),
        (b'{"error": ' + b"9" * 5_000 + b"}", '{"error": ' + "9" * 189 + "…"),
    ],
)
def test_a_body_of_any_shape_gives_its_words(body: Any, message: str) -> None:
    assert error_for(body).message == f"404: {message}"


def test_facts_are_found_in_the_older_shape_too() -> None:
    inside = {"message": "m", "type": "NotFoundError", "code": "c", "details": {"api_name": "objects"}}

    for body in ({"detail": inside}, {"detail": {"error": inside}}):
        error = error_for(body)
        assert (error.type, error.code, error.details) == ("NotFoundError", "c", {"api_name": "objects"})


@pytest.mark.parametrize("details", [None, [], ["a"], "a", 7, True])
def test_details_that_are_no_object_count_as_none(details: Any) -> None:
    error = api_error(503, message="busy", details=details)

    assert error.details == {}
    assert error.message == "503: busy"


@pytest.mark.parametrize("value", [7, True, ["E17"], {}])
def test_a_type_or_a_code_that_is_no_string_counts_as_none(value: Any) -> None:
    error = api_error(message="no", type=value, code=value)
    assert (error.type, error.code) == (None, None)


def test_control_characters_of_a_server_are_escaped() -> None:
    error = api_error(message="\x1b[2J\rgone\n", type="\x07", code="\u202e")

    assert error.message == r"404: \x1b[2J\rgone\n"
    assert (error.type, error.code) == (r"\x07", r"\u202e")


@pytest.mark.parametrize("body", [{"error": {"message": "x" * 1_000_000}}, {"detail": ["x" * 1_000_000]}])
def test_a_megabyte_of_message_is_cut_to_two_thousand_characters(body: Any) -> None:
    assert len(error_for(body).message) == len("404: ") + 2_000


def test_a_page_of_html_is_cut_to_its_beginning() -> None:
    assert len(error_for(b"<p>" * 100_000).message) == len("404: ") + 200


@given(st.integers(300, 700), JSON | st.binary())
def test_any_body_is_an_error_of_its_status_that_can_be_printed_and_pickled(status: int, body: Any) -> None:
    error = error_for(body, status)

    assert error.message.startswith(f"{status}: ")
    assert error.message.isprintable()
    assert pickle.loads(pickle.dumps(error)).message == error.message
    assert error.__context__ is None
