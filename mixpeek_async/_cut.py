"""Where to cut a bucket into parts: pure, without I/O.

`Planner.run()` is a generator. It yields waves of questions, which can be asked side by side, and is sent their answers
(None: the server cannot answer). Every question is one request. The parts are ranges of dates of creation that tile
the whole line, and one part for the objects without a date. So they are complete and disjoint whatever the server
answers; its answers decide only how well they are balanced.
"""

from bisect import bisect_left
from collections.abc import Generator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Literal, TypeVar, cast

import attrs

# Questions of one wave. A server may allow few requests at once: 5 or 50, as published.
_MAX_WAVE = 16
# Ranges in one filter. Each is two conditions, and servers limit their number.
_MAX_SPANS = 50
_MAX_CHECKS = 3
# Requests that a check takes.
_CHECK = 5
# Units with more objects than this share of a part are split into finer ones: no part has more than 5/4 of the ideal.
_SHARE = 1 / 4
_TICK = timedelta(microseconds=1)
_LATEST = datetime.max.replace(tzinfo=UTC)

# From coarse to fine, with the longest that a unit can be.
_UNITS = {
    "month": timedelta(days=31),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}


@attrs.frozen
class Span:
    """The dates from `start` up to, and without, `end`; None: no bound on that side."""

    start: datetime | None = None
    end: datetime | None = None


Which = Span | Literal["all", "dated", "undated"]
"""Objects to count. "dated" are those whose date can be compared, "undated" all others."""


@attrs.frozen
class Count:
    """How many objects are there? `edge`: and which date has the oldest or the newest of them?"""

    of: Which
    edge: Literal["oldest", "newest"] | None = None


@attrs.frozen
class Histogram:
    """How many objects has each `unit` of time within `spans`? Without spans: of all objects."""

    unit: str
    spans: tuple[Span, ...] = ()


@attrs.frozen
class Counted:
    """The answer to Count: the number of objects, and the date at the edge."""

    rows: int
    date: datetime | None = None


Groups = Sequence[tuple[datetime | None, int]]
"""The answer to Histogram: where each unit begins, and its number of objects. None: objects without a date."""

Question = Count | Histogram
Answers = Sequence[Counted | Groups | None]


@attrs.frozen
class Slice:
    """One part: which objects, and about how many (None: not known)."""

    of: Which
    rows: int | None


@attrs.frozen
class Cut:
    """The parts in order, and how they were found, as a sentence for the log."""

    slices: tuple[Slice, ...]
    how: str


@attrs.frozen
class Bin:
    """A range of dates in which `rows` objects lie. `is_tight`: some of them are at both of its ends."""

    start: datetime
    end: datetime
    rows: int
    is_tight: bool = False

    @property
    def span(self) -> Span:
        # There is no date behind the latest one, and objects may have it.
        return Span(self.start, None if self.end == _LATEST else self.end)

    @property
    def middle(self) -> datetime:
        return self.start + (self.end - self.start) // 2

    @property
    def is_instant(self) -> bool:
        """True if all its objects have the same date, so that dates cannot cut it."""
        return self.end - self.start <= _TICK

    def questions(self) -> list[Question]:
        """What to ask to make smaller bins of this one."""
        return [Count(Span(self.start, self.middle))] if self.is_tight else _edges(self.span)

    def smaller(self, answers: Sequence[Counted | None]) -> list["Bin"]:
        """The bins that `answers` make of this one, in order; [] if they tell nothing new."""
        if not self.is_tight:
            # Within this bin, so that bins stay in order even if the server sorts or compares dates in its own way.
            found = _between(*answers)
            bounded = [attrs.evolve(b, start=max(b.start, self.start), end=min(b.end, self.end)) for b in found]
            return [b for b in bounded if b.start < b.end]
        [first] = answers
        return [] if first is None else self._halves(min(first.rows, self.rows))

    def _halves(self, first: int) -> list["Bin"]:
        rest = self.rows - first
        # If one half has nearly all objects, they may lie close together: look up where, instead of halving on.
        is_even = min(first, rest) > self.rows // 8
        halves = Bin(self.start, self.middle, first, is_even), Bin(self.middle, self.end, rest, is_even)
        return [half for half in halves if half.rows]


def _edges(which: Which) -> list[Question]:
    return [Count(which, "oldest"), Count(which, "newest")]


def _between(oldest: Counted | None, newest: Counted | None) -> list[Bin]:
    """The bin from the oldest to the newest date; [] without them, or if the server does not sort."""
    if oldest is None or newest is None or oldest.date is None or newest.date is None or oldest.date > newest.date:
        return []
    return [Bin(oldest.date, _after(newest.date, _TICK), newest.rows, is_tight=True)]


def _after(date: datetime, length: timedelta) -> datetime:
    return date + length if date < _LATEST - length else _LATEST


Answer = TypeVar("Answer")
Asking = Generator[list[Question], Answers, Answer]


@attrs.define
class Planner:
    """Finds at most `count` parts of dates, of about `min_objects` or more, with at most `max_requests` questions.

    `can_group`: the server may be asked for histograms.
    """

    count: int
    min_objects: int
    max_requests: int
    can_group: bool = True

    def run(self) -> Asking[Cut]:
        """Count, cut, and check the sums."""
        [total] = yield from self._count(Count("all"))
        if total is None:
            return _whole(None, "the server does not count it")
        if self._parts_of(total.rows) < 2:
            return _whole(total.rows, "it is short")
        # What is left for the cut itself.
        self.max_requests -= _CHECK
        undated, *months = yield from self._ask([Count("undated"), *([Histogram("month")] if self.can_group else [])])
        if not isinstance(undated, Counted):
            return _whole(total.rows, "the server does not count objects without a date")
        dated = total.rows - undated.rows
        parts = self._parts_of(dated)
        if parts < 2:
            return _whole(total.rows, "few objects have a date")
        bins = yield from self._bins(_usable(cast("list[Groups | None]", months), total.rows), dated / parts)
        slices = _slices(bins, parts)
        if len(slices) < 2:
            return _whole(total.rows, "dates do not cut it")
        self.max_requests += _CHECK
        sums = yield from self._check(total.rows, slices)
        if sums is None:
            return _whole(total.rows, "the server's counts do not add up")
        if sums.proves_dates:
            return Cut(tuple(slices), "cut by dates")
        # As servers sort them: without a date is before all dates.
        return Cut((Slice("undated", sums.undated), *slices), "cut by dates, and a part without dates")

    def _parts_of(self, rows: int) -> int:
        return min(self.count, rows // self.min_objects)

    # --- asking ---

    def _ask(self, questions: Sequence[Question]) -> Asking[Answers]:
        """The answers; all None where the budget does not suffice."""
        if len(questions) > self.max_requests:
            return [None] * len(questions)
        self.max_requests -= len(questions)
        return (yield list(questions))

    def _count(self, *questions: Question) -> Asking[list[Counted | None]]:
        answers = yield from self._ask(questions)
        return cast("list[Counted | None]", list(answers))

    # --- checking the sums ---

    def _check(self, before: int, slices: Sequence[Slice]) -> Asking["Sums | None"]:
        """The counts of what comes before a part in the middle, in it and behind it, and of objects without a date.

        None if they do not add up to the count of all. They are asked for between two counts of all, because the bucket
        may change meanwhile.
        """
        middle = slices[len(slices) // 2].of
        assert isinstance(middle, Span)
        spans = [Span(None, middle.start), middle, *([] if middle.end is None else [Span(middle.end, None)])]
        for _ in range(_MAX_CHECKS):
            undated, *dated = yield from self._count(Count("undated"), *map(Count, spans))
            [after] = yield from self._count(Count("all"))
            if undated is None or after is None or None in dated:
                return None
            sums = Sums(before, after.rows, sum(each.rows for each in dated if each is not None), undated.rows)
            if sums.add_up:
                return sums
            before = after.rows
        return None

    # --- making bins ---

    def _bins(self, months: Groups | None, ideal: float) -> Asking[list[Bin]]:
        """Bins of at most `ideal` objects, where dates and the budget allow it."""
        if months is not None:
            bins = yield from self._bins_of_units(_bins_of("month", months), ideal * _SHARE)
        else:
            bins = _between(*(yield from self._count(*_edges("dated"))))
        return (yield from self._halved(bins, ideal))

    def _bins_of_units(self, bins: list[Bin], most: float) -> Asking[list[Bin]]:
        """`bins`, those with more than `most` objects in finer units: one request for each unit."""
        for unit in list(_UNITS)[1:]:
            spans = _fullest_spans(bins, most)
            if not spans:
                break
            [groups] = yield from self._ask([Histogram(unit, spans)])
            if groups is None:
                break
            bins = _refined(bins, _bins_of(unit, cast("Groups", groups)), most)
        return bins

    def _halved(self, bins: list[Bin], most: float) -> Asking[list[Bin]]:
        """`bins`, those with more than `most` objects in smaller ones: one or two requests for each, in waves."""
        whole: set[Bin] = set()
        while wave := self._wave([each for each in bins if each.rows > most and each not in whole]):
            answers = iter((yield from self._count(*(question for each in wave for question in each.questions()))))
            made = {each: each.smaller([next(answers) for _ in each.questions()]) for each in wave}
            whole |= {each for each, smaller in made.items() if not smaller}
            bins = [smaller for each in bins for smaller in made.get(each) or [each]]
        return bins

    def _wave(self, full: list[Bin]) -> list[Bin]:
        """The fullest bins that can be cut, as many as the budget allows."""
        wave: list[Bin] = []
        left = min(self.max_requests, _MAX_WAVE)
        for each in sorted(full, key=lambda each: each.rows, reverse=True):
            if not each.is_instant and (left := left - len(each.questions())) >= 0:
                wave.append(each)
        return wave


@attrs.frozen
class Sums:
    """The counts: of all objects `before` and `after` the others, and of those with and without a date."""

    before: int
    after: int
    dated: int
    undated: int

    @property
    def add_up(self) -> bool:
        return min(self.before, self.after) <= self.dated + self.undated <= max(self.before, self.after)

    @property
    def proves_dates(self) -> bool:
        """True if every object has a date: the bucket stood still, and those with a date are all."""
        return self.undated == 0 and self.before == self.after == self.dated


def _whole(rows: int | None, why: str) -> Cut:
    return Cut((Slice("all", rows),), f"not cut, because {why}")


def _usable(histograms: Iterable[Groups | None], total: int) -> Groups | None:
    """The histogram, if it counts about as many objects as there are: the bucket may change meanwhile."""
    for groups in histograms:
        if groups is not None and abs(sum(rows for _, rows in groups) - total) <= total // 8:
            return groups
    return None


def _bins_of(unit: str, groups: Groups) -> list[Bin]:
    """A bin for each unit that has objects. It ends where the next one begins."""
    rows_of: dict[datetime, int] = {}
    for start, rows in groups:
        if start is not None and rows > 0:
            rows_of[start] = rows_of.get(start, 0) + rows
    return [
        Bin(start, min(following, _after(start, _UNITS[unit])), rows_of[start])
        for start, following in pairwise([*sorted(rows_of), _LATEST])
        if start < following
    ]


def _fullest_spans(bins: Iterable[Bin], most: float) -> tuple[Span, ...]:
    """The ranges of bins with more than `most` objects. Neighbours are one range."""
    joined: list[Bin] = []
    for each in bins:
        if each.rows <= most:
            continue
        if joined and joined[-1].end == each.start:
            joined[-1] = Bin(joined[-1].start, each.end, joined[-1].rows + each.rows)
        else:
            joined.append(each)
    fullest = sorted(joined, key=lambda each: each.rows, reverse=True)[:_MAX_SPANS]
    return tuple(sorted((each.span for each in fullest), key=lambda span: cast("datetime", span.start)))


def _refined(bins: Iterable[Bin], finer: Sequence[Bin], most: float) -> list[Bin]:
    """`bins`, each with more than `most` objects replaced by the `finer` ones that begin in it, if there are any."""
    starts = [each.start for each in finer]
    refined: list[Bin] = []
    for each in bins:
        inside = finer[bisect_left(starts, each.start) : bisect_left(starts, each.end)] if each.rows > most else ()
        refined += inside or [each]
    return refined


def _slices(bins: Sequence[Bin], parts: int) -> list[Slice]:
    """At most `parts` slices of the whole line of dates, about equally full. Each begins where a bin begins."""
    before = [0, *accumulate(each.rows for each in bins)]
    cuts = sorted({_nearest(before, before[-1] * part / parts) for part in range(1, parts)} - {0, len(bins)})
    bounds = [None, *(bins[cut].start for cut in cuts), None]
    rows = [before[end] - before[start] for start, end in pairwise([0, *cuts, len(bins)])]
    return [Slice(Span(start, end), each) for (start, end), each in zip(pairwise(bounds), rows, strict=True)]


def _nearest(ascending: Sequence[int], value: float) -> int:
    """The index of the number that is nearest to `value`."""
    above = bisect_left(ascending, value)
    return above if above == 0 or ascending[above] - value <= value - ascending[above - 1] else above - 1
