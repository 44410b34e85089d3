"""Sends a request until it succeeds or the policy gives up, within the page's budget and the rate limit."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from mixpeek_async._clock import Budget, Clock
from mixpeek_async._http_session import HttpSession, closed_error
from mixpeek_async._rate_limiter import RateLimit, RateLimiter
from mixpeek_async._retry import Attempts, RetryPolicy, RetryQuota
from mixpeek_async._telemetry import RequestSent, Telemetry
from mixpeek_async._text import printable
from mixpeek_async._timeouts import Timeouts
from mixpeek_async._wire import Request, Response, status_error
from mixpeek_async.errors import ConnectionFailedError, MalformedResponseError, MixpeekError, RequestTimeoutError
from mixpeek_async.models import ApiWarning, Progress

R = TypeVar("R")
E = TypeVar("E", bound=MixpeekError)


class Transport:
    """Sends the requests of a client over one session, with one policy, one quota and one rate limit for all walks."""

    # Slots, so that vars() has nothing to show.
    __slots__ = (
        "_policy",
        "_quota",
        "_rate_limiter",
        "_session",
        "_tasks",
        "_timeout",
        "_timeouts",
        "clock",
        "telemetry",
    )

    def __init__(
        self,
        session: HttpSession,
        *,
        timeout: float,
        policy: RetryPolicy,
        clock: Clock,
        rate_limiter: RateLimiter,
        telemetry: Telemetry,
    ) -> None:
        self.telemetry: Telemetry = telemetry
        self._session = session
        self._timeout = timeout
        self._policy = policy
        self._quota = RetryQuota()
        self.clock: Clock = clock
        self._rate_limiter = rate_limiter
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timeouts = Timeouts()

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a client holds connections and a key, and is never pickled: build one where it is used")

    def detached(self) -> "Transport":
        """A transport of the same settings for another event loop, with a session, a quota and limits of its own."""
        return Transport(
            self._session.detached(),
            timeout=self._timeout,
            policy=self._policy,
            clock=self.clock,
            rate_limiter=self._rate_limiter.detached(),
            telemetry=self.telemetry,
        )

    @property
    def namespace(self) -> str:
        """The namespace of all requests."""
        return self._session.namespace

    @property
    def base_url(self) -> str:
        """The address of the API, without `/v1`."""
        return self._session.base_url

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
        """Pay for a try beyond the retries of a request; False when the policy or the quota allows none."""
        return self._policy.attempts > 1 and self._quota.take()

    def budget(self) -> Budget:
        """The time for one page. Pass the same one to every `call` for this page."""
        return Budget(self.clock, self._policy.budget)

    def without_key(self, error: E) -> E:
        """`error` without the API key, in case the server sent it back in what the error is about."""
        return self._session.without_key(error)

    def log_warning(self, path: str, warning: ApiWarning) -> None:
        """Write a warning that came with a page of the list at `path` into the log, without the key."""
        facts = (warning.resource, warning.id, warning.reason, warning.next_step)
        said = self.without_key(MixpeekError(": ".join(fact for fact in facts if fact)))
        self.telemetry.log(logging.WARNING, "%s: the server warns: %s", path, printable(said.message, 500))

    async def aclose(self) -> None:
        """End all requests and waits, and close our own session; leave the caller's open."""
        self._session.end()
        self._timeouts.end_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.aclose()

    async def call(
        self,
        request: Request,
        parse: Callable[[Response], R],
        progress: Progress,
        *,
        once: bool = False,
        budget: Budget | None = None,
    ) -> R:
        """What `parse` makes of the answer. Tries again for as long as the policy and `budget` allow, or only `once`.

        Raises the last failure. Adds requests, retries and seconds waited to `progress`. `budget` is a new one for a
        page that needs only this call.
        """
        budget = budget or self.budget()
        attempts = Attempts()
        number = 0
        failure: MixpeekError | None = None
        while True:
            if self.closed:
                raise closed_error()
            seconds = min(self._timeout, budget.left())
            if seconds <= 0:
                raise failure or RequestTimeoutError(f"the page has used up its budget of {budget.seconds:g} s")
            await self._acquire(budget, progress)
            number += 1
            progress.requests += 1
            sent = self.telemetry.request(request, number)
            outcome = await self._attempt(request, parse, seconds, sent)
            if not isinstance(outcome, MixpeekError):
                self._quota.give_back(attempts.paid)
                return outcome
            failure = self._session.without_key(outcome)
            wait = None if once else self._wait_after(failure, attempts, budget.left())
            if wait is None:
                raise failure
            progress.retries += 1
            progress.waited += wait
            self.telemetry.retry(sent, failure, wait)
            await self.pause(wait)

    async def _acquire(self, budget: Budget, progress: Progress) -> None:
        """Wait until the rate limit allows a request. The wait is in `progress`, and no part of `budget`."""
        longest = self._policy.max_retry_after
        if not self._rate_limiter.is_throttled:
            return await self._rate_limiter.acquire(longest)
        self.telemetry.throttle(self._rate_limiter.expected_wait)
        began = self.clock.monotonic()
        try:
            async with self._timeouts.within(None):
                await self._rate_limiter.acquire(longest)
        except TimeoutError:
            raise closed_error() from None
        finally:
            # By the clock: it includes the time that other walks were waiting in front of this one.
            waited = self.clock.monotonic() - began
            progress.waited += waited
            budget.extend(waited)

    async def _attempt(
        self, request: Request, parse: Callable[[Response], R], seconds: float, sent: RequestSent
    ) -> R | MixpeekError:
        """Send the request once. What went wrong is returned, so that it is raised without the frames of aiohttp."""
        began = self.clock.monotonic()
        limit = None
        try:
            async with self._timeouts.within(seconds):
                response = await self._session.send(request)
            limit = RateLimit.from_headers(response)
        # All of them: a session, its connector and its traces may be the caller's own, and raise anything.
        except Exception as error:
            failure = self._session.failure(error, seconds)
        else:
            took = self.clock.monotonic() - began
            self.telemetry.response(sent, response.status, took, len(response.body), response.request_id)
            return _read(response, parse)
        finally:
            self._rate_limiter.release(limit)
        self.telemetry.no_response(sent, self.clock.monotonic() - began, failure)
        return failure

    def _wait_after(self, failure: MixpeekError, attempts: Attempts, time_left: float) -> float | None:
        """Seconds until the next attempt, or None when this failure is the last."""
        dead_connection = isinstance(failure, ConnectionFailedError) and failure.before_answer
        if dead_connection and not attempts.resent and self._policy.attempts > 1:
            # Sent again at once, a single time: an old keep-alive connection is closed just like that. It costs tokens
            # like any retry, because a server that closes every new connection looks the same.
            attempts.resent = True
            wait: float | None = 0.0
        else:
            attempts.count(failure)
            wait = self._policy.wait(failure, attempts, time_left, random.random)
        # A wait that the server ordered is no sign of a dead server, and costs no tokens.
        if wait is None or failure.retry_after is not None:
            return wait
        if not self._quota.take():
            return None
        attempts.paid += 1
        return wait

    async def pause(self, seconds: float) -> None:
        """Wait. Closing the client ends the wait early."""
        if seconds:
            with suppress(TimeoutError):
                async with self._timeouts.within(None):
                    await self.clock.sleep(seconds)


def _read(response: Response, parse: Callable[[Response], R]) -> R | MixpeekError:
    if response.status == 206:
        return MalformedResponseError("the answer is a part of one (206), which was not asked for", retryable=True)
    if not 200 <= response.status < 300:
        return status_error(response)
    try:
        return parse(response)
    except MixpeekError as error:
        return error
