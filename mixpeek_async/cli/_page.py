"""A summary as one HTML page: no script, nothing from elsewhere, and every text of the server's escaped.

The rows of a chart are those of a table, so that readers without the bars have the numbers. Sizes are in the page's own
units: the bars stretch with the window, and the texts do not.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from html import escape

from mixpeek_async import Summary
from mixpeek_async.cli._charts import Chart, Row, charts, headline
from mixpeek_async.cli._text import printable

# A single day would be a wall, not a column.
_FEWEST_SLOTS = 14
_HEIGHT = 100

_STYLE = """
:root { color-scheme: light dark; --paper: #fbfbf9; --card: #fff; --ink: #1d2126; --soft: #5d6673; --line: #e2e4e0;
  --bar: #2f6fb5; --track: #eef1f4; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --card: #1c2025; --ink: #e8eaed; --soft: #9aa4b1;
  --line: #2d333a; --bar: #6ea8e5; --track: #262c33; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 2.5rem) 3rem; }
h1 { margin: 0; font-size: clamp(1.5rem, 4vw, 2.25rem); line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 1.05rem; }
p { margin: .35rem 0 0; color: var(--soft); }
.lead { font-size: 1.1rem; color: var(--ink); }
.note { margin: .1rem 0 .9rem; font-size: .85rem; }
.charts { display: grid; gap: 1.25rem; margin-top: 1.75rem; grid-template-columns: repeat(12, minmax(0, 1fr));
  align-items: start; }
section { grid-column: span 6; padding: 1.1rem 1.25rem 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; min-width: 0; }
section.wide { grid-column: 1 / -1; }
@media (max-width: 50rem) { section { grid-column: 1 / -1; } }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
th, td { padding: .22rem 0; text-align: left; font-weight: 400; vertical-align: middle; }
th { width: 36%; padding-right: .75rem; overflow-wrap: anywhere; line-height: 1.3; }
td.bar { padding-right: .75rem; }
td.number { width: 1%; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.share { padding-left: .75rem; color: var(--soft); }
svg { display: block; width: 100%; fill: var(--bar); }
td svg { height: .8rem; background: var(--track); border-radius: .15rem; }
.timeline { min-width: min(100%, 14rem); }
.columns { height: 11rem; border-bottom: 1px solid var(--soft); }
.scale { display: flex; justify-content: space-between; font-size: .85rem; color: var(--soft);
  font-variant-numeric: tabular-nums; }
.other { font-style: italic; color: var(--soft); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
details { margin-top: .9rem; font-size: .92rem; }
summary { cursor: pointer; color: var(--soft); }
details table { margin-top: .5rem; max-width: 36rem; }
footer { margin-top: 1.5rem; font-size: .85rem; color: var(--soft); }
"""


def page(bucket: str, summary: Summary, now: datetime) -> str:
    """The page. `now` is when the figures were made, in UTC."""
    name = escape(printable(bucket))
    sections = "\n".join(_timeline(chart) if chart.is_timeline else _bars(chart) for chart in charts(summary))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{name}: summary</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p class="lead">{escape(headline(summary))}</p>
<div class="charts">
{sections}
</div>
<footer>Made by mixpeek-async, {now:%Y-%m-%d %H:%M} UTC. Dates are in UTC.</footer>
</main>
</body>
</html>
"""


def _section(chart: Chart, body: str) -> str:
    wide = ' class="wide"' if chart.is_timeline else ""
    return f"""<section{wide}>
<h2>{escape(chart.title)}</h2>
<p class="note">{chart.total:,} {chart.things}, {chart.note}</p>
{body if chart.rows else "<p>None.</p>"}
</section>"""


def _bars(chart: Chart) -> str:
    """A table with a bar in each row."""
    return _section(chart, _table(chart, with_bars=True))


def _table(chart: Chart, *, with_bars: bool) -> str:
    heads = ["value", *(["bar"] if with_bars else []), chart.things, "share"]
    # Sighted readers need no heads; the bar says nothing that the number does not say.
    head = "".join(f'<th scope="col">{text}</th>' for text in heads if text != "bar")
    if with_bars:
        head = head.replace("</th>", '</th><td aria-hidden="true"></td>', 1)
    rows = "\n".join(_table_row(chart, row, with_bars=with_bars) for row in chart.rows)
    return f"""<table>
<caption class="hidden">{escape(chart.title)}</caption>
<thead class="hidden"><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>"""


def _table_row(chart: Chart, row: Row, *, with_bars: bool) -> str:
    width = 100 * row.count / chart.largest
    bar = f'<svg viewBox="0 0 100 1" preserveAspectRatio="none"><rect width="{width:.2f}" height="1"/></svg>'
    cell = f'<td class="bar" aria-hidden="true">{bar}</td>' if with_bars else ""
    return (
        f'<tr><th scope="row"{_class(row)}>{_breakable(row.label)}</th>{cell}'
        f'<td class="number">{row.count:,}</td><td class="number share">{chart.share(row)}</td></tr>'
    )


def _breakable(label: str) -> str:
    """The label, which a narrow column breaks behind these characters, and not in the middle of a word."""
    return re.sub("([_/.-])", r"\1<wbr>", escape(label))


def _class(row: Row) -> str:
    return "" if row.is_value else ' class="other"'


def _timeline(chart: Chart) -> str:
    """Columns from left to right, and the numbers in a table that can be opened."""
    if not chart.rows:
        return _section(chart, "")
    periods = [row for row in chart.rows if row.is_value]
    others = [f"{row.label}: {row.count:,}" for row in chart.rows if not row.is_value]
    columns = _columns(chart.title, periods) if periods else ""
    beside = f'<p class="note">Not in the columns: {escape(", ".join(others))}</p>' if others else ""
    body = f"""{columns}{beside}<details><summary>Numbers</summary>
{_table(chart, with_bars=False)}
</details>"""
    return _section(chart, body)


def _columns(title: str, rows: Sequence[Row]) -> str:
    largest = max(1, *(row.count for row in rows))
    columns = "".join(_column(index, row, largest) for index, row in enumerate(rows))
    # The first, the last, and the one in the middle if there is one.
    shown = sorted({0, len(rows) - 1} | ({len(rows) // 2} if len(rows) % 2 else set()))
    labels = "".join(f"<span>{escape(rows[index].label)}</span>" for index in shown)
    width = 100 * min(1, len(rows) / _FEWEST_SLOTS)
    return f"""<div class="timeline" style="width: {width:.0f}%">
<div class="scale">up to {largest:,}</div>
<svg class="columns" viewBox="0 0 {len(rows)} {_HEIGHT}" preserveAspectRatio="none" role="img"
 aria-labelledby="timeline-title timeline-text">
<title id="timeline-title">{escape(title)}</title>
<desc id="timeline-text">{_described(rows)}</desc>
{columns}</svg>
<div class="scale">{labels}</div>
</div>
"""


def _column(index: int, row: Row, largest: int) -> str:
    height = _HEIGHT * row.count / largest
    # What is not zero shall be seen.
    height = max(height, 0.7) if row.count else 0.0
    return (
        f'<rect x="{index + 0.1:.1f}" y="{_HEIGHT - height:.2f}" width="0.8" height="{height:.2f}">'
        f"<title>{escape(row.label)}: {row.count:,}</title></rect>\n"
    )


def _described(rows: Sequence[Row]) -> str:
    most = max(rows, key=lambda row: row.count)
    return (
        f"{len(rows):,} columns from {escape(rows[0].label)} to {escape(rows[-1].label)}; "
        f"the highest is {escape(most.label)} with {most.count:,}. The table below has all numbers."
    )
