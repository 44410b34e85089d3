"""Hostile input: an error before any I/O, or a request that says exactly what was asked.

The long run:

    HOSTILE_EXAMPLES=50000 pytest tests/faults/test_faults_hostile.py
"""

import asyncio
import json
import os
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_to_bytes

import hostile_input
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.clients import client_at
from support.scripted_server import ReceivedRequest, ScriptedServer, page

from mixpeek_async import AsyncMixpeek, InvalidArgumentError, MalformedResponseError

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "2000"))
LIST = "/objects/list?limit=1000"


class Wire:
    """A server, a client of it, and what arrives."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._server = ScriptedServer(page("obj_1"))
        self._runner.run(self._server.__aenter__())
        self.url = self._server.url
        self.client = client_at(self.url)

    def close(self) -> None:
        """Close all of it."""
        self._runner.run(self.client.aclose())
        self._runner.run(self._server.__aexit__())
        self._runner.close()

    def ask(self, *buckets: Any, client: AsyncMixpeek | None = None, **query: Any) -> ReceivedRequest | None:
        """The one request that a listing sends; None where it is refused, with nothing sent."""
        return self._only_request(self._list(client or self.client, *buckets, **query))

    def ask_as(self, **identity: Any) -> ReceivedRequest | None:
        """The same of a client that is made for it."""
        return self._only_request(self._list_as(**identity))

    def ask_for(self, object_id: Any) -> ReceivedRequest | None:
        """The same for one object."""
        return self._only_request(self._get(object_id))

    async def _get(self, object_id: Any) -> None:
        # What comes is a list, and no object.
        with suppress(MalformedResponseError):
            await self.client.objects.get("bkt", object_id)

    async def _list(self, client: AsyncMixpeek, bucket: Any = "bkt", **query: Any) -> None:
        await client.objects.list(bucket, **query)

    async def _list_as(self, **identity: Any) -> None:
        async with client_at(identity.pop("base_url", self.url), **identity) as client:
            await client.objects.list("bkt")

    def _only_request(self, asking: Coroutine[Any, Any, None]) -> ReceivedRequest | None:
        self._server.requests.clear()
        refusal = self._runner.run(_refusal(asking))
        if refusal is not None:
            assert self._server.requests == []
            assert refusal.isprintable()
            assert len(refusal) < 500
            return None
        (request,) = self._server.requests
        return request


async def _refusal(asking: Coroutine[Any, Any, None]) -> str | None:
    """What an InvalidArgumentError says, if there is one. All other errors come out."""
    try:
        await asking
    except InvalidArgumentError as error:
        return str(error)
    return None


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


def _shown(value: object) -> str:
    return f"{type(value).__name__} {ascii(value)[:40] if isinstance(value, str | bytes) else ''}"


def _is_the_one_segment(request: ReceivedRequest, bucket: str) -> bool:
    before, _, rest = request.target.removeprefix("/v1/buckets/").partition("/")
    line = b"POST " + request.target.encode() + b" HTTP/1.1\r\n"
    return (
        request.raw.startswith(line)
        and f"/{rest}" == LIST
        and unquote_to_bytes(before) == str.__str__(bucket).encode()
        and before not in {"", ".", ".."}
        and request.body == b""
    )


def _check_id(wire: Wire, bucket: Any) -> None:
    request = wire.ask(bucket)
    assert request is None or _is_the_one_segment(request, bucket)


def _check_header(wire: Wire, name: str, value: Any) -> None:
    request = wire.ask_as(**{name: value})
    if request is not None:
        sent = {"api_key": "authorization", "namespace": "x-namespace"}[name]
        expected = str.__str__(value) if name == "namespace" else f"Bearer {str.__str__(value)}"
        assert request.headers[sent] == expected
        assert "x-evil" not in request.headers
        assert request.target == f"/v1/buckets/bkt{LIST}"


def _check_path(wire: Wire, path: str) -> None:
    request = wire.ask_as(base_url=wire.url + path)
    if request is not None:
        base = path.rstrip("/").removesuffix("/v1").rstrip("/")
        assert request.target == f"{base}/v1/buckets/bkt{LIST}"
        assert request.headers["host"] == wire.url.removeprefix("http://")


def _check_filters(wire: Wire, filters: Any) -> None:
    request = wire.ask(filters=filters)
    if request is not None:
        assert request.target == f"/v1/buckets/bkt{LIST}"
        # Strict JSON: no NaN, no half surrogate pair.
        body = json.loads(request.body.decode(), parse_constant=pytest.fail) if request.body else {}
        assert set(body) <= {"filters"}
        json.dumps(body, ensure_ascii=False).encode()


@pytest.mark.parametrize("bucket", hostile_input.IDS, ids=_shown)
def test_an_id_is_refused_or_one_segment_of_the_path(wire: Wire, bucket: Any) -> None:
    _check_id(wire, bucket)


@pytest.mark.parametrize("object_id", hostile_input.IDS, ids=_shown)
def test_an_id_of_an_object_is_refused_or_one_segment_of_the_path(wire: Wire, object_id: Any) -> None:
    request = wire.ask_for(object_id)
    if request is not None:
        *start, segment = request.target.partition("?")[0].split("/")
        assert start == ["", "v1", "buckets", "bkt", "objects"]
        assert unquote_to_bytes(segment) == str.__str__(object_id).encode()
        assert segment not in {"", ".", ".."}


@pytest.mark.parametrize("name", ["api_key", "namespace"])
@pytest.mark.parametrize("value", hostile_input.HEADERS, ids=_shown)
def test_a_key_or_a_namespace_is_refused_or_arrives_as_it_is(
    wire: Wire, name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("MIXPEEK_API_KEY", "MIXPEEK_NAMESPACE"):
        monkeypatch.delenv(variable, raising=False)
    _check_header(wire, name, value)


@pytest.mark.parametrize("path", hostile_input.PATHS, ids=_shown)
def test_a_path_of_the_address_is_refused_or_asked_below(wire: Wire, path: str) -> None:
    _check_path(wire, path)


@pytest.mark.parametrize("url", hostile_input.URLS, ids=_shown)
def test_an_address_that_is_none_or_not_safe_is_refused(url: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        client_at(url)


@pytest.mark.parametrize("filters", hostile_input.FILTERS, ids=_shown)
def test_filters_are_refused_or_strict_json(wire: Wire, filters: Any) -> None:
    _check_filters(wire, filters)


def test_there_are_as_many_as_the_issue_asks_for() -> None:
    kinds = [hostile_input.IDS, hostile_input.PATHS, hostile_input.URLS, hostile_input.FILTERS]
    assert sum(map(len, kinds)) + 2 * len(hostile_input.HEADERS) >= 250


# --- generated ---

any_text = st.one_of(
    st.text(st.characters(codec=None), max_size=20),
    st.text(st.sampled_from("./\\%2eEfF?#&=;:@+ \t\r\n\0aé\u202e\ud800"), max_size=12),
    st.lists(st.sampled_from([text for text in hostile_input.IDS if isinstance(text, str)]), max_size=3).map("".join),
)
json_like = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), any_text, st.binary(max_size=3), st.complex_numbers()
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(any_text, st.sampled_from(["AND", "OR", "NOT", "case_sensitive"])), inner, max_size=3
        ),
        st.fixed_dictionaries(
            {"field": any_text, "operator": st.sampled_from(["eq", "in", "regex", "x"]), "value": inner}
        ),
    ),
    max_leaves=8,
)
inputs = st.one_of(
    st.tuples(st.just("id"), any_text),
    st.tuples(st.just("id"), any_text),
    st.tuples(st.just("api_key"), any_text),
    st.tuples(st.just("namespace"), any_text),
    st.tuples(st.just("path"), any_text.map("/{}".format)),
    st.tuples(st.just("filters"), json_like),
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inputs)
def test_whatever_it_is_it_is_refused_or_sent_as_it_is(wire: Wire, given_input: tuple[str, Any]) -> None:
    match given_input:
        case "id", value:
            _check_id(wire, value)
        case "path", value:
            _check_path(wire, value)
        case "filters", value:
            _check_filters(wire, value)
        case name, value:
            _check_header(wire, name, value)
