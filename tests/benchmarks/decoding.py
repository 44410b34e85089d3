"""The CPU that a walk takes, for whoever walks."""

from benchmarks.child import run
from benchmarks.contestants import BARE, CONTESTANTS, OURS, present
from benchmarks.race import Results, median, race, ratio
from benchmarks.report import Bar, Chart, Table, times
from benchmarks.scale import Scale
from benchmarks.server import serving

__all__ = ["chart", "results", "table"]

_TARGETS = {OURS: "≤ 1.0 of the bare loop, aim 0.8; ≤ 0.125 of the official client"}


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
        raise RuntimeError(f"a contestant did not read every object: {seen}")
    return found


def table(results: Results, scale: Scale) -> Table:
    """CPU beside the bare loop's and the official client's, and the time for scale."""
    rows = [
        (
            name,
            times(ratio(results, name, BARE, "cpu")),
            times(ratio(results, name, "official client", "cpu")),
            f"{1000 * median(results, name, 'cpu') / scale.pages:.1f} ms" if name in results else "-",
            _TARGETS.get(name, ""),
        )
        for name in CONTESTANTS
    ]
    title = f"CPU of a walk over {scale.pages} pages of {scale.page:,} objects"
    return Table(title, ("who walks", "to the bare loop", "to the official client", "CPU a page", "target"), rows)


def chart(results: Results) -> Chart | None:
    """The CPU beside the bare loop's; None without one."""
    ratios = {name: ratio(results, name, BARE, "cpu") for name in results}
    bars = [Bar(name, value, name.startswith(OURS)) for name, value in ratios.items() if value is not None]
    return Chart("CPU of a walk, aiohttp + orjson = 1", bars, "") if bars else None
