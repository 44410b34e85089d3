"""A summary as charts: rows with labels that are safe to show, few enough to be read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from mixpeek_async import Breakdown, Summary
from mixpeek_async.cli._text import printable

_MOST_ROWS = 20
_MOST_PERIODS = 120
_LONGEST_LABEL = 60

_SOURCES = {"server": "counted by the server", "walk": "counted by listing every object"}


@dataclass(frozen=True)
class Row:
    """One bar: its label and its number. `is_value` is False where the label is not a value of the server's."""

    label: str
    count: int
    is_value: bool = True


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One breakdown: `things` are what it counts, and `note` says who did. A timeline is in the order of time."""

    title: str
    things: str
    note: str
    rows: Sequence[Row]
    is_timeline: bool = False

    @property
    def total(self) -> int:
        """The sum of all rows."""
        return sum(row.count for row in self.rows)

    @property
    def largest(self) -> int:
        """The number of the longest bar, at least 1."""
        return max([1, *(row.count for row in self.rows)])

    def share(self, row: Row) -> str:
        """The part of the total that a row is."""
        share = row.count / max(self.total, 1)
        return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def charts(summary: Summary) -> list[Chart]:
    """The charts of a summary: the timeline first."""
    created = summary.created
    return [
        Chart(
            title=f"Created, by {summary.created_by}",
            things="objects",
            note=_SOURCES[created.source],
            rows=_periods(created.counts, summary.created_by),
            is_timeline=True,
        ),
        _chart("Status", "objects", summary.statuses, "no status"),
        _chart("Type", "blobs", summary.blob_types, "no type"),
        _chart("MIME type", "blobs", summary.mime_types, "no MIME type"),
        _chart("Size", "blobs", summary.sizes, "empty, or not known"),
    ]


def headline(summary: Summary) -> str:
    """The number of objects, and what to know before reading the rest."""
    parts = [f"{summary.objects:,} {'object' if summary.objects == 1 else 'objects'}"]
    if summary.unreadable:
        parts.append(f"{summary.unreadable:,} more that cannot be read")
    if summary.changed:
        parts.append("the bucket changed meanwhile, so that the sums may differ")
    return "; ".join(parts)


def _chart(title: str, things: str, breakdown: Breakdown[str], missing: str) -> Chart:
    rows = [_row(value, count, missing) for value, count in breakdown.counts.items()]
    if len(rows) > _MOST_ROWS:
        rest = rows[_MOST_ROWS:]
        rows[_MOST_ROWS:] = [Row(f"{len(rest):,} others", sum(row.count for row in rest), is_value=False)]
    return Chart(title=title, things=things, note=_SOURCES[breakdown.source], rows=rows)


def _row(value: str | None, count: int, missing: str) -> Row:
    if value is None:
        return Row(missing, count, is_value=False)
    label = printable(value)
    return Row(label if len(label) <= _LONGEST_LABEL else f"{label[:_LONGEST_LABEL]}…", count)


def _periods(counts: Mapping[date | None, int], unit: str) -> list[Row]:
    dated = [(day, count) for day, count in counts.items() if day is not None]
    rows = [Row(_period(day, unit), count) for day, count in dated[-_MOST_PERIODS:]]
    return [*_sum_of("earlier", dated[:-_MOST_PERIODS]), *rows, *_sum_of("no date", [(None, counts.get(None, 0))])]


def _sum_of(label: str, counts: Iterable[tuple[object, int]]) -> list[Row]:
    """One row for all these counts; none if they are zero."""
    total = sum(count for _, count in counts)
    return [Row(label, total, is_value=False)] if total else []


def _period(start: date, unit: str) -> str:
    text = start.isoformat()
    return {"month": text[:7], "year": text[:4]}.get(unit, text)
