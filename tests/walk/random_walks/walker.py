"""Interrupt, resume and disturb a walk, and judge what it yields."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import attrs
from support.bucket_server import Row

from mixpeek_async import (
    AsyncMixpeek,
    CheckpointError,
    ConnectionFailedError,
    InvalidObjectError,
    MalformedResponseError,
    MixpeekError,
    Object,
    OffsetLimitError,
    PaginationError,
    PaginationLoopError,
    RateLimitError,
    RequestTimeoutError,
    ResponseTooLargeError,
    StatusError,
)

from .world import SORTS, Trace, World

_ANCHORS = 32
_MAX_ERRORS = 150
# So many bad answers use up the retries that all walks of a client share.
_QUOTA = 90
_EMPTY_PAGES = 100
_ID = re.compile(r"'(o\d+)'")


class Failure(Exception):
    """A promise that was broken; `kind` is which."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


@attrs.define
class Saved:
    """A checkpoint, and what had been dealt with there."""

    checkpoint: str
    dealt: dict[float, str]
    order: list[float]
    high: float


class Walker:
    """One walk over the world's list, however often it is interrupted and resumed.

    * `dealt` is what became of each row, by its place: yielded, reported or named; `order` is in which order.
    * `constant` are the places of the rows that have been there since the walk began.
    """

    def __init__(
        self, world: World, random: Random, make_client: Callable[[], AsyncMixpeek], trace: Trace, name: str
    ) -> None:
        self.world = world
        self.random = random
        self.make_client = make_client
        self.client = make_client()
        self.trace = trace
        self.name = name
        self.begin = 0
        self.dealt: dict[float, str] = {}
        self.order: list[float] = []
        self.constant = {row.place for row in self._visible()}
        self.high = float("-inf")
        self.saved: list[Saved] = []
        self.by_pages = self.skipped = self.shared = False
        self.ended = self.over = False
        self.resumed = False
        self.errors = 0
        # How a queue is worked off: with this chance, what is yielded is deleted at once.
        self.deletes = random.choice([0.0, 0.0, 0.0, 0.5, 1.0]) if world.may_delete and not world.large else 0.0
        world.witnesses.append(self)

    # For the world

    @property
    def frontier(self) -> float:
        """The place of the last row, in the list's order, that has been dealt with."""
        return max(self.order, default=float("-inf"))

    @property
    def latest(self) -> list[Row]:
        """The rows that were dealt with last."""
        return [self.world.everything[place] for place in self.order[-5:]]

    def lost(self, row: Row) -> None:
        """`row` is deleted: nothing is promised of it any more."""
        self.constant.discard(row.place)

    # The walk

    async def run(self) -> None:
        """Walk, be interrupted, walk to the end, and perhaps on from there."""
        self.start(None)
        await self.steps()
        await self.drain()
        while not self.over and self.random.random() < 0.25:
            self.say("after the end")
            if not self.world.static or self.world.order == "oldest first":
                self.world.create(self.random, self.random.choice([0, 1, 3, 10]))
            self.resume(self.walk.checkpoint)
            await self.steps()
            await self.drain()
        await self.walk.aclose()

    async def steps(self) -> None:
        """Some random steps."""
        weighted = [
            (self.take, 10),
            (self.change, 6),
            (self.resume_here, 4),
            (self.cancel, 3),
            (self.save, 1),
            (self.resume_before, 1),
            (self.share, 1),
            (self.wait, 1),
        ]
        steps, weights = zip(*weighted, strict=True)
        for _ in range(self.random.randint(0, 14)):
            if self.over or self.ended:
                return
            step: Callable[[], Coroutine[Any, Any, None]] = self.random.choices(steps, weights)[0]
            await step()

    def say(self, text: str) -> None:
        """Into the trace."""
        if self.trace.on:
            self.trace.note(f"{self.name} {text}")

    def start(self, checkpoint: str | None) -> None:
        """Begin a walk, the first or a resumed one, and say what it has to bring."""
        random, world = self.random, self.world
        options: dict[str, Any] = {
            "page_size": random.choice([50, 333, 1000])
            if world.large
            else random.choice([1, 2, 3, 5, 8, 13, 20, 1000]),
            "prefetch": random.choice([0, 1, 1]),
            "concurrency": random.choice([1, 1, 1, 1, 2, 4, 8]),
            "max_items": random.randint(0, 30) if random.random() < 0.1 else None,
            "include_total": random.random() < 0.05,
            "on_invalid": random.choice(["raise", "raise", "skip", "call"]),
        }
        self.by_pages = random.random() < 0.3
        self.max_items = options["max_items"]
        self.left = self.max_items
        self.skipped = self.skipped or options["on_invalid"] == "skip"
        if checkpoint is None and world.static and not world.hides and random.random() < 0.1:
            options["offset"] = random.randint(0, 30)
            self.begin = options["offset"]
            self.constant = {row.place for row in self._visible()}
        self.say(f"START {'pages' if self.by_pages else 'items'} {options} resume={checkpoint is not None}")
        if options["on_invalid"] == "call":
            options["on_invalid"] = self.report
        self.pager = self.client.objects.list("bkt", sort=SORTS[world.order], resume=checkpoint, **options)
        self.walk: Any = self.pager.pages() if self.by_pages else aiter(self.pager)
        self.ended = False

    def resume(self, checkpoint: str) -> None:
        """Go on in another walk. What lies behind its place now has to come too."""
        self.resumed = True
        self.world.expire()
        # Behind hidden rows a walk stands further on than its last row; what is created between has been passed.
        if self.world.order == "oldest first" or not (self.world.hides or self.skipped):
            self.constant |= {row.place for row in self._visible() if row.place > self.frontier}
        if self.random.random() < 0.3 and len(self.world.witnesses) == 1:
            self.client = self.make_client()
        self.start(checkpoint)

    def _visible(self) -> list[Row]:
        return [row for row in self.world.bucket.rows[self.begin :] if not row.hidden]

    # Steps

    async def take(self) -> None:
        """Take some objects or pages."""
        for _ in range(self.random.choice([1, 1, 2, 5, 10, 30])):
            if self.over or self.ended:
                return
            await self.one()

    async def change(self) -> None:
        """The list changes."""
        self.world.change(self.random, self)

    async def wait(self) -> None:
        """Let the prefetched pages come in."""
        await asyncio.sleep(self.random.choice([0, 0, 0.5, 5]))

    async def resume_here(self) -> None:
        """Leave the walk, and go on from its checkpoint."""
        checkpoint = self.random.choice([self.walk, self.pager]).checkpoint
        if self.random.random() < 0.7:
            await self.walk.aclose()
        if self.random.random() < 0.3:
            await self.change()
        self.say("resume")
        self.resume(checkpoint)

    async def save(self) -> None:
        """Keep a checkpoint for later."""
        self.saved.append(Saved(self.walk.checkpoint, dict(self.dealt), list(self.order), self.high))
        self.say("save the checkpoint")

    async def resume_before(self) -> None:
        """Go on from an older checkpoint, as a job does that stopped before it could store the latest."""
        if self.saved:
            saved = self.saved.pop()
            await self.walk.aclose()
            self.dealt, self.order, self.high = saved.dealt, saved.order, saved.high
            self.say(f"resume from the saved checkpoint, behind {len(self.dealt)} rows")
            self.resume(saved.checkpoint)

    async def share(self) -> None:
        """Several tasks take from the walk."""
        self.say("several tasks")
        self.shared = True
        count = self.random.randint(1, 6)
        outcomes = await asyncio.gather(
            *(self.some(count) for _ in range(self.random.randint(2, 4))), return_exceptions=True
        )
        self.shared = False
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def some(self, count: int) -> None:
        """Take so many."""
        for _ in range(count):
            if not self.over and not self.ended:
                await self.one()

    async def cancel(self) -> None:
        """Ask for the next object or page, and cancel."""
        step = asyncio.ensure_future(anext(self.walk))
        turns = self.random.randint(0, 25)
        for _ in range(turns):
            await asyncio.sleep(0)
        if self.random.random() < 0.3:
            await asyncio.sleep(self.random.random() * 2)
        step.cancel()
        await asyncio.wait([step])
        self.say(f"cancel after {turns} turns: {'cancelled' if step.cancelled() else 'too late'}")
        if not step.cancelled():
            await self.outcome(step)

    async def drain(self) -> None:
        """Walk to the end, past all errors; then judge whether anything is missing."""
        self.say("DRAIN")
        while not self.over:
            while not self.ended and not self.over:
                await self.one()
            # `max_items` ends a walk before its end.
            if self.over or self.left != 0 or self.max_items is None:
                break
            self.resume(self.walk.checkpoint)
        if not self.over:
            self.judge_end()

    async def one(self) -> None:
        """The next object or page, or what comes in its place."""
        await self.outcome(asyncio.ensure_future(anext(self.walk)) if self.shared else anext(self.walk))

    async def outcome(self, step: Any) -> None:
        """Take note of what a step brought."""
        try:
            result = await step
        except StopAsyncIteration:
            if not self.ended:
                self.say("end")
            self.ended = True
        except MixpeekError as error:
            self.say(f"{type(error).__name__}: {str(error)[:160]}")
            await self.after(error)
        else:
            objects = result.results if self.by_pages else [result]
            for obj in objects:
                self.yielded(obj)
            if self.random.random() < self.deletes:
                self.world.delete([self.world.by_id[obj.object_id] for obj in objects], "what is done")

    async def after(self, error: MixpeekError) -> None:
        """Judge an error, and go on behind it: in the same walk, or in another."""
        self.errors += 1
        self.judge(error)
        if self.over:
            return
        if self.errors > _MAX_ERRORS:
            raise Failure("endless errors", f"{type(error).__name__} {error}")
        if isinstance(error, RateLimitError) and error.retry_after:
            await asyncio.sleep(error.retry_after)
        if self.random.random() < 0.3 and not self.shared:
            checkpoint = self.random.choice([error, self.walk, self.pager]).checkpoint
            if checkpoint is None:
                raise Failure("no checkpoint", f"{error!r} has none")
            await self.walk.aclose()
            if self.random.random() < 0.3:
                await self.change()
            self.say("resume behind the error")
            self.resume(checkpoint)

    # The judge

    def yielded(self, obj: Object) -> None:
        """An object came."""
        self.say(f"yield {obj.object_id}")
        row = self.world.by_id.get(obj.object_id)
        if row is None:
            raise Failure("unknown", f"no row has ever had the id {obj.object_id!r}")
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Failure("max_items", f"more than {self.max_items} came")
        was = self.dealt.get(row.place)
        # A malformed row that was reported may come once more when it is mended.
        if was is not None and self.resumed and self.world.slides:
            return
        if was is not None and not (was.startswith("reported") and row.place in self.world.mended):
            raise Failure("twice", f"{obj.object_id} was {was} before")
        # A malformed row that was passed may come when it is mended, wherever the walk is then.
        if row.place in self.constant and row.place not in self.world.mended and not self.shared:
            if row.place < self.high:
                raise Failure("out of order", f"{obj.object_id} came late")
            self.high = row.place
        self._deal(row, "yielded")

    def report(self, error: InvalidObjectError) -> None:
        """A malformed record was reported."""
        record = json.loads(error.raw)
        row = self.world.everything.get(record.get("place")) or self.world.by_id.get(record.get("object_id"))
        if row is None:
            raise Failure("unknown", f"reported {error.raw!r}")
        self.say(f"report {row.id or row.place}")
        was = self.dealt.get(row.place)
        if was is not None and self.resumed and self.world.slides:
            return
        # What a page holds back behind such a record comes first when the walk is resumed, and the record once more.
        if was is not None and not (was == "reported by pages" and self.resumed):
            raise Failure("reported twice", f"{row.id or row.place} was {was} before")
        self._deal(row, "reported by pages" if self.by_pages else "reported")

    def _deal(self, row: Row, how: str) -> None:
        self.dealt[row.place] = how
        self.order.append(row.place)

    def judge(self, error: MixpeekError) -> None:
        """Failure, unless the server gave a reason for `error`."""
        world = self.world
        if world.overrun:
            raise Failure("endless requests", f"{world.requests} requests, then {error}")
        if isinstance(error, InvalidObjectError):
            self.report(error)
        elif world.kind == "forgets" and world.bad["forgotten cursor"] and isinstance(error, _CONFUSED):
            # There is no way on from there.
            self.over = self.errors > 5
        elif isinstance(error, CheckpointError):
            self._judge_checkpoint_error(error)
        elif type(error) is PaginationError and sum(row.hidden for row in self.world.bucket.rows) >= _EMPTY_PAGES:
            # Rows between two stretches of hidden ones were deleted.
            self.over = True
        elif isinstance(error, OffsetLimitError):
            self._judge_offset_limit(error)
        elif not self._names_a_row(error):
            self._judge_trouble(error)

    def _judge_checkpoint_error(self, error: CheckpointError) -> None:
        self.over = True
        if self.world.bad["expired"]:
            return
        count = _ANCHORS - (len(self.world.ever_broken) if self.skipped else 0)
        latest = self.order[-count:] if count > 0 else []
        there = {row.place for row in self.world.bucket.rows}
        # The checkpoint of pages lies before a record that they report: it is no row by which the place is found.
        before = [place for place in latest if self.dealt.get(place) != "reported by pages"]
        alive = [place for place in before if place in there and self.world.everything[place].id is not None]
        if not self.order:
            raise Failure("checkpoint error", f"nothing had come before it: {error}")
        if alive:
            raise Failure("checkpoint error", f"{len(alive)} of the last {len(latest)} objects exist: {error}")
        if self.world.dates_decide and self.order[-1] not in self.world.ever_broken:
            raise Failure("checkpoint error", f"dates decide: {error}")

    def _judge_offset_limit(self, error: OffsetLimitError) -> None:
        reachable = 10_000 + min([1000, *self.world.clamps])
        certain = "N" not in self.world.shapes
        if self.world.most_rows <= (reachable if certain else 10_000):
            raise Failure("offset limit", f"of {self.world.most_rows} rows: {error}")
        self.over = True

    def _names_a_row(self, error: MixpeekError) -> bool:
        """Whether `error` is about a row that is too heavy, or cannot be told from one."""
        row = next((row for row in map(self.world.by_id.get, _ID.findall(str(error))) if row), None)
        if row is None or not self.world.heavy:
            return False
        if row.weight <= (self.world.bucket.max_weight or 0) and not self._faults():
            raise Failure("blamed", f"{row.id} is not too heavy: {error}")
        if row.place in self.dealt:
            raise Failure("reported twice", f"{row.id} was {self.dealt[row.place]} before: {error}")
        self._deal(row, "named")
        return True

    def _faults(self) -> int:
        return sum(count for kind, count in self.world.bad.items() if kind != "heavy")

    def _judge_trouble(self, error: MixpeekError) -> None:
        world = self.world
        reasons = sum(world.bad[kind] for kind in _reasons(error))
        if isinstance(error, PaginationLoopError) and world.slides:
            # Each page may hold nothing but rows that were pushed behind its cursor.
            self.over = True
            return
        if not reasons or (isinstance(error, PaginationLoopError)):
            raise Failure("no reason", f"{type(error).__name__}: {error}")
        if _reasons(error) == ("heavy",) and not self._faults():
            raise Failure("no reason", f"no row is named: {type(error).__name__}: {error}")
        if isinstance(error, RateLimitError) and world.bad["429 for long"]:
            return
        tries = min(3, world.attempts) if isinstance(error, MalformedResponseError) else world.attempts
        if sum(world.bad.values()) >= _QUOTA:
            # No walk of this client tries again any more, and no page gets smaller.
            self.over = self.errors > 20
            return
        # A time-out uses up the budget of several tries.
        world.owed += tries if error.retryable and not world.bad["stall"] else 1
        if sum(world.bad.values()) < world.owed:
            raise Failure("too few tries", f"{dict(world.bad)}: {type(error).__name__}: {error}")

    def judge_end(self) -> None:
        """Failure, if anything is missing at the end."""
        missing = self.constant - self.dealt.keys()
        if self.skipped:
            missing -= self.world.ever_broken
        if missing:
            names = " ".join(self.world.everything[place].id or f"@{place}" for place in sorted(missing))
            raise Failure("lost", names)


_CONFUSED = PaginationError | MalformedResponseError | CheckpointError


def _reasons(error: MixpeekError) -> tuple[str, ...]:
    """What a server may have done to deserve this error."""
    match error:
        case StatusError():
            return {
                403: ("403",),
                413: ("heavy",),
                429: ("429", "429 for long"),
                500: ("500", "heavy"),
                503: ("503",),
            }.get(error.status, ())
        case ResponseTooLargeError():
            return ("heavy",)
        case RequestTimeoutError():
            return ("stall",)
        case ConnectionFailedError():
            return ("drop", "cut")
        case MalformedResponseError():
            return ("cut json", "html", "no list", "forgotten cursor")
        case PaginationError():
            return ("forgotten cursor",)
        case _:
            return ()
