"""Sum up a bucket: counts by status, type, size and date, from the server's aggregation or from a walk.

The server counts millions of objects in one request for each question. What it cannot answer, or answers with a sum
that does not agree with its own count, is counted by one walk over all objects.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import attrs

from mixpeek_async.errors import IncompleteListError, MalformedResponseError, StatusError
from mixpeek_async.models import AggregateRow, BlobDetails, BlobType, Object
from mixpeek_async.query import FilterLike

if TYPE_CHECKING:
    from mixpeek_async.objects import Objects

K = TypeVar("K", bound=str | date)
Period = Literal["day", "week", "month", "year"]
Group = Mapping[str, Any]

# Powers of two. The last one is more than any blob has, because a server may have no name for what is over the last.
_SIZES = {
    2**16: "≤ 64 KiB",
    2**18: "≤ 256 KiB",
    2**20: "≤ 1 MiB",
    2**22: "≤ 4 MiB",
    2**24: "≤ 16 MiB",
    2**26: "≤ 64 MiB",
    2**28: "≤ 256 MiB",
    2**30: "≤ 1 GiB",
    2**60: "> 1 GiB",
}
_LIMITS = (0, *_SIZES)
_SIZE_FIELD = "blobs.details.size_bytes"

# More bars than these are hard to read, and one unit more makes them fewer.
_MOST_PERIODS = 60
_DAYS: Mapping[Period, int] = {"day": 1, "week": 7, "month": 30, "year": 365}

# The server knows no aggregation, or not this one, or does not allow it to this key.
_CANNOT = frozenset({400, 403, 404, 405, 422, 501})


@attrs.frozen
class Breakdown(Generic[K]):
    """Counts of objects, or of blobs, by one of their properties.

    `counts` are by value, the largest first, or in the order of sizes and dates; None stands for those without a value.
    `source` says who counted: "server", or "walk" if this client did.
    """

    counts: Mapping[K | None, int]
    source: Literal["server", "walk"]

    @property
    def total(self) -> int:
        """The sum of the counts."""
        return sum(self.counts.values())

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON: a list of values with their counts, because a key of JSON cannot be null."""
        counts = [{"value": None if value is None else str(value), "count": n} for value, n in self.counts.items()]
        return {"source": self.source, "counts": counts}


@attrs.frozen(kw_only=True)
class Summary:
    """A bucket in numbers: how many `objects` it has, and what they are.

    `statuses` and `created` count objects. `blob_types`, `mime_types` and `sizes` count blobs: an object may have
    several. The keys of `created` are the first days, in UTC, of days, weeks (from Monday), months or years, as
    `created_by` says; periods without objects are among them.

    `changed`: objects were created or deleted meanwhile, so that the figures may differ a little. `unreadable`: records
    that the walk could not read, and that are in no figure.
    """

    objects: int
    statuses: Breakdown[str]
    blob_types: Breakdown[str]
    mime_types: Breakdown[str]
    sizes: Breakdown[str]
    created: Breakdown[date]
    created_by: Period
    changed: bool = False
    unreadable: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            name: value.to_dict() if isinstance(value, Breakdown) else value
            for name, value in attrs.asdict(self, recurse=False).items()
        }


@attrs.frozen
class _Question:
    """One aggregation: what to send, and for each figure how to read its value from a group of the answer."""

    values: Mapping[str, Callable[[Group], Any]]
    keywords: Mapping[str, Any]


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        # A list of values: the server has not unwound the blobs.
        raise ValueError("the value of a group is no text")
    return value


def _blob_type(value: Any) -> str | None:
    # Old servers write types in upper case.
    return None if _text(value) is None else BlobType(value).value


def _day(value: Any) -> date | None:
    """The day of a date, in UTC."""
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    try:
        return moment.astimezone(UTC).date() if moment.tzinfo else moment.date()
    except OverflowError:
        # The first or the last day of all.
        return moment.date()


def _size_class(size: int | None) -> str | None:
    # An empty blob counts with those of unknown size: a server puts both into the class of all other values.
    if size is None or size <= 0:
        return None
    return next((name for limit, name in _SIZES.items() if size <= limit), _SIZES[_LIMITS[-1]])


def _named_size_class(group: Group) -> str | None:
    """The class of sizes that a group of the answer is about. ValueError if its name cannot be understood.

    How servers name a range is not published. These are the names in the description of the API (`0-10`, `10+`, `>10`,
    `<0`, `other`), and the lower end of the range, as MongoDB has it.
    """
    (name,) = [value for key, value in group.items() if key != "type"]
    numbers = [int(number) for number in re.findall(r"(\d+)(?:\.0*)?", str(name))]
    match numbers:
        case [] if name in (None, "other"):
            return None
        case [0] if str(name).startswith("<"):
            return None
        case [low, high] if (low, high) in pairwise(_LIMITS):
            return _SIZES[high]
        case [low] if low in _LIMITS[:-1] and re.fullmatch(r">?=?[\d.]+\+?", str(name)):
            return _size_class(low + 1)
        case _:
            raise ValueError("the name of a range cannot be understood")


_QUESTIONS = (
    _Question(
        {"statuses": lambda group: _text(group["status"])},
        {"group_by": ["status"]},
    ),
    _Question(
        {
            "blob_types": lambda group: _blob_type(group["type"]),
            "mime_types": lambda group: _text(group["mime_type"]),
        },
        {
            "group_by": [
                {"field": "blobs.type", "alias": "type"},
                {"field": "blobs.details.mime_type", "alias": "mime_type"},
            ],
            "unwind": "blobs",
        },
    ),
    _Question(
        {"sizes": _named_size_class},
        {
            "group_by": [{"field": "blobs.type", "alias": "type"}],
            "range_buckets": {_SIZE_FIELD: _LIMITS},
            "unwind": "blobs",
        },
    ),
    _Question(
        {"days": lambda group: _day(group["day"])},
        {"group_by": [{"field": "created_at", "date_trunc": "day", "alias": "day"}]},
    ),
)
_FIGURES = tuple(name for question in _QUESTIONS for name in question.values)


@attrs.define
class _Tally:
    """What a walk has counted."""

    counts: dict[str, Counter[Any]] = attrs.field(factory=lambda: {name: Counter() for name in _FIGURES})
    objects: int = 0
    unreadable: int = 0

    def add(self, obj: Object) -> None:
        self.objects += 1
        self.counts["statuses"][None if obj.status is None else obj.status.value] += 1
        self.counts["days"][_day(obj.created_at)] += 1
        for blob in obj.blobs:
            details = blob.details or BlobDetails()
            self.counts["blob_types"][blob.type.value] += 1
            self.counts["mime_types"][details.mime_type] += 1
            self.counts["sizes"][_size_class(details.size_bytes)] += 1


async def summarize(objects: "Objects", bucket: str, filters: FilterLike | None, *, exact: bool) -> Summary:
    """The summary of `bucket`. `Objects.summary` explains it."""
    if exact:
        tally = await _walk(objects, bucket, filters)
        return _summary({}, tally, tally.objects, changed=False)
    before = await _count(objects, bucket, filters)
    answers: dict[str, Counter[Any]] = {}
    for question in _QUESTIONS:
        answers |= await _ask(objects, bucket, filters, question)
    after = await _count(objects, bucket, filters)
    checked = _checked(answers, before, after)
    tally = _Tally() if checked.keys() == set(_FIGURES) else await _walk(objects, bucket, filters)
    # Without a count of the server's, the statuses have been checked against the dates, or a walk has counted.
    total = checked["statuses"].total() if "statuses" in checked else tally.objects
    return _summary(checked, tally, total if after is None else after, changed=before != after)


async def _count(objects: "Objects", bucket: str, filters: FilterLike | None) -> int | None:
    """The number of objects, None if the server does not count them."""
    try:
        return await objects.count(bucket, filters=filters)
    except MalformedResponseError:
        return None


async def _ask(
    objects: "Objects", bucket: str, filters: FilterLike | None, question: _Question
) -> dict[str, Counter[Any]]:
    """The figures that one aggregation gives; none if the server cannot."""
    try:
        rows = await objects.aggregate(bucket, metrics={"number": "count"}, filters=filters, **question.keywords)
        return {name: _counted(rows, value) for name, value in question.values.items()}
    except StatusError as error:
        if error.status not in _CANNOT:
            raise
    except (MalformedResponseError, IncompleteListError, LookupError, ValueError, TypeError):
        # An answer that is cut, or in words that are not known here.
        pass
    return {}


def _counted(rows: Iterable[AggregateRow], value_of: Callable[[Group], Any]) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for row in rows:
        number = row.metrics["number"]
        if not isinstance(number, int) or number < 0:
            raise ValueError("a count is no number")
        counts[value_of(row.group)] += number
    return counts


def _checked(answers: Mapping[str, Counter[Any]], before: int | None, after: int | None) -> dict[str, Counter[Any]]:
    """The answers whose sums agree: those of objects with the count, those of blobs with each other."""
    sums = {name: counts.total() for name, counts in answers.items()}
    known = [count for count in (before, after) if count is not None]
    if not known and sums.get("statuses") == sums.get("days"):
        known = [sums.get("statuses", 0)]
    good = {name for name in sums.keys() & {"statuses", "days"} if known and min(known) <= sums[name] <= max(known)}
    if "blob_types" in sums:
        good |= {"blob_types", "mime_types"}
    # While objects come and go, two requests count another number of blobs.
    if "sizes" in sums and (sums["sizes"] == sums.get("blob_types") or before != after):
        good.add("sizes")
    return {name: counts for name, counts in answers.items() if name in good}


async def _walk(objects: "Objects", bucket: str, filters: FilterLike | None) -> _Tally:
    tally = _Tally()
    select = ["status", "created_at", "blobs.type", "blobs.details.mime_type", _SIZE_FIELD]
    pager = objects.list(bucket, filters=filters, select=select, on_invalid="skip")
    async for obj in pager:
        tally.add(obj)
    tally.unreadable = pager.progress.invalid
    return tally


def _summary(server: Mapping[str, Counter[Any]], tally: _Tally, objects: int, *, changed: bool) -> Summary:
    def figure(name: str, order: Callable[[Counter[Any]], Mapping[Any, int]]) -> Breakdown[Any]:
        counted = server[name] if name in server else tally.counts[name]
        return Breakdown(order(counted), "server" if name in server else "walk")

    days = server["days"] if "days" in server else tally.counts["days"]
    period = _period(sorted(day for day in days if day is not None))
    return Summary(
        objects=objects,
        statuses=figure("statuses", _largest_first),
        blob_types=figure("blob_types", _largest_first),
        mime_types=figure("mime_types", _largest_first),
        sizes=figure("sizes", _by_size),
        created=figure("days", lambda counts: _by_period(counts, period)),
        created_by=period,
        changed=changed,
        unreadable=tally.unreadable,
    )


def _largest_first(counts: Counter[str | None]) -> dict[str | None, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], str(item[0]))))


def _by_size(counts: Counter[str | None]) -> dict[str | None, int]:
    return {name: counts[name] for name in (*_SIZES.values(), None) if name in counts}


def _period(days: Sequence[date]) -> Period:
    """The smallest unit that does not make too many periods."""
    span = (days[-1] - days[0]).days if days else 0
    for unit, length in _DAYS.items():
        if span / length < _MOST_PERIODS:
            return unit
    return "year"


def _by_period(days: Counter[date | None], unit: Period) -> dict[date | None, int]:
    """The counts of periods in their order, and of objects without a date at the end."""
    counts: Counter[date] = Counter()
    for day, number in days.items():
        if day is not None:
            counts[_start(day, unit)] += number
    ordered: dict[date | None, int] = {}
    for start in sorted(counts):
        previous = next(reversed(ordered), None)
        # A single date of the year 1 shall not make two thousand empty years.
        if previous is not None and (start - previous).days <= 2 * _MOST_PERIODS * _DAYS[unit]:
            while (previous := _next(previous, unit)) < start:
                ordered[previous] = 0
        ordered[start] = counts[start]
    return ordered | ({None: days[None]} if days[None] else {})


def _start(day: date, unit: Period) -> date:
    """The first day of the period that `day` is in."""
    match unit:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case _:
            return day.replace(month=1, day=1)


def _next(start: date, unit: Period) -> date:
    """The first day of the period behind the one that begins with `start`; there is one."""
    # 31 days behind the first of a month is the next month, and 366 behind New Year's Day the next year.
    longest = {"day": 1, "week": 7, "month": 31, "year": 366}[unit]
    return _start(start + timedelta(days=longest), unit)
