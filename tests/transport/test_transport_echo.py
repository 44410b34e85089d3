"""Servers that send back the key: in bodies, cut or escaped, in records and in headers. No error shows it."""

from collections.abc import Callable
from typing import Any

import pytest
from support.scripted_server import Action, Connection, ScriptedServer, answer
from support.secrets import Canary, shown

from mixpeek_async import AsyncMixpeek, InvalidObjectError, MixpeekError, RetryPolicy
from mixpeek_async.errors import AuthenticationError, MalformedResponseError, StatusError


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Canary:
    return Canary(monkeypatch)


def echo(make: Callable[[str], bytes]) -> Action:
    """Answer with what `make` makes of the key that was received."""

    async def act(connection: Connection) -> None:
        await connection.send(make(connection.received[-1].headers["authorization"].removeprefix("Bearer ")))

    return act


def escaped(key: str) -> str:
    r"""The key as JSON may write it, with an escape in place of some characters: `\u0073k_0123`."""
    return "".join(f"\\u{ord(char):04X}" if index % 3 == 0 else char for index, char in enumerate(key))


def refusal(text: str) -> bytes:
    """An error answer whose every field holds `text`, which goes into the JSON as it is."""
    body = '{"error": {"message": "%s", "type": "%s", "code": "%s", "details": {"%s": ["%s"], "deep": {"a": "%s"}}}}'
    return answer(body.replace("%s", text).encode(), 401)


async def error_from(make: Callable[[str], bytes], **options: Any) -> MixpeekError:
    """The error of a walk on a server that sends back the key."""
    async with ScriptedServer(echo(make)) as server:
        client = AsyncMixpeek(base_url=server.url, retry=RetryPolicy(attempts=1))
        async with client:
            with pytest.raises(MixpeekError) as caught:
                await client.objects.list("bkt", page_size=1, **options).to_list()
    return caught.value


@pytest.mark.parametrize("spelled", [str, escaped], ids=["as it is", "escaped"])
async def test_no_field_of_an_error_answer_shows_it(canary: Canary, spelled: Callable[[str], str]) -> None:
    error = await error_from(lambda key: refusal(spelled(key)))
    assert isinstance(error, AuthenticationError)
    assert error.details == {"***": ["***"], "deep": {"a": "***"}}
    assert (error.message, error.type, error.code) == ("401: ***", "***", "***")
    assert not canary.is_shown_in(*shown(error))


async def test_a_key_that_the_server_has_shortened_is_not_shown_either(canary: Canary) -> None:
    error = await error_from(lambda key: refusal(f"no such key: {key[:20]}…"))
    assert error.message == "401: no such key: ***…"
    assert not canary.is_shown_in(*shown(error))


@pytest.mark.parametrize("kept", [11, 20, 34])
async def test_no_body_that_is_cut_within_the_key_shows_the_beginning_of_it(canary: Canary, kept: int) -> None:
    # Only the first 64 KiB of a refusal are read, and white space is not quoted.
    error = await error_from(lambda key: answer(b" " * (64 * 1024 - kept) + key.encode() + b"more", 403))
    assert error.message == "403: ***"
    assert not canary.is_shown_in(*shown(error))


@pytest.mark.parametrize("start", [" " * 180, "x" * 180], ids=["at 200 characters", "after other text"])
async def test_no_message_that_is_cut_within_the_key_shows_the_beginning_of_it(canary: Canary, start: str) -> None:
    error = await error_from(lambda key: answer(f"<{start}{key}".encode(), 502))
    assert not canary.is_shown_in(*shown(error))


@pytest.mark.parametrize("spelled", [str, escaped], ids=["as it is", "escaped"])
@pytest.mark.parametrize("body", ["<html>%s", '{"results": "%s"}', '{"results": [], "pagination": {"has_more": "%s"}}'])
async def test_no_malformed_answer_shows_it(canary: Canary, body: str, spelled: Callable[[str], str]) -> None:
    error = await error_from(lambda key: answer(body.replace("%s", spelled(key)).encode()))
    assert isinstance(error, MalformedResponseError)
    assert not canary.is_shown_in(*shown(error))


@pytest.mark.parametrize("spelled", [str, escaped], ids=["as it is", "escaped"])
async def test_no_record_that_is_refused_shows_it(canary: Canary, spelled: Callable[[str], str]) -> None:
    row = '{"object_id": "o", "bucket_id": 7, "key": "%s"}'
    body = '{"results": [%s], "pagination": {"has_more": false}}'
    refused: list[InvalidObjectError] = []

    def make(key: str) -> bytes:
        return answer(body.replace("%s", row.replace("%s", spelled(key))).encode())

    error = await error_from(make)
    assert isinstance(error, InvalidObjectError)
    assert error.raw == b'{"object_id": "o", "bucket_id": 7, "key": "***"}'
    assert not canary.is_shown_in(*shown(error))
    async with ScriptedServer(echo(make)) as server, AsyncMixpeek(base_url=server.url) as client:
        await client.objects.list("bkt", on_invalid=refused.append).to_list()
    assert refused[0].raw == error.raw


async def test_no_header_shows_it_neither_in_its_value_nor_in_its_name(canary: Canary) -> None:
    def make(key: str) -> bytes:
        return answer({}, headers={key: "1", "X-Request-ID": key, "X-Other": f"a {key} b"})

    error = await error_from(make)
    assert isinstance(error, MalformedResponseError)
    assert not canary.is_shown_in(*shown(error))


async def test_details_that_are_nested_too_deeply_are_left_out() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    async with AsyncMixpeek("sk_test_key", namespace="ns") as client:
        error = client._transport.without_key(StatusError("401: no", status=401, details={"a": nested}))
    assert (error.message, error.status, error.details) == ("401: no", 401, {})


async def test_a_page_keeps_what_looks_like_the_key() -> None:
    # Only errors are changed: the data of a user is the user's.
    page = {"results": [{"object_id": "sk_test_key", "bucket_id": "b"}], "pagination": {"has_more": False}}
    async with (
        ScriptedServer(answer(page)) as server,
        AsyncMixpeek("sk_test_key", namespace="ns", base_url=server.url) as client,
    ):
        assert [obj.object_id async for obj in client.objects.list("bkt")] == ["sk_test_key"]
