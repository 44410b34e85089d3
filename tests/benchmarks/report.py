"""Tables in Markdown, a chart in SVG, and their way into the docs."""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

import attrs

__all__ = ["Bar", "Chart", "Table", "into_page", "svg", "times"]

_MEASURED: Final = re.compile(r"(?<=<!-- measured -->\n).*(?=<!-- /measured -->)", re.DOTALL)
_LABELS, _BARS, _WIDTH = 240, 400, 740
_ROW, _TITLE, _GAP = 26, 34, 20
_STYLE: Final = """\
text { font: 13px system-ui, sans-serif; fill: #222 }
.title { font-weight: 600 }
.bar { fill: #a9b4c2 }
.ours { fill: #2f6fde }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .bar { fill: #5d6875 } .ours { fill: #6ea0ff } }"""


@attrs.frozen
class Table:
    """What was measured of one thing, ready to print."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table under its title."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return f"**{self.title}**\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


@attrs.frozen
class Bar:
    """One bar of a chart."""

    label: str
    value: float
    ours: bool = False


@attrs.frozen
class Chart:
    """Bars under a title; the shorter, the better. `unit` goes behind each value."""

    title: str
    bars: Sequence[Bar]
    unit: str

    @property
    def height(self) -> int:
        """In pixels."""
        return _TITLE + _ROW * len(self.bars) + _GAP


def times(value: float | None) -> str:
    """A ratio, or a dash where one side of it is missing."""
    return "-" if value is None else f"{value:.2f}"


def svg(charts: Sequence[Chart]) -> str:
    """The charts, one below the other, for light pages and dark ones."""
    parts, top = [], 0
    for chart in charts:
        parts.append(f'<text class="title" x="0" y="{top + 18}">{escape(chart.title)}</text>')
        longest = max(bar.value for bar in chart.bars)
        for row, bar in enumerate(chart.bars):
            y = top + _TITLE + _ROW * row
            length = max(1, round(_BARS * bar.value / longest))
            kind = "ours" if bar.ours else "bar"
            parts += [
                f'<text x="{_LABELS - 8}" y="{y + 14}" text-anchor="end">{escape(bar.label)}</text>',
                f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{length}" height="{_ROW - 7}"/>',
                f'<text x="{_LABELS + length + 6}" y="{y + 14}">{bar.value:.2f}{escape(chart.unit)}</text>',
            ]
        top += chart.height
    size = f'width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}"'
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">', f"<style>{_STYLE}</style>", *parts, "</svg>\n"]
    )


def into_page(page: Path, text: str) -> None:
    """Put `text` between the marks that the page has for it."""
    page.write_text(_MEASURED.sub(lambda _: f"\n{text}\n", page.read_text("utf-8")), "utf-8")
