"""How much is walked, how often."""

import attrs

__all__ = ["FULL", "QUICK", "TINY", "Scale"]


@attrs.frozen(kw_only=True)
class Scale:
    """Sizes of the measurements.

    `page` is the rows of a big page, `small_page` of a small one; `slow_pages` and `few_pages` are how many are
    walked where each takes its time. `pair_rounds` is how often ours is measured beside dicts alone, `live` how many
    objects live in a process that is not quiet.
    """

    rounds: int
    pages: int
    page: int
    slow_rounds: int
    slow_pages: int
    few_pages: tuple[int, ...]
    small_page: int
    latency: float
    memory_pages: tuple[int, int]
    walkers: int
    imports: int
    pair_rounds: int
    live: int
    instructions: bool = True
    heavy: bool = True


FULL = Scale(
    rounds=9,
    pages=20,
    page=1000,
    slow_rounds=3,
    slow_pages=100,
    few_pages=(1, 2, 3, 5),
    small_page=100,
    latency=0.1,
    memory_pages=(10, 1000),
    walkers=1000,
    imports=25,
    pair_rounds=9,
    live=1_000_000,
)
QUICK = attrs.evolve(FULL, rounds=3, slow_rounds=1, memory_pages=(10, 100), imports=5, pair_rounds=3)
TINY = Scale(
    rounds=1,
    pages=2,
    page=20,
    slow_rounds=1,
    slow_pages=3,
    few_pages=(),
    small_page=20,
    latency=0.01,
    memory_pages=(1, 2),
    walkers=5,
    imports=1,
    pair_rounds=1,
    live=1000,
    instructions=False,
    heavy=False,
)
"""For the test that all of this runs: what it measures says nothing."""
