"""What the retry layer costs a request that succeeds, in microseconds, hooks and log off:

    python tests/transport/retry_cost.py

CPU time of a request that takes no time, through `Transport.call` and alone, measured in turns.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from mixpeek_async import RetryPolicy
from mixpeek_async._clock import SystemClock
from mixpeek_async._config import Config, Secret
from mixpeek_async._http_session import HttpSession
from mixpeek_async._rate_limiter import RateLimiter
from mixpeek_async._telemetry import Telemetry
from mixpeek_async._transport import Transport
from mixpeek_async._wire import Request, Response
from mixpeek_async.models import Progress

CALLS = 20_000
ROUNDS = 15
REQUEST = Request(target="/v1/x")
ANSWER = Response(status=200)
CONFIG = Config(api_key=Secret("sk_cost"), namespace="ns", base_url="http://127.0.0.1:9")


class InstantSession(HttpSession):
    """A session whose server answers in no time."""

    __slots__ = ()

    async def send(self, request: Request) -> Response:
        return ANSWER


async def microseconds(call: Callable[[], Awaitable[object]]) -> float:
    """How long one call takes."""
    start = time.process_time()
    for _ in range(CALLS):
        await call()
    return (time.process_time() - start) / CALLS * 1e6


async def main() -> None:
    """Print the difference: the least of all rounds, and the middle one."""
    clock = SystemClock()
    session = InstantSession(CONFIG, session=None, max_body_bytes=1_000, clock=clock)
    transport = Transport(
        session,
        timeout=60,
        policy=RetryPolicy(),
        clock=clock,
        telemetry=Telemetry(None, CONFIG.base_url),
        rate_limiter=RateLimiter(clock),
    )
    progress = Progress()

    async def alone() -> Response:
        return (lambda response: response)(await session.send(REQUEST))

    async def through() -> Response:
        return await transport.call(REQUEST, lambda response: response, progress)

    costs = [await microseconds(through) - await microseconds(alone) for _ in range(ROUNDS)]
    print(f"the retry layer costs {min(costs):.1f} us a call at least, {statistics.median(costs):.1f} us as a rule")


if __name__ == "__main__":
    asyncio.run(main())
