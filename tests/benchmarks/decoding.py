"""The CPU that a walk takes, for whoever walks, in a process that does nothing else."""

from benchmarks.child import run
from benchmarks.contestants import BARE, CONTESTANTS, OURS, OURS_ARROW, OURS_EVERY_FIELD, present
from benchmarks.race import Results, median, minimum, race, ratio, ratio_of_minima
from benchmarks.report import Bar, Chart, Table, times
from benchmarks.scale import Scale
from benchmarks.server import serving

__all__ = ["chart", "results", "table"]

_TARGETS = {OURS: "≤ 0.80; official client ≥ 22 times ours", OURS_EVERY_FIELD: "≤ 1.0", OURS_ARROW: "≤ 0.5"}


def results(scale: Scale) -> Results:
    """Every contestant that is installed over the same pages; RuntimeError when one misses an object."""
    warm_up, bucket = f"cursor-1x{scale.page}", f"cursor-{scale.pages}x{scale.page}"
    with serving(warm_up, bucket) as site:
        found = race(
            present(heavy=scale.heavy),
            scale.rounds,
            lambda name: run("contestants:measure", name, site.url, warm_up, bucket),
        )
    seen = {name: {result["objects"] for result in results} for name, results in found.items()}
    if any(objects != {scale.pages * scale.page} for objects in seen.values()):
        raise RuntimeError(f"a contestant did not see every object: {seen}")
    return found


def table(results: Results, scale: Scale) -> Table:
    """CPU beside that of the dicts with the same fields and beside ours; the time and the page faults of a page."""
    rows = [
        (
            name,
            times(ratio(results, name, contestant.yardstick, "cpu")),
            times(ratio_of_minima(results, name, contestant.yardstick, "cpu")),
            times(ratio(results, name, OURS, "cpu")),
            *_of_a_page(results, name, scale.pages),
            _TARGETS.get(name, ""),
        )
        for name, contestant in CONTESTANTS.items()
    ]
    title = f"CPU of a walk over {scale.pages} pages of {scale.page:,} objects"
    columns = (
        "who walks",
        "to dicts with the same fields, medians",
        "minima",
        f"to {OURS}, medians",
        "CPU a page, median",
        "least",
        "page faults a page",
        "target",
    )
    return Table(title, columns, rows)


def _of_a_page(results: Results, name: str, pages: int) -> tuple[str, str, str]:
    if name not in results:
        return "-", "-", "-"
    cpu = [f"{1000 * of(results, name, 'cpu') / pages:.1f} ms" for of in (median, minimum)]
    return cpu[0], cpu[1], f"{median(results, name, 'faults') / pages:.0f}"


def chart(results: Results) -> Chart | None:
    """The CPU beside the bare loop's; None without one."""
    ratios = {name: ratio(results, name, BARE, "cpu") for name in results}
    bars = [Bar(name, value, name.startswith(OURS)) for name, value in ratios.items() if value is not None]
    return Chart("CPU of a walk, aiohttp + orjson = 1", bars, "") if bars else None
