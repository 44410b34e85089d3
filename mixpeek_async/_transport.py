"""Request to result: the loop that sends a request again, within its time and its turn."""

import asyncio
import logging
import math
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from mixpeek_async._clock import Clock
from mixpeek_async._deadlines import Deadlines
from mixpeek_async._pacing import Pacer
from mixpeek_async._retry import Attempts, RetryPolicy, RetryQuota
from mixpeek_async._session import Session
from mixpeek_async._telemetry import Exchange, Telemetry
from mixpeek_async._wire import Request, Response, read_allowance, status_error
from mixpeek_async.errors import (
    ConnectionFailedError,
    MalformedResponseError,
    MixpeekError,
    RateLimitError,
)
from mixpeek_async.models import Progress

R = TypeVar("R")


class Transport:
    """Sends requests over one session, under one retry policy, with one quota for all callers."""

    # Slots, so that vars() has nothing to show.
    __slots__ = (
        "_clock",
        "_deadlines",
        "_pacer",
        "_policy",
        "_quota",
        "_session",
        "_tasks",
        "_timeout",
        "telemetry",
    )

    def __init__(
        self,
        session: Session,
        *,
        timeout: float,
        policy: RetryPolicy,
        clock: Clock,
        pacer: Pacer,
        telemetry: Telemetry,
    ) -> None:
        self.telemetry: Telemetry = telemetry
        self._session = session
        self._timeout = timeout
        self._policy = policy
        self._quota = RetryQuota()
        self._clock = clock
        self._pacer = pacer
        self._tasks: set[asyncio.Task[Any]] = set()
        self._deadlines = Deadlines()

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a client holds connections and a key, and is never pickled: build one where it is used")

    @property
    def namespace(self) -> str:
        """The namespace that all requests are about."""
        return self._session.namespace

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._session.closed

    def start(self, work: Coroutine[Any, Any, R]) -> asyncio.Task[R]:
        """Run `work` in the background, until it is done or the client is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def may_try_again(self) -> bool:
        """Pay for a try beyond the retries of a request; False when there are to be none, or the quota is used up."""
        return self._policy.attempts > 1 and self._quota.take()

    async def aclose(self) -> None:
        """End what is under way, and close our own session; leave the caller's open."""
        self._session.end()
        self._deadlines.end_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.aclose()

    async def call(
        self, request: Request, parse: Callable[[Response], R], progress: Progress, *, once: bool = False
    ) -> R:
        """What `parse` makes of the answer, asking again for as long as the policy allows, or only `once`.

        Raises the last failure. Counts requests, retries and seconds waited into `progress`.
        """
        deadline = self._clock.monotonic() + self._policy.budget
        attempts = Attempts()
        number = 0
        while True:
            number += 1
            if self._pacer.must_wait and not self.closed:
                deadline += await self._turn(progress)
            self._pacer.take()
            progress.requests += 1
            exchange = self.telemetry.begin(self._session.base_url, request, number)
            outcome = await self._attempt(request, parse, deadline - self._clock.monotonic(), exchange)
            if not isinstance(outcome, MixpeekError):
                self._quota.give_back(attempts.paid)
                return outcome
            exchange.failed(outcome)
            wait = None if once else self._wait_after(outcome, attempts, deadline)
            if wait is None:
                raise outcome
            progress.retries += 1
            progress.waited += wait
            self.telemetry.retry(self._session.base_url, request, number, outcome, wait)
            await self._pause(wait)

    async def _turn(self, progress: Progress) -> float:
        """Wait until the rate limit allows for a request; the seconds that it took, which are no part of a budget.

        RateLimitError, and nothing is sent, when the server has ordered all of the client to wait for too long.
        """
        ordered = self._pacer.ordered_wait
        if ordered > self._policy.max_retry_after:
            raise RateLimitError(
                f"429: the server has asked to be left alone, for {ordered:.0f} more seconds",
                status=429,
                retry_after=ordered,
                retryable=True,
            )
        self.telemetry.log(logging.INFO, "waiting for the rate limit")
        waited = 0.0
        with suppress(TimeoutError), self._deadlines.within(math.inf):
            waited = await self._pacer.wait()
        progress.waited += waited
        return waited

    async def _pause(self, seconds: float) -> None:
        """Wait. A client that is closed meanwhile cuts it short; the next attempt meets that."""
        if seconds:
            with suppress(TimeoutError), self._deadlines.within(math.inf):
                await self._clock.sleep(seconds)

    def _wait_after(self, failure: MixpeekError, attempts: Attempts, deadline: float) -> float | None:
        """Seconds until the next attempt, or None when this failure is the last."""
        wait = self._free_resend(failure, attempts)
        if wait is None:
            attempts.count(failure)
            wait = self._policy.wait(failure, attempts, deadline - self._clock.monotonic(), random.random)
        # A wait that the server ordered is no sign of a dead server, and costs no tokens.
        if wait is None or failure.retry_after is not None:
            return wait
        if not self._quota.take():
            return None
        attempts.paid += 1
        return wait

    def _free_resend(self, failure: MixpeekError, attempts: Attempts) -> float | None:
        """No wait at all, once, for a connection that was dead before it was used: a keep-alive that ran out.

        It costs tokens like any other retry: a server that closes each new connection looks no different.
        """
        stale = isinstance(failure, ConnectionFailedError) and failure.before_answer
        if not stale or attempts.resent or self._policy.attempts <= 1:
            return None
        attempts.resent = True
        return 0.0

    async def _attempt(
        self, request: Request, parse: Callable[[Response], R], time_left: float, exchange: Exchange
    ) -> R | MixpeekError:
        """One request and its answer, or what went wrong, as a value."""
        seconds = min(self._timeout, time_left)
        try:
            with self._deadlines.within(seconds):
                response = await self._exchange(request)
        except MixpeekError as error:
            return error
        # All of them: a session, its connector and its traces may be the caller's own, and raise what they like.
        except Exception as error:
            return self._session.failure(error, seconds)
        exchange.answered(response)
        return self._accept(response, parse)

    def _accept(self, response: Response, parse: Callable[[Response], R]) -> R | MixpeekError:
        if response.status == 206:
            return MalformedResponseError("the answer is a part of one (206), which nobody asked for", retryable=True)
        if not 200 <= response.status < 300:
            return status_error(self._session.without_key(response))
        try:
            return parse(response)
        except MixpeekError as error:
            if not self._session.holds_key(response):
                return error
        # Errors quote the answer, and their frames hold it.
        return _parsed(self._session.without_key(response), parse)

    async def _exchange(self, request: Request) -> Response:
        """Send, read the answer whole, and take note of what it says of the rate limit."""
        allowance = None
        try:
            response = await self._session.send(request)
            allowance = read_allowance(response)
            return response
        finally:
            self._pacer.done(allowance)


def _parsed(response: Response, parse: Callable[[Response], R]) -> R | MixpeekError:
    try:
        return parse(response)
    except MixpeekError as error:
        return error
