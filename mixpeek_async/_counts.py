"""Ask the server what a planner of parts wants to know: counts and histograms by date of creation."""

import asyncio
import logging
import operator
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any, TypeVar

import attrs

from mixpeek_async._checks import int_between
from mixpeek_async._cut import Count, Counted, Cut, Groups, Histogram, Planner, Question, Span, Which
from mixpeek_async._options import PageRequest, PageStart
from mixpeek_async._source import row_structurer
from mixpeek_async._text import printable
from mixpeek_async._transport import Transport
from mixpeek_async._wire import Response, aggregate_objects, list_objects, model_parser, parse_page, row_date
from mixpeek_async.errors import (
    BadRequestError,
    IncompleteListError,
    InvalidArgumentError,
    MixpeekError,
    ValidationError,
)
from mixpeek_async.models import AggregateResult, AggregateRow, Object, Progress
from mixpeek_async.parts import Part
from mixpeek_async.query import AggregateQuery, Filter, ObjectQuery, Sort, field

R = TypeVar("R")

MAX_PARTS = 1_000

_created = field("created_at")
# Any date does: what compares with one compares with all.
_PIVOT = datetime(2026, 1, 1, tzinfo=UTC)
_DATED = (_created < _PIVOT) | (_created >= _PIVOT)
# Null, or absent, or of another kind: whichever of these the server can express, their union is all that is not dated.
_UNDATED = _created.is_null() | _created.exists(False) | ~_DATED
_NAMED: dict[str, list[Filter]] = {"all": [], "dated": [_DATED], "undated": [_UNDATED]}
_ORDERS = {None: None, "oldest": Sort("created_at"), "newest": Sort("created_at", "desc")}


def narrowed(query: ObjectQuery, which: Which) -> ObjectQuery:
    """`query`, of the objects that `which` names only."""
    return attrs.evolve(query, filters=_all_of(query.filters, *_conditions(which)))


def _conditions(which: Which) -> list[Filter]:
    if not isinstance(which, Span):
        return _NAMED[which]
    later = [] if which.start is None else [_created >= which.start]
    return later if which.end is None else [*later, _created < which.end]


def _all_of(*filters: Filter | None) -> Filter | None:
    present = [each for each in filters if each is not None]
    return reduce(operator.and_, present) if present else None


def _any_of(spans: Sequence[Span]) -> Filter | None:
    ranges = [_all_of(*_conditions(span)) for span in spans]
    return reduce(operator.or_, ranges) if ranges else None


async def aggregate(transport: Transport, bucket: str, query: AggregateQuery, progress: Progress) -> list[AggregateRow]:
    """The groups of an aggregation. IncompleteListError if the server has more of them than it sends."""
    parse = model_parser(row_structurer(AggregateResult, root="$"))
    result = await transport.call(aggregate_objects(bucket, query), parse, progress)
    if result.total_groups is not None and result.total_groups > len(result.results):
        raise IncompleteListError(f"the server sent {len(result.results):,} of {result.total_groups:,} groups")
    return result.results


async def parts_of_bucket(
    transport: Transport,
    bucket: str,
    query: ObjectQuery,
    progress: Progress,
    count: int,
    min_objects: int,
    max_requests: int,
) -> list[Part[Object]]:
    """The parts of `bucket`; `Objects.parts` explains the arguments."""
    planner = Planner(
        count=int_between(1, MAX_PARTS)(count, "count"),
        min_objects=int_between(1)(min_objects, "min_objects"),
        max_requests=int_between(1)(max_requests, "max_requests"),
        # An aggregation takes no search.
        can_group=query.search is None,
    )
    if query.sort is not None:
        raise InvalidArgumentError("parts are ranges of dates of creation: pass a query without sort")
    sent = progress.requests
    cut = await Counter(transport, bucket, query, progress).plan(planner)
    facts = printable(bucket), len(cut.slices), cut.how, progress.requests - sent
    transport.telemetry.log(logging.INFO, "%s: %d parts: %s (%d requests)", *facts)
    return [
        Part(
            bucket=bucket,
            query=narrowed(query, each.of),
            estimate=each.rows,
            index=index,
            count=len(cut.slices),
            namespace=transport.namespace,
            base_url=transport.base_url,
        )
        for index, each in enumerate(cut.slices)
    ]


@attrs.frozen
class Counter:
    """Answers the questions about the objects of `query`; the requests are counted in `progress`."""

    transport: Transport
    bucket: str
    query: ObjectQuery
    progress: Progress

    async def plan(self, planner: Planner) -> Cut:
        """Run `planner` to its end. Raises what a request raises, unless the server cannot answer such a question."""
        asking = planner.run()
        wave = next(asking)
        while True:
            answers = await _side_by_side([self._answer(question) for question in wave])
            try:
                wave = asking.send(answers)
            except StopIteration as end:
                cut: Cut = end.value
                return cut

    async def _answer(self, question: Question) -> Counted | Groups | None:
        return await (self._count(question) if isinstance(question, Count) else self._histogram(question))

    async def _count(self, question: Count) -> Counted | None:
        query = attrs.evolve(narrowed(self.query, question.of), sort=_ORDERS[question.edge])
        page = PageRequest(PageStart(), 1, include_total=True, ids_only=True)
        try:
            return await self.transport.call(list_objects(self.bucket, query).page(page), _counted, self.progress)
        except (BadRequestError, ValidationError):
            # If it refuses the plain query, a walk cannot succeed either. If it refuses ours, there is only no cut.
            if question == Count("all"):
                raise
            return None

    async def _histogram(self, question: Histogram) -> Groups | None:
        query = AggregateQuery(
            group_by=[{"field": "created_at", "date_trunc": question.unit}],
            metrics={"objects": "count"},
            filters=_all_of(self.query.filters, _any_of(question.spans)),
        )
        try:
            return _groups(await aggregate(self.transport, self.bucket, query, self.progress))
        except MixpeekError as error:
            # Not every server and every plan has it. What stops all requests stops the next count, which raises it.
            self.transport.telemetry.log(logging.INFO, "no histogram, so the parts are found by counts: %s", error)
            return None


def _counted(response: Response) -> Counted | None:
    page = parse_page(response, 1)
    total = page.pagination.total
    if total is None or total < 0:
        return None
    return Counted(total, row_date(page.rows[0]) if page.rows else None)


def _groups(rows: Sequence[AggregateRow]) -> Groups | None:
    """The histogram; None if it is not in the form that is published."""
    groups: list[tuple[Any, Any]] = [
        (_start(row.group.get("created_at", ...)), row.metrics.get("objects")) for row in rows
    ]
    is_published = all(start is not ... and isinstance(count, int) for start, count in groups)
    return groups if is_published else None


def _start(value: Any) -> Any:
    """The date of a group; None for objects without one; ... for what is no date."""
    try:
        date = None if value is None else datetime.fromisoformat(value)
        return date and (date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC))
    except (TypeError, ValueError, OverflowError):
        return ...


async def _side_by_side(calls: Sequence[Coroutine[Any, Any, R]]) -> list[R]:
    """Their results. The first error cancels the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
    else:
        return [task.result() for task in tasks]
    # Out here, the group is not chained to the error.
    raise failure
