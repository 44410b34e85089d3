"""Send an answer: whole, in part, or not at all."""

from contextlib import suppress

from aiohttp import web

from mixpeek_async.emulator._errors import Answer

_JSON = {"Content-Type": "application/json"}


def drop(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection without an answer."""
    request.protocol.force_close()
    # aiohttp needs a response from a handler. This one is never sent, because the connection is closed.
    return web.Response()


async def send(request: web.BaseRequest, answer: Answer, truncate: int | None) -> web.StreamResponse:
    """Send `answer`. With `truncate`, send that many bytes of its body and close the connection."""
    headers = Answer(answer.status, b"", _JSON).with_headers(answer.headers).headers
    if truncate is None:
        return web.Response(status=answer.status, body=answer.body, headers=headers)
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = len(answer.body)
    # The client may have closed the connection already.
    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write(answer.body[:truncate])
    request.protocol.force_close()
    return response
