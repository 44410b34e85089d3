"""The CPU of our walk beside that of dicts, where circumstances change: the process, the Python, the pages."""

import subprocess
from collections.abc import Sequence

import attrs

from benchmarks.child import run
from benchmarks.contestants import BARE, BARE_EVERY_FIELD, OURS, OURS_EVERY_FIELD, OURS_PAGES, present
from benchmarks.race import Results, race, ratio, ratio_of_minima
from benchmarks.report import Table, times
from benchmarks.scale import Scale
from benchmarks.server import serving

__all__ = ["processes_table", "sizes_table"]

_PAIRS = {
    "three fields": (OURS, BARE),
    "every field": (OURS_EVERY_FIELD, BARE_EVERY_FIELD),
    "by pages": (OURS_PAGES, BARE),
}
# In a process with so much in it, the garbage collector's long rounds are rare: a walk must be long enough for some.
_TIMES_AS_LONG = 3


@attrs.frozen
class _Sizes:
    """What the pages of a walk hold. `target` is the most CPU to that of dicts."""

    title: str
    bucket: str
    pages: int
    target: str


def processes_table(scale: Scale, pythons: Sequence[str]) -> Table | None:
    """A quiet process and one in which a million other objects live, on each of `pythons`; None without dicts."""
    if BARE not in present():
        return None
    rows = []
    for python in pythons:
        version = _version(python)
        for title, live, longer in (("quiet", 0, 1), (f"{scale.live:,} live objects", scale.live, _TIMES_AS_LONG)):
            pages = scale.pages * longer
            bucket = f"cursor-{pages}x{scale.page}"
            found = _race(list(dict.fromkeys(sum(_PAIRS.values(), ()))), scale.pair_rounds, bucket, live, python)
            rows += [
                (f"{version}, {title}", what, *_ratios(found, pair), _targets(version, title).get(what, ""))
                for what, pair in _PAIRS.items()
            ]
    columns = ("process", "what is read", "CPU to that of dicts, medians", "minima", "target")
    return Table("CPU beside dicts with the same fields, by process and Python", columns, rows)


def _targets(version: str, process: str) -> dict[str, str]:
    if process != "quiet":
        return {"three fields": "≤ 0.50"}
    if version.split(".")[:2] == ["3", "11"]:
        return {"three fields": "≤ 0.80", "every field": "≤ 1.0"}
    return {"three fields": "≤ 1.15", "every field": "≤ 1.35"}


def sizes_table(scale: Scale) -> Table | None:
    """Pages of few objects, and objects that are small or large, three fields read; None without dicts."""
    if BARE not in present():
        return None
    rows = []
    for sizes in _sizes(scale):
        found = _race([OURS, BARE], scale.pair_rounds, sizes.bucket)
        least = min(result["cpu"] for result in found[OURS]) / sizes.pages
        rows.append((sizes.title, *_ratios(found, (OURS, BARE)), f"{1000 * least:.2f} ms", sizes.target))
    columns = ("pages", "CPU to that of dicts, medians", "minima", "least CPU a page", "target")
    return Table("CPU beside dicts, small pages and other objects", columns, rows)


def _sizes(scale: Scale) -> list[_Sizes]:
    pages, page = scale.pages, scale.page
    tenth, hundredth = max(1, page // 10), max(1, page // 100)
    return [
        _Sizes(f"{tenth} objects of 1 kB", f"cursor-{3 * pages}x{tenth}", 3 * pages, "≤ 1.3"),
        _Sizes(f"{hundredth} objects of 1 kB", f"cursor-{15 * pages}x{hundredth}", 15 * pages, "≤ 1.6"),
        _Sizes(f"{page:,} objects of 150 bytes", f"cursor-{3 * pages}x{page}-small", 3 * pages, "≤ 3.0"),
        _Sizes(f"{tenth} objects of 20 kB", f"cursor-{pages}x{tenth}-large", pages, ""),
    ]


def _race(names: list[str], rounds: int, bucket: str, live: int = 0, python: str | None = None) -> Results:
    warm_up = bucket.replace(bucket.split("-")[1].split("x")[0], "1", 1)
    options = {"python": python} if python else {}
    with serving(warm_up, bucket) as site:
        return race(
            names, rounds, lambda name: run("contestants:measure", name, site.url, warm_up, bucket, live, **options)
        )


def _ratios(found: Results, pair: tuple[str, str]) -> tuple[str, str]:
    return times(ratio(found, *pair, "cpu")), times(ratio_of_minima(found, *pair, "cpu"))


def _version(python: str) -> str:
    command = [python, "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
