"""The tree of errors is as it is drawn, and every error travels whole."""

import copy
import pickle
import re
from collections.abc import Callable

import pytest

import mixpeek_async
from mixpeek_async import errors
from mixpeek_async.errors import (
    ConnectionFailedError,
    InvalidObjectError,
    MalformedResponseError,
    MixpeekError,
    PaginationError,
    RateLimitError,
    StatusError,
)

CLASSES: list[type[MixpeekError]] = [getattr(errors, name) for name in errors.__all__]


def drawn() -> dict[str, tuple[str | None, str]]:
    """The drawing at the top of the module: name to the name it hangs from, and the words beside it."""
    tree: dict[str, tuple[str | None, str]] = {}
    branch: list[str] = []
    for stem, name, words in re.findall(r"^    ([│├└─ ]*)(\w+Error)\b *(.*)$", errors.__doc__ or "", re.MULTILINE):
        branch = [*branch[: len(stem) // 4], name]
        tree[name] = (branch[-2] if len(branch) > 1 else None, words)
    return tree


def test_the_drawing_names_every_error_and_no_other() -> None:
    assert sorted(drawn()) == sorted(errors.__all__)


@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_hangs_where_it_is_drawn(cls: type[MixpeekError]) -> None:
    parent, words = drawn()[cls.__name__]
    other = re.search(r"also an? (\w+)", words)

    bases = [base.__name__ for base in cls.__bases__]
    assert bases == [parent or "Exception", *([other[1]] if other else [])]


@pytest.mark.parametrize(
    ("builtin", "names"),
    [
        (ValueError, {"InvalidArgumentError", "CheckpointError"}),
        (TimeoutError, {"RequestTimeoutError"}),
        (OSError, {"RequestTimeoutError"}),  # Python's own TimeoutError is one
    ],
)
def test_some_errors_are_also_what_python_programs_expect(builtin: type[Exception], names: set[str]) -> None:
    assert {cls.__name__ for cls in CLASSES if issubclass(cls, builtin)} == names


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_can_be_imported_from_the_package(cls: type[MixpeekError]) -> None:
    assert getattr(mixpeek_async, cls.__name__) is cls
    assert cls.__name__ in mixpeek_async.__all__


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_is_made_of_a_message_and_shows_it(cls: type[MixpeekError]) -> None:
    error = cls("what went wrong")

    assert error.message == "what went wrong"
    assert str(error) == "what went wrong"
    assert repr(error) == f"{cls.__name__}('what went wrong')"


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_says_what_it_is(cls: type[MixpeekError]) -> None:
    assert cls.__doc__
    assert cls.__doc__ not in [base.__doc__ for base in cls.__mro__[1:]]


def test_only_an_interrupted_transfer_is_retryable_by_its_class_alone() -> None:
    assert {cls.__name__ for cls in CLASSES if cls("x").retryable} == {"ConnectionFailedError", "RequestTimeoutError"}


def test_what_a_server_did_not_say_is_empty() -> None:
    error = StatusError("404: no")

    assert (error.status, error.type, error.code, error.details, error.request_id) == (0, None, None, {}, None)
    assert (error.retry_after, error.retryable) == (None, False)
    assert error.checkpoint is None


def test_the_details_of_one_error_are_not_those_of_another() -> None:
    StatusError("first").details["shared"] = True
    assert StatusError("second").details == {}


# --- travel ---


def status_error() -> MixpeekError:
    return RateLimitError(
        "429: slow down",
        status=429,
        type="TooManyRequestsError",
        code="E29",
        details={"limit": 60, "window": "minute"},
        request_id="req_1",
        retry_after=12.5,
        retryable=True,
    )


def stale_connection() -> MixpeekError:
    error = ConnectionFailedError("the connection broke")
    error.before_answer = True
    return error


def in_mid_walk() -> MixpeekError:
    error = PaginationError("the pages contradict each other")
    error.checkpoint = "somewhere"
    return error


FULL: list[Callable[[], MixpeekError]] = [
    status_error,
    stale_connection,
    in_mid_walk,
    lambda: MalformedResponseError("no page", path="$.results", retryable=True),
    lambda: InvalidObjectError("no object", path="$.results[3].blobs", raw=b'{"blobs": 7}'),
]
WAYS: dict[str, Callable[[MixpeekError], MixpeekError]] = {
    **{
        f"pickle {protocol}": lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))  # type: ignore[misc]  # its default binds the loop variable
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("make", [*FULL, *(lambda cls=cls: cls("a message") for cls in CLASSES)])
def test_an_error_travels_with_all_its_facts(
    make: Callable[[], MixpeekError], way: Callable[[MixpeekError], MixpeekError]
) -> None:
    sent = make()
    arrived = way(sent)

    assert type(arrived) is type(sent)
    assert arrived.message == sent.message
    assert vars(arrived) == vars(sent)
