"""A certificate that is not to be trusted ends the asking before the key is sent."""

import datetime
import ssl

import aiohttp
import pytest
import trustme
from asking import Outcome, ask
from scripted import ScriptedServer, page

from mixpeek_async.errors import CertificateError

LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def _server_with(certificate: trustme.LeafCert) -> ScriptedServer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return ScriptedServer(page("obj_1"), tls=context)


async def _ask_trusting(authority: trustme.CA, server: ScriptedServer) -> Outcome:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        return await ask(server.url, session=session)


def _refused(outcome: Outcome, server: ScriptedServer) -> bool:
    """Whether one attempt ended it with a CertificateError, and nothing was sent."""
    return (type(outcome.error), outcome.progress.requests, server.requests) == (CertificateError, 1, [])


async def test_a_certificate_that_is_trusted(authority: trustme.CA) -> None:
    async with _server_with(authority.issue_cert("127.0.0.1")) as server:
        outcome = await _ask_trusting(authority, server)
    assert (outcome.ids, outcome.error) == (["obj_1"], None)


async def test_a_certificate_of_an_unknown_authority(authority: trustme.CA) -> None:
    async with _server_with(authority.issue_cert("127.0.0.1")) as server:
        outcome = await ask(server.url)
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
        outcome = await ask(server.url, session=session)
    assert _refused(outcome, server)
