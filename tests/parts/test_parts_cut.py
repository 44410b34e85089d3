"""The planner of parts, on a bucket in memory. PARTS in the environment is how many random buckets it cuts."""

import os
import random
from collections import Counter as Tally
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import attrs
import pytest
from model_bucket import ModelBucket, Thing, contains, plan, random_bucket

from mixpeek_async._cut import Cut, Planner, Slice, Span

PARTS = int(os.environ.get("PARTS", "400"))
_SHARDS = 8
MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@attrs.frozen
class Case:
    """One random bucket, and how it was cut."""

    bucket: ModelBucket
    planner: Planner
    before: list[Thing]
    cut: Cut

    @property
    def is_still(self) -> bool:
        return self.bucket.change is None

    def rows(self, of: Slice) -> int:
        return sum(contains(of.of, thing) for thing in self.before)


def cut_randomly(seed: int) -> Case:
    draw = random.Random(seed)
    bucket = random_bucket(draw)
    planner = Planner(
        count=draw.choice([1, 2, 3, 8, 64]),
        min_objects=draw.choice([1, 2, 10, 100]),
        max_requests=draw.choice([1, 4, 5, 10, 64, 10_000, 10_000]),
        can_group=draw.random() < 0.8,
    )
    asked = attrs.evolve(planner)
    before = list(bucket.things)
    return Case(bucket, asked, before, plan(bucket, planner))


def check_complete_and_disjoint(case: Case) -> None:
    throughout = [thing for thing in case.before if thing in set(case.bucket.things)]
    for thing in throughout:
        assert sum(contains(each.of, thing) for each in case.cut.slices) == 1
    spans = [each.of for each in case.cut.slices if isinstance(each.of, Span)]
    if spans:
        assert spans[0].start is None
        assert spans[-1].end is None
        assert all(one.end == next_.start is not None for one, next_ in pairwise(spans))
        assert all(one.start < one.end for one in spans[1:-1])  # type: ignore[operator]  # neither is None
        assert [each.of for each in case.cut.slices[: -len(spans)]] in ([], ["undated"])
    else:
        assert [each.of for each in case.cut.slices] == ["all"]


def check_cost(case: Case) -> None:
    assert len(case.bucket.questions) <= case.planner.max_requests
    assert len(case.cut.slices) <= case.planner.count + (case.cut.slices[0].of == "undated")


def check_estimates(case: Case) -> None:
    if case.is_still and not case.bucket.zone:
        assert [each.rows for each in case.cut.slices] in (
            [case.rows(each) for each in case.cut.slices],
            # A server that does not count.
            [None],
        )


def check_balance(case: Case) -> None:
    server, dates = case.bucket, [thing.date for thing in case.before if thing.date is not None]
    is_fair = case.is_still and server.counts and server.sorts and not server.hides and not server.zone
    parts = min(case.planner.count, len(dates) // case.planner.min_objects)
    if not is_fair or case.planner.max_requests < 10_000 or parts < 2:
        return
    ideal = len(dates) / parts
    largest_instant = max(Tally(dates).values())
    for each in case.cut.slices:
        if each.of != "undated":
            assert case.rows(each) <= ideal + max(ideal, largest_instant) or each.of == "all"
    if largest_instant <= ideal:
        assert case.cut.slices[0].of != "all"


@pytest.mark.parametrize("shard", range(_SHARDS))
def test_random_buckets_are_cut_into_complete_disjoint_and_balanced_parts(shard: int) -> None:
    for seed in range(shard, PARTS, _SHARDS):
        case = cut_randomly(seed)
        try:
            check_complete_and_disjoint(case)
            check_cost(case)
            check_estimates(case)
            check_balance(case)
        except AssertionError as error:
            error.add_note(f"seed {seed}: {case.planner}, {case.cut}")
            raise
