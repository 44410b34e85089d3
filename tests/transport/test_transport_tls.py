"""A certificate that is not to be trusted ends the request before the key is sent; what only breaks is tried again."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
import trustme
from support.scripted_server import CLOSE, Action, ScriptedServer, chunked, page, then_close, then_reset, then_stall
from support.walk import PATIENT, Outcome, walk_bucket

from mixpeek_async.errors import CertificateError, ConnectionFailedError, RequestTimeoutError, TransportError

LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def _server_with(certificate: trustme.LeafCert, *script: Action) -> ScriptedServer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return ScriptedServer(*script or [page("obj_1")], tls=context)


async def _ask_trusting(authority: trustme.CA, server: ScriptedServer, **settings: Any) -> Outcome:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        return await walk_bucket(server.url, session=session, **settings)


def _refused(outcome: Outcome, server: ScriptedServer) -> bool:
    """Whether one attempt ended it with a CertificateError, and nothing was sent."""
    return (type(outcome.error), outcome.progress.requests, server.requests) == (CertificateError, 1, [])


async def test_a_certificate_that_is_trusted(authority: trustme.CA) -> None:
    async with _server_with(authority.issue_cert("127.0.0.1")) as server:
        outcome = await _ask_trusting(authority, server)
    assert (outcome.ids, outcome.error) == (["obj_1"], None)


async def test_a_certificate_of_an_unknown_authority(authority: trustme.CA) -> None:
    async with _server_with(authority.issue_cert("127.0.0.1")) as server:
        outcome = await walk_bucket(server.url)
    assert _refused(outcome, server)
    assert "CERTIFICATE_VERIFY_FAILED" in str(outcome.error)


async def test_a_certificate_of_another_host(authority: trustme.CA) -> None:
    async with _server_with(authority.issue_cert("example.org")) as server:
        outcome = await _ask_trusting(authority, server)
    assert _refused(outcome, server)


async def test_a_certificate_that_has_expired(authority: trustme.CA) -> None:
    expired = authority.issue_cert("127.0.0.1", not_before=LONG_AGO, not_after=LONG_AGO + datetime.timedelta(days=1))
    async with _server_with(expired) as server:
        outcome = await _ask_trusting(authority, server)
    assert _refused(outcome, server)


async def test_a_certificate_other_than_the_one_that_the_caller_pinned(authority: trustme.CA) -> None:
    pinned = aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(bytes(32)))
    async with (
        _server_with(authority.issue_cert("127.0.0.1")) as server,
        aiohttp.ClientSession(connector=pinned) as session,
    ):
        outcome = await walk_bucket(server.url, session=session)
    assert _refused(outcome, server)


# --- what breaks ---

PAGE = page("obj_1")
FAULTS: dict[str, Action] = {
    "closed after the request": CLOSE,
    "reset after the request": then_reset(b""),
    "closed in the body": then_close(PAGE[:-5]),
    "reset in the body": then_reset(PAGE[:-5]),
    "chunks without the last one": then_close(chunked(b'{"results": []}')),
    "stalled in the body": then_stall(PAGE[:-5]),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_an_encrypted_answer_that_breaks_is_asked_for_again(authority: trustme.CA, fault: Action) -> None:
    async with _server_with(authority.issue_cert("127.0.0.1"), fault, PAGE) as server:
        outcome = await _ask_trusting(authority, server, timeout=0.2)
        await server.until_idle()
    assert (outcome.ids, outcome.error, len(server.requests)) == (["obj_1"], None, 2)


@asynccontextmanager
async def _no_tls(answer: bytes | None) -> AsyncIterator[str]:
    """The https address of a server that speaks no TLS: it sends `answer` to whatever comes, or nothing, and closes."""

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read(65536)
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    # Each ends with its client.
    await asyncio.gather(*serving)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(b"", ConnectionFailedError), (b"\x16\x03", ConnectionFailedError), (PAGE, ConnectionFailedError),
     (b"\x15\x03\x03\x00\x02\x02\x28", ConnectionFailedError), (None, RequestTimeoutError)],
    ids=["closed", "closed in its midst", "plain HTTP", "an alert", "stalled"],
)  # fmt: skip
async def test_a_handshake_that_fails_is_tried_again_and_never_without_tls(
    answer: bytes | None, kind: type[TransportError]
) -> None:
    async with _no_tls(answer) as url:
        outcome = await walk_bucket(url, timeout=0.1, retry=PATIENT)
    assert (outcome.ids, type(outcome.error)) == ([], kind)
    assert outcome.progress.requests - len(outcome.slept) in {1, 2}
    assert len(outcome.slept) == 4
