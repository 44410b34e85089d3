"""The server of a random walk: what its list is like, how it answers, and how the list changes."""

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Literal, Protocol

import attrs
from support.bucket_server import (
    CURSOR_SHAPES,
    DROP,
    OFFSET_SHAPES,
    STALL,
    Bucket,
    Reply,
    Request,
    Row,
    Shape,
    date,
    error,
)

Order = Literal["oldest first", "newest first", "by rank"]
SORTS: dict[Order, str | None] = {"oldest first": None, "newest first": "-created_at", "by rank": "metadata.rank"}

MAX_BODY = 20_000
MAX_CHANGES = 60
MAX_CREATED = 80
MAX_FAULTS = 40


class Trace:
    """What happened, line by line, if a trace is wanted."""

    def __init__(self, *, on: bool = False) -> None:
        self.on = on
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        """Add a line."""
        if self.on:
            self.lines.append(line)


class Witness(Protocol):
    """Who has to be told which rows are gone, and knows where a walk stands."""

    @property
    def frontier(self) -> float:
        """The place of the last row, in the list's order, that has been dealt with."""
        ...

    @property
    def latest(self) -> list[Row]:
        """The rows that were dealt with last."""
        ...

    def lost(self, row: Row) -> None:
        """`row` is deleted."""
        ...


FAULTS: dict[str, Callable[[Reply], Reply]] = {
    "500": lambda _: error(500, "internal error"),
    "503": lambda _: error(503, "booting", Retry_After="2"),
    "429": lambda _: error(429, "slow down", Retry_After="5"),
    "429 for long": lambda _: error(429, "slow down", Retry_After="300"),
    "403": lambda _: error(403, "not now"),
    "drop": lambda _: DROP,
    "stall": lambda _: STALL,
    "cut": lambda reply: attrs.evolve(reply, cut=len(reply.body) // 2),
    "cut json": lambda reply: Reply(reply.body[: len(reply.body) // 2]),
    "html": lambda _: Reply(b"<html>"),
    "no list": lambda _: Reply(b"{}"),
}


class World:
    """A bucket drawn from `random`."""

    def __init__(self, random: Random, trace: Trace) -> None:
        self._random = random
        self._trace = trace
        self.witnesses: list[Witness] = []
        self.everything: dict[float, Row] = {}
        self.by_id: dict[str, Row] = {}
        self.ever_broken: set[float] = set()
        self.mended: set[float] = set()
        self.bad: Counter[str] = Counter()
        self.requests = 0
        self.overrun = False
        self._next_id = 0
        self._changes = self._created = 0
        self._draw()
        self.attempts = random.choice([1, 2, 5, 5]) if not self.heavy else random.choice([2, 5])
        self.owed = 0
        self.max_requests = 1_000 + 40 * len(self.bucket.rows)
        trace.note(f"WORLD {self}")

    def __repr__(self) -> str:
        bucket = self.bucket
        facts = {
            "rows": len(bucket.rows),
            "order": self.order,
            "dates": self.dates,
            "shape": bucket.shape,
            "deployment": self.deployment,
            "cursors": bucket.cursors,
            "most": self.clamps,
            "eager": bucket.eager,
            "hides": self.hides,
            "static": self.static,
            "change before a request": self.live,
            "max weight": f"{bucket.max_weight} ({self.heavy_answer})" if self.heavy else None,
            "malformed": sum(row.broken for row in bucket.rows),
            "faults": f"{self.fault_rate} of {self.faults}" if self.faults else None,
            "cursors expire": self.expires,
            "slow": self.slow,
        }
        return ", ".join(f"{name}: {value}" for name, value in facts.items() if value not in (None, False, 0))

    # What it is like

    def _draw(self) -> None:
        random = self._random
        count = random.choices(
            [random.randint(0, 60), random.randint(60, 200), random.randint(1000, 3000), random.randint(9_900, 11_300)],
            [3000, 300, 10, 1],
        )[0]
        self.large = count > 200
        self.order: Order = random.choices(["oldest first", "newest first", "by rank"], [5, 4, 2])[0]  # type: ignore[assignment]  # one of them
        self.dates = random.choice(["rising", "rising", "rising", "grouped", "equal", "none", "some"])
        self._draw_paging()
        self._draw_rows(count)
        self._draw_trouble()

    def _draw_paging(self) -> None:
        random = self._random
        kind = random.choices(["offset", "cursor", "switch", "rolling", "forgets"], [40, 36, 10, 11, 3])[0]
        shape: Shape = random.choice(OFFSET_SHAPES if kind == "offset" else CURSOR_SHAPES)
        self.kind = kind
        self.later: Shape | None = None
        self.switch_at = random.randint(2, 12)
        self.rolling_until = self.switch_at + random.randint(1, 20)
        if kind == "switch":
            shape = random.choice(OFFSET_SHAPES + CURSOR_SHAPES)
            self.later = random.choice(CURSOR_SHAPES if shape in CURSOR_SHAPES else OFFSET_SHAPES + CURSOR_SHAPES)
        elif kind in ("rolling", "forgets"):
            self.later = random.choice(["A", "B"])
        self.shapes = {shape, self.later or shape}
        self.deployment = f"{kind} at {self.switch_at} to {self.later}" if self.later else None
        cursors: Literal["keyset", "offset"] = "offset" if kind != "offset" and random.random() < 0.25 else "keyset"
        # Where nothing else says so, an empty page is the end, whatever was filtered out of it.
        self.hides = random.random() < 0.12 and not self.shapes & {"N", "C dropped"}
        self.static = random.random() < 0.15 or (self.hides and kind != "cursor")
        # One row a page leaves no room for a row to check the place by.
        least = 1 if self.static else 2
        self.clamps: list[int] = random.choices(
            [[], [random.randint(least, 12)], [random.randint(least, 20) for _ in range(5)]], [60, 25, 15]
        )[0]
        if self.hides and kind != "cursor":
            # How far an empty page by offset reaches is not known where the limit is not kept to.
            self.clamps = []
        if "N" in self.shapes:
            # A limit that drops to just the known rows of a page looks like the end, where nothing else tells.
            self.clamps = self.clamps[:1]
        if self.large:
            self.clamps = [clamp * 50 for clamp in self.clamps]
        self.bucket = Bucket([], shape, cursors=cursors, eager=random.random() < 0.15)
        # What a cursor that is an offset leads past is gone for good, and so is what moves up over an empty page:
        # no client can know.
        self.may_delete = not self.static and cursors == "keyset" and not self.hides
        # What is created in front pushes known rows behind a cursor that is an offset.
        self.slides = cursors == "offset" and self.order != "oldest first"
        self.live = 0.0 if self.static else random.choice([0.0, 0.0, 0.15, 0.4])

    def _draw_rows(self, count: int) -> None:
        for _ in range(count):
            self.bucket.rows.append(self._new_row(len(self.bucket.rows)))
        if self.hides:
            # A hundred empty pages in a row are an error by the rules.
            run = 0
            for row in self.bucket.rows:
                row.hidden = run < 80 and self._random.random() < (0.85 if run else 0.2)
                run = run + 1 if row.hidden else 0

    def _draw_trouble(self) -> None:
        random, bucket = self._random, self.bucket
        # A row that a list filtered after paging shows has no offset by which it could be fetched alone.
        self.heavy = not self.large and random.random() < 0.15 and not self.hides
        self.heavy_answer = random.choice(["413", "500", "body"])
        if self.heavy:
            bucket.max_weight = random.randint(3, 10)
            bucket.too_heavy = 500 if self.heavy_answer == "500" else 413
            for row in bucket.rows:
                row.weight = random.randint(2, bucket.max_weight) if random.random() < 0.1 else 1
            for row in random.sample(bucket.rows, min(len(bucket.rows), random.randint(0, 3))):
                row.weight = bucket.max_weight + 1
        malformed = random.choices([0.0, 0.05, 0.4], [7, 2, 1])[0]
        for row in bucket.rows:
            if random.random() < malformed:
                self._break(row)
        if bucket.rows and malformed and random.random() < 0.5:
            self._break(bucket.rows[0])
        self.faults = random.sample(list(FAULTS), 3) if random.random() < 0.35 else []
        self.fault_rate = random.choice([0.05, 0.2])
        self.slow = random.random() < 0.3
        self.expires = random.random() < 0.03
        self._expired = False

    def _break(self, row: Row) -> None:
        row.broken = True
        self.ever_broken.add(row.place)
        # A row that no page shows cannot be told by its id either.
        if not self.heavy and self._random.random() < 0.3:
            row.id = None
        row.serialize()

    def _new_row(self, index: int) -> Row:
        """A row for this index of the list."""
        rows = self.bucket.rows
        # No place is taken twice, not even when its row is gone.
        if index == len(rows):
            place = max(self.everything, default=-1.0) + 1
        elif index == 0:
            place = min(self.everything) - 1
        else:
            place = self._random.uniform(rows[index - 1].place, rows[index].place)
        self._next_id += 1
        row = Row(f"o{self._next_id}", place, self._date_at(place))
        self.everything[place] = row
        self.by_id[f"o{self._next_id}"] = row
        return row

    def _date_at(self, place: float) -> str | None:
        second = int(100_000 + place) if self.order == "oldest first" else int(100_000 - place)
        if self.order == "by rank":
            second = self._random.randrange(100)
        match self.dates:
            case "none":
                return None
            case "some":
                return date(second) if self._random.random() < 0.7 else None
            case "grouped":
                return date(second // 4)
            case "equal":
                return date(0)
            case _:
                return date(second)

    @property
    def dates_decide(self) -> bool:
        """Whether each row's place is known by its date alone."""
        return self.order == "oldest first" and self.dates == "rising"

    @property
    def most_rows(self) -> int:
        """How many rows there can have been at once."""
        return len(self.everything)

    # How it changes

    def change(self, random: Random, witness: Witness) -> None:
        """Have something happen to the list, near to where `witness` stands or anywhere."""
        if self.static or self._changes >= MAX_CHANGES:
            return
        self._changes += 1
        kinds = ["create", "mend"] + ["one", "block", "before", "latest", "all before", "malformed"] * self.may_delete
        kind = random.choices(kinds, [4, 1, 2, 2, 2, 2, 0.4, 0.5][: len(kinds)])[0]
        if kind == "create":
            self.create(random, random.choice([1, 1, 2, 5, 20]))
        elif kind == "mend":
            self.mend(random)
        else:
            self.delete(self._choose(kind, random, witness), kind)

    def _choose(self, kind: str, random: Random, witness: Witness) -> list[Row]:
        rows = self.bucket.rows
        before = [row for row in rows if row.place <= witness.frontier]
        match kind:
            case "one":
                return random.sample(rows, min(len(rows), 1))
            case "block":
                start = random.randint(0, len(rows))
                return rows[start : start + random.choice([2, 5, 10, 30])]
            case "before":
                return random.sample(before, min(len(before), random.choice([1, 2, 5, 10])))
            case "latest":
                return witness.latest[-random.choice([1, 1, 2, 5]) :]
            case "all before":
                return before
            case _:
                return [row for row in rows if row.broken][:1]

    def delete(self, rows: list[Row], why: str) -> None:
        """Take `rows` out of the list."""
        gone = {row.place for row in rows}
        there = [row for row in self.bucket.rows if row.place in gone]
        if there:
            self._trace.note(f"  delete {why}: {_names(there)}")
        self.bucket.rows = [row for row in self.bucket.rows if row.place not in gone]
        for row in there:
            for witness in self.witnesses:
                witness.lost(row)

    def create(self, random: Random, count: int) -> None:
        """Create rows: at the end, in front, or anywhere, by the order of the list."""
        rows = self.bucket.rows
        made = []
        for _ in range(min(count, MAX_CREATED - self._created)):
            self._created += 1
            places = {"oldest first": len(rows), "newest first": 0, "by rank": random.randint(0, len(rows))}
            row = self._new_row(places[self.order])
            rows.insert(places[self.order], row)
            made.append(row)
        if made:
            self._trace.note(f"  create: {_names(made)}, of {len(rows)}")

    def mend(self, random: Random) -> None:
        """Correct a malformed row."""
        broken = [row for row in self.bucket.rows if row.broken]
        if broken:
            row = random.choice(broken)
            row.mend()
            self.mended.add(row.place)
            self.by_id[row.id or ""] = row
            self._trace.note(f"  mend {row.id}")

    # How it answers

    def answer(self, request: Request) -> Reply:
        """The reply to a request."""
        self.requests += 1
        if self.requests > self.max_requests:
            self.overrun = True
            return error(403, "too many requests for a walk over so few rows")
        if self.witnesses and self._random.random() < self.live:
            self.change(self._random, self._random.choice(self.witnesses))
        if self.clamps:
            self.bucket.most = self._random.choice(self.clamps)
        reply, remark = self._spoil(self._page(request))
        self._describe(request, reply, remark)
        if self.slow and reply.status > 0:
            return attrs.evolve(reply, delay=self._random.random() * 3)
        return reply

    def _page(self, request: Request) -> Reply:
        expired, self._expired = self._expired and request.cursor is not None, False
        if expired:
            self.bad["expired"] += 1
            return error(400, "the cursor has expired")
        later = self.later
        if later is not None and self.requests >= self.switch_at:
            if self.kind == "switch":
                self.bucket.shape = later
            elif self.kind == "forgets" or (self.requests < self.rolling_until and self._random.random() < 0.6):
                return self._of_an_older_server(request, later)
        return self.bucket.answer(request)

    def expire(self) -> None:
        """Some time has passed before a resume: its cursor may be too old."""
        self._expired = self.expires and len(self.witnesses) == 1 and self._random.random() < 0.3

    def _of_an_older_server(self, request: Request, shape: Shape) -> Reply:
        if request.cursor is not None:
            self.bad["forgotten cursor"] += 1
        limit = min(request.limit, self.bucket.most)
        return self.bucket.page(attrs.evolve(request, cursor=None), request.offset, limit, shape)

    def _spoil(self, reply: Reply) -> tuple[Reply, str]:
        if reply.status in (413, 500):
            self.bad["heavy"] += 1
            if self.heavy_answer == "body":
                reply = Reply(b" " * (MAX_BODY + 1))
        if self.faults and sum(self.bad.values()) < MAX_FAULTS and self._random.random() < self.fault_rate:
            fault = self._random.choice(self.faults)
            self.bad[fault] += 1
            return FAULTS[fault](reply), fault
        return reply, "too heavy" if len(reply.body) > MAX_BODY and self.heavy else ""

    def _describe(self, request: Request, reply: Reply, remark: str) -> None:
        if not self._trace.on:
            return
        asked = f"cursor={request.cursor}" if request.cursor else f"offset={request.offset}"
        only = " ids only" if request.ids_only else ""
        self._trace.note(
            f"    #{self.requests} {asked} limit={request.limit}{only} -> {reply.status} {remark or short(reply.body)}"
        )


def _names(rows: list[Row]) -> str:
    return " ".join(row.id or f"@{row.place}" for row in rows)


def short(body: bytes) -> str:
    """The ids of a page, and what it says of the end."""
    try:
        page: dict[str, Any] = json.loads(body)
        ids = [row.get("object_id", "?") for row in page["results"]]
    except (ValueError, KeyError):
        return body[:60].decode("utf-8", "replace")
    shown = " ".join(ids if len(ids) < 12 else [*ids[:5], f"…{len(ids)}…", *ids[-5:]])
    return f"[{shown}] {json.dumps(page['pagination'])}"
