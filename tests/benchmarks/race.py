"""Side by side: every contestant once a round, in turns, and the medians of what they have to each other."""

import statistics
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

__all__ = ["Results", "median", "minimum", "race", "ratio", "ratio_of_minima"]

Results: TypeAlias = dict[str, list[dict[str, Any]]]
"""What was measured of each contestant, round by round."""


def race(names: Iterable[str], rounds: int, measure: Callable[[str], dict[str, Any]]) -> Results:
    """Measure each of `names` in each round; who begins changes from round to round."""
    order = list(names)
    results: Results = {name: [] for name in order}
    for number in range(rounds):
        turn = number % len(order)
        for name in order[turn:] + order[:turn]:
            results[name].append(measure(name))
    return results


def ratio(results: Results, name: str, to: str, key: str) -> float | None:
    """The median over all rounds of what `name` took for each unit of `to`; None where one of them is missing."""
    if name not in results or to not in results:
        return None
    return _median(a[key] / b[key] for a, b in zip(results[name], results[to], strict=True))


def ratio_of_minima(results: Results, name: str, to: str, key: str) -> float | None:
    """The least that `name` took for each unit of the least that `to` took: what other processes add is left out."""
    if name not in results or to not in results:
        return None
    return minimum(results, name, key) / minimum(results, to, key)


def minimum(results: Results, name: str, key: str) -> float:
    """The least over all rounds of one measure."""
    least: float = min(result[key] for result in results[name])
    return least


def median(results: Results, name: str, key: str) -> float:
    """The median over all rounds of one measure."""
    return _median(result[key] for result in results[name])


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
