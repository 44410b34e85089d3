"""A bucket in memory that answers a planner's questions, and random ones of all kinds, each from one seed."""

import random
from collections import Counter as Tally
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs

from mixpeek_async._cut import Count, Counted, Cut, Groups, Histogram, Planner, Question, Span, Which

__all__ = ["ModelBucket", "Thing", "contains", "plan", "random_bucket", "random_dates"]

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
_START = datetime(2024, 2, 28, 23, 59, 58, tzinfo=UTC)
_FIELDS = {"month": "day", "day": "hour", "hour": "minute", "minute": "second", "second": "microsecond"}


@attrs.frozen(eq=False)
class Thing:
    """An object; two with the same date are not equal."""

    date: datetime | None


def contains(which: Which, thing: Thing) -> bool:
    """Whether `thing` is one of the objects that `which` names."""
    date = thing.date
    match which:
        case "all":
            return True
        case "dated":
            return date is not None
        case "undated":
            return date is None
        case Span(start, end):
            return date is not None and (start is None or date >= start) and (end is None or date < end)


def truncate(date: datetime, unit: str) -> datetime:
    """The beginning of the unit in which `date` is."""
    cut = {"day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    names = list(cut)
    return date.replace(**{name: cut[name] for name in names[names.index(_FIELDS[unit]) :]})  # type: ignore[arg-type]  # names of int fields


@attrs.define
class ModelBucket:
    """The objects, and how the server behaves.

    * `counts`, `groups`: it counts its lists, and has histograms.
    * `sorts`: it lists newest first when it is asked to.
    * `hides`: its filters never find an object without a date.
    * `zone`: its histograms have the local time of this zone, without saying so.
    * `change`: called before each answer, to change `things`; None for a bucket that stands still.
    """

    things: list[Thing]
    counts: bool = True
    groups: bool = True
    sorts: bool = True
    hides: bool = False
    zone: timedelta = timedelta(0)
    change: Callable[["ModelBucket"], None] | None = None
    questions: list[Question] = attrs.field(factory=list)

    def answer(self, question: Question) -> Counted | Groups | None:
        """What the server says."""
        if self.change is not None:
            self.change(self)
        self.questions.append(question)
        return self._count(question) if isinstance(question, Count) else self._histogram(question)

    def _count(self, question: Count) -> Counted | None:
        if not self.counts:
            return None
        found = [thing for thing in self.things if contains(question.of, thing)]
        if self.hides and question.of == "undated":
            found = []
        dates = sorted(thing.date for thing in found if thing.date is not None)
        date = (dates[-1] if question.edge == "newest" and self.sorts else dates[0]) if dates else None
        return Counted(len(found), date)

    def _histogram(self, question: Histogram) -> Groups | None:
        if not self.groups:
            return None
        spans = question.spans
        found = [thing for thing in self.things if not spans or any(contains(span, thing) for span in spans)]
        starts = Tally(None if thing.date is None else self._start(thing.date, question.unit) for thing in found)
        return list(starts.items())

    def _start(self, date: datetime, unit: str) -> datetime:
        try:
            return truncate(date + self.zone, unit)
        except OverflowError:
            return truncate(date, unit)


def plan(bucket: ModelBucket, planner: Planner) -> Cut:
    """Run `planner` on `bucket`. Its questions of one wave are answered in order."""
    asking = planner.run()
    wave = next(asking)
    while True:
        try:
            wave = asking.send([bucket.answer(question) for question in wave])
        except StopIteration as end:
            cut: Cut = end.value
            return cut


def random_dates(draw: random.Random, most: int) -> list[datetime | None]:
    """Up to `most` dates: evenly spread, in bursts, at one instant, at the ends of time, or none; in random shares."""
    dates: list[datetime | None] = []
    while len(dates) < most and (not dates or draw.random() < 0.75):
        few = draw.randint(1, max(1, most - len(dates)))
        origin = _START + timedelta(seconds=draw.choice([0, 1, 86_400, 10**6, 10**8]) * draw.random())
        width = draw.choice([1e-5, 1e-3, 1, 60, 3_600, 86_400, 10**7, 10**9])
        match draw.randrange(8):
            case 0:
                dates += [None] * few
            case 1 | 2:
                dates += [origin] * few
            case 3:
                dates += [draw.choice([EARLIEST, LATEST, LATEST - timedelta(microseconds=1), _START])] * few
            case 4:
                dates += [origin + timedelta(seconds=width * draw.random() ** 4) for _ in range(few)]
            case _:
                dates += [origin + timedelta(seconds=width * draw.random()) for _ in range(few)]
    return dates


def random_bucket(draw: random.Random, most: int = 400) -> ModelBucket:
    """A bucket of up to `most` objects, on a server of any kind. Every other one changes all the time."""
    bucket = ModelBucket(
        [Thing(date) for date in random_dates(draw, most)] if draw.random() < 0.98 else [],
        counts=draw.random() < 0.95,
        groups=draw.random() < 0.6,
        sorts=draw.random() < 0.9,
        zone=timedelta(hours=draw.choice([0, 0, 0, 0, -5, 5.75, 14])),
    )
    if draw.random() < 0.5:
        bucket.change = _changes(draw)
    else:
        # Beside changes, no count could show that the server hides a few.
        bucket.hides = draw.random() < 0.2
    return bucket


def _changes(draw: random.Random) -> Callable[[ModelBucket], None]:
    creates, deletes, undated = draw.random() * 3, draw.random() * 3, draw.random() < 0.3
    now = _START + timedelta(days=4_000)

    def change(bucket: ModelBucket) -> None:
        nonlocal now
        for _ in range(draw.randint(0, int(creates))):
            now += timedelta(seconds=draw.random())
            backdated = random_dates(draw, 1)[0] if draw.random() < 0.2 else now
            bucket.things.append(Thing(None if undated and draw.random() < 0.1 else backdated))
        for _ in range(draw.randint(0, int(deletes))):
            if bucket.things:
                bucket.things.pop(draw.randrange(len(bucket.things)))

    return change
