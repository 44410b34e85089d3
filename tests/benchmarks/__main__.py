"""Measure everything, print the tables, and put them and the chart into the docs."""

import argparse
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import circumstances, decoding, holding, import_time, instructions, latency, memory, walkers
from benchmarks.contestants import CONTESTANTS, version
from benchmarks.report import Table, into_page, svg
from benchmarks.scale import FULL, QUICK, TINY, Scale

__all__ = ["main", "measure_all"]

_DOCS: Final = Path(__file__).parents[2] / "docs"
_SCALES: Final = {"full": FULL, "quick": QUICK, "tiny": TINY}


def main(arguments: list[str] | None = None) -> None:
    """`python -m benchmarks`, in the folder `tests`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scale", choices=_SCALES, default="full", help="how much is measured (default: full)")
    parser.add_argument(
        "--docs", type=Path, help=f"where to write (default: docs at scale full, else nowhere; {_DOCS})"
    )
    parser.add_argument(
        "--python", action="append", default=[], help="another Python, with the same packages, to compare on, too"
    )
    options = parser.parse_args(arguments)
    docs = options.docs or (_DOCS if options.scale == "full" else None)
    text, chart = measure_all(_SCALES[options.scale], [sys.executable, *options.python])
    if docs is not None:
        into_page(docs / "benchmarks.md", text)
        (docs / "benchmarks.svg").write_text(chart, "utf-8")


def measure_all(scale: Scale, pythons: Sequence[str]) -> tuple[str, str]:
    """All tables in Markdown, printed as they come, and the chart. All but one are of this Python, the first one."""
    parts: list[str] = []

    def tell(part: Table | str | None) -> None:
        if part is None:
            return
        parts.append(part if isinstance(part, str) else part.markdown())
        print(parts[-1], flush=True)

    tell(_circumstances(scale))
    walked = decoding.results(scale)
    tell(decoding.table(walked, scale))
    tell(circumstances.processes_table(scale, pythons))
    tell(circumstances.sizes_table(scale))
    tell(instructions.table(scale))
    tell(holding.table(scale))
    ahead, ahead_results = latency.read_ahead(scale)
    tell(ahead)
    wide, wide_results = latency.side_by_side(scale)
    tell(wide)
    tell(memory.table(scale))
    tell(walkers.table(scale))
    tell(import_time.table(scale))
    charts = [
        decoding.chart(walked),
        latency.read_ahead_chart(ahead_results),
        latency.side_by_side_chart(wide_results),
    ]
    return "\n".join(parts), svg([chart for chart in charts if chart is not None])


def _circumstances(scale: Scale) -> str:
    needs = sorted({name for contestant in CONTESTANTS.values() for name in contestant.needs})
    versions = ", ".join(f"{name} {version(name) or '(not installed)'}" for name in needs)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    rounds = f"{scale.rounds} rounds of the first tables, {scale.slow_rounds} of what takes longer"
    return f"{datetime.now(UTC):%Y-%m-%d}, {python}, {versions}; {rounds}.\n"


if __name__ == "__main__":
    main()
