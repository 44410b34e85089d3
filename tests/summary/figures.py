"""Summaries to show: a plain one, and one whose names attack the page."""

from datetime import date, timedelta

from mixpeek_async import Breakdown, Summary

__all__ = ["HOSTILE_NAME", "hostile", "plain"]

HOSTILE_NAME = "<script>document.title='pwned'</script>\"'><img src=x onerror=alert(1)>&lt;\u202e\x1b[31m"


def plain() -> Summary:
    """A bucket as there may be many."""
    months = [date(2024 + number // 12, number % 12 + 1, 1) for number in range(18)]
    return Summary(
        objects=1_710,
        statuses=Breakdown({"COMPLETED": 1_700, "COMPLETED_WITH_ERRORS": 9, None: 1}, "server"),
        blob_types=Breakdown({"video": 900, "image": 200}, "server"),
        mime_types=Breakdown({"video/mp4": 900, "image/jpeg": 200}, "server"),
        sizes=Breakdown({"≤ 64 KiB": 200, "≤ 1 MiB": 900}, "walk"),
        created=Breakdown({**{month: 10 * number for number, month in enumerate(months, 11)}, None: 3}, "server"),
        created_by="month",
    )


def hostile() -> Summary:
    """Names that would run or break the page, more of them and longer ones than a page can hold."""
    names: dict[str | None, int] = {f"{number}{HOSTILE_NAME}" * 50: 1 for number in range(500)}
    years: dict[date | None, int] = {date(1, 1, 1) + timedelta(days=366 * number): number for number in range(9_000)}
    return Summary(
        objects=500,
        statuses=Breakdown(names, "server"),
        blob_types=Breakdown(names, "server"),
        mime_types=Breakdown(names, "walk"),
        sizes=Breakdown({}, "walk"),
        created=Breakdown(years, "server"),
        created_by="year",
        changed=True,
        unreadable=7,
    )
