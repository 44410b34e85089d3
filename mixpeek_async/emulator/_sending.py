"""The ways in which an answer leaves the server, or does not."""

from contextlib import suppress

from aiohttp import web

from mixpeek_async.emulator._errors import Answer

_JSON = {"Content-Type": "application/json"}


def drop(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection without a byte."""
    request.protocol.force_close()
    # aiohttp wants a response from its handlers; this one finds the connection closed, and goes nowhere.
    return web.Response()


async def send(request: web.BaseRequest, answer: Answer, truncate: int | None) -> web.StreamResponse:
    """Send all of `answer`, or only `truncate` bytes of its body and close."""
    headers = Answer(answer.status, b"", _JSON).with_headers(answer.headers).headers
    if truncate is None:
        return web.Response(status=answer.status, body=answer.body, headers=headers)
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = len(answer.body)
    # A client may be gone by now; nobody is left to tell.
    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write(answer.body[:truncate])
    request.protocol.force_close()
    return response
