"""The HTTP server: it records each request, holds its answer back as ordered, and sends it or breaks it."""

import asyncio
from collections.abc import Callable, Mapping
from email.utils import formatdate
from urllib.parse import urlsplit

from aiohttp import web

from mixpeek_async.emulator._calls import Call, RecordedRequest, read_call
from mixpeek_async.emulator._checks import is_address, is_loopback
from mixpeek_async.emulator._errors import Answer, error_answer
from mixpeek_async.emulator._faults import Fault
from mixpeek_async.emulator._sending import drop, send

# Seconds that aclose() waits for running requests. aiohttp takes 0 for "for ever".
_GRACE = 0.01


class Server:
    """Serves `answer` on `host` and `port`. `latency` is in seconds; `clock` gives the Unix seconds of `Date`.

    `faults` maps the number of a request, counted from 1, to its fault.
    """

    def __init__(
        self,
        answer: Callable[[Call], Answer],
        *,
        host: str,
        port: int,
        latency: float,
        faults: Mapping[int, Fault],
        clock: Callable[[], float],
    ) -> None:
        self.requests: list[RecordedRequest] = []
        self._answer = answer
        self._host, self._port = host, port
        self._latency = latency
        self._faults = dict(faults)
        self._clock = clock
        self._arrived = 0
        self._runner: web.ServerRunner | None = None

    @property
    def is_running(self) -> bool:
        return self._runner is not None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:…`. RuntimeError while the server does not run."""
        if self._runner is None:
            raise RuntimeError("the emulator is not running: use 'async with Emulator()' or await start()")
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def start(self) -> None:
        if self._runner is not None:
            raise RuntimeError("the emulator is running already")
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=_GRACE)
        await runner.setup()
        await web.TCPSite(runner, self._host, self._port).start()
        self._runner = runner

    async def aclose(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
            # The handlers are cancelled by now, and need one turn of the loop to end.
            await asyncio.sleep(0)

    def script(self, n: int, fault: Fault) -> None:
        """Apply `fault` to the `n`-th request from now on; 1 is the next one."""
        self._faults[self._arrived + n] = fault

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = await read_call(request)
        self.requests.append(call.record)
        self._arrived += 1
        request_id = f"req_{self._arrived:012}"
        # A fault meets one request only.
        fault = self._faults.pop(self._arrived, Fault())
        # Each request waits in a task of its own, so a slow answer does not hold the others.
        await asyncio.sleep(fault.delay + self._latency)
        # After aclose() there is no data left to answer from.
        if fault.disconnect or self._runner is None:
            return drop(request)
        answer = fault.replacement() or self._refusal(request.host) or self._answer(call)
        # The clock of the rate limit: clients compare the two.
        date = formatdate(self._clock(), usegmt=True)
        return await send(
            request,
            answer.with_headers({"X-Request-ID": request_id, "Date": date}).with_headers(fault.headers),
            fault.truncate,
        )

    def _refusal(self, host: str) -> Answer | None:
        """The answer to a request that was sent to the name of another host.

        A web page can let its own name point to 127.0.0.1 (DNS rebinding), and then read a local server's answers. A
        server that listens to other machines is protected by its key instead, and does not know all its names.
        """
        if not is_loopback(self._host) or _is_local(host):
            return None
        return error_answer(403, f"Host {host!r} is not this emulator: use its address or localhost")


def _is_local(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or is_address(name)
