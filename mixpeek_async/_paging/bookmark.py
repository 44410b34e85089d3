"""The place of a walk, and how it is written into a checkpoint.

    mpc2.<base64url of: 16 bytes of digest, then a MessagePack array>

A checkpoint holds where the next object is, and enough about the rows before it to find that place again after the
list has changed: the ids of the last rows as fingerprints, and the creation date of the last one. Bucket, namespace and
query are in it as fingerprints, so that another listing refuses it. It holds no API key and no other secret.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Final, NamedTuple, TypeAlias

import attrs
import msgspec

from mixpeek_async._options import PageStart
from mixpeek_async.errors import CheckpointError

ANCHORS: Final = 32
"""How many of the last rows a bookmark knows."""

_PREFIX = "mpc2."
_MAX_LENGTH = 128 * 1024  # A cursor may have 64 KiB. Longer input is rejected before it is decoded.
_MAX_OFFSET = 1 << 32
_MAX_INDEX = 2_000  # The longest page: 1,000 rows, and up to 1,000 more than were asked for.
_DIGEST = 16
_FINGERPRINT = 16

Anchor: TypeAlias = str | bytes
"""The id of a row; or its fingerprint, which is all that a checkpoint has of it."""

Digest = Callable[[bytes], bytes]
"""The digest of the array, which comes before it: with a key it is a signature."""

MALFORMED: Final = datetime.max.replace(tzinfo=UTC)
"""Stands for the date of a malformed row."""


class Scope(NamedTuple):
    """What a walk lists. A checkpoint of one scope is refused by every other."""

    bucket: str
    namespace: str
    query: str = ""


@attrs.frozen(kw_only=True)
class Bookmark:
    """A place in a list: `index` rows into the page at `start`. All rows before it were dealt with.

    `anchors` are the last of these rows, oldest first. `last_date` is the creation date of the very last one, and
    `same_date` the number of rows before the place that have this date (ANCHORS + 1 stands for more). `from_start`: the
    anchors are all rows that lie before the place. `first` is the fingerprint of the first row of the list, None if the
    walk has not seen it.
    """

    start: PageStart = attrs.field(factory=PageStart)
    index: int = 0
    anchors: tuple[Anchor, ...] = ()
    last_date: datetime | None = None
    same_date: int = 0
    from_start: bool = False
    first: bytes | None = None

    def after(
        self, start: PageStart, index: int, *, anchors: tuple[Anchor, ...], rows: int, dates: Iterable[datetime | None]
    ) -> "Bookmark":
        """The bookmark at `index` rows of the page at `start`, `rows` rows behind this one.

        `anchors` are its anchors. `dates` are the creation dates of the `rows` rows from the last one on backwards. No
        more of them are read than are needed.
        """
        last_date, same_date = self._count_same_date(iter(dates)) if rows else (self.last_date, self.same_date)
        from_start = self.from_start and len(self.anchors) + rows <= ANCHORS
        # Not by `attrs.evolve`, which takes longer: this runs once a page.
        return Bookmark(
            start=start,
            index=index,
            anchors=anchors,
            last_date=last_date,
            same_date=same_date,
            from_start=from_start,
            first=self.first,
        )

    def _count_same_date(self, backwards: Iterator[datetime | None]) -> tuple[datetime | None, int]:
        """The last date, and the number of rows before the place that have it."""
        dated = (date for date in backwards if date is not MALFORMED)
        last_date = next(dated, MALFORMED)
        if last_date is MALFORMED:
            return self.last_date, self.same_date
        if last_date is None:
            return None, 0
        same_date = 1
        for date in islice(dated, ANCHORS):
            if date != last_date:
                return last_date, same_date
            same_date += 1
        if last_date == self.last_date:
            same_date += self.same_date
        return last_date, min(same_date, ANCHORS + 1)

    def count_passed(
        self, dates: Iterable[datetime | None], *, newest_first: bool, no_anchors: bool = False
    ) -> int | None:
        """How many rows at the start of a page lie before the place, of a page that holds no anchor; None if unknown.

        Only dates can tell, and only where they agree with the order of the rows. `no_anchors`: no anchor exists any
        more.
        """
        rows = list(dates)
        passed = [self._is_passed(date, newest_first, no_anchors) for date in rows]
        count = max((index + 1 for index, is_passed in enumerate(passed) if is_passed), default=0)
        # A row without a date matters only right at the place: it may lie before it or behind it. A malformed row there
        # does no harm: it is reported, and at worst reported again.
        behind = (is_passed for date, is_passed in zip(rows[count:], passed[count:], strict=True) if date != MALFORMED)
        return count if next(behind, False) is False and False not in passed[:count] else None

    def _is_passed(self, date: datetime | None, newest_first: bool, no_anchors: bool) -> bool | None:
        if date is None or date is MALFORMED or self.last_date is None:
            return None
        if date == self.last_date:
            # Only an anchor can tell where the rows of one date lie. If there is none, and every row of this date that
            # was dealt with was an anchor, this row is new.
            return False if no_anchors and self.same_date <= ANCHORS else None
        return (date > self.last_date) is newest_first

    def encode(self, scope: Scope, digest: Digest | None = None) -> str:
        """The checkpoint: a string that is safe in a URL, a file name and a log."""
        payload = msgspec.msgpack.encode(
            _Parts(
                scope=_scope_fingerprints(scope),
                cursor=self.start.cursor,
                offset=self.start.offset,
                index=self.index,
                anchors=b"".join(map(fingerprint, self.anchors)),
                last_date=self.last_date,
                same_date=self.same_date,
                from_start=self.from_start,
                first=self.first,
            )
        )
        return _PREFIX + _to_text((digest or unsigned)(payload) + payload)

    @classmethod
    def decode(cls, text: object, scope: Scope, digest: Digest | None = None) -> "Bookmark":
        """The bookmark that `encode` wrote into `text`. CheckpointError if it is damaged, or of another `scope`."""
        parts = _open(text, digest or unsigned)
        _refuse_other_scope(parts.scope, scope)
        anchors = parts.anchors
        return cls(
            start=PageStart(parts.offset, parts.cursor),
            index=parts.index,
            anchors=tuple(anchors[i : i + _FINGERPRINT] for i in range(0, len(anchors), _FINGERPRINT)),
            last_date=parts.last_date,
            same_date=parts.same_date,
            from_start=parts.from_start,
            first=parts.first,
        )


class _Parts(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The array in a checkpoint."""

    scope: tuple[str, str, str]
    cursor: str | None
    offset: Annotated[int, msgspec.Meta(ge=0, le=_MAX_OFFSET)]
    index: Annotated[int, msgspec.Meta(ge=0, le=_MAX_INDEX)]
    anchors: Annotated[bytes, msgspec.Meta(max_length=ANCHORS * _FINGERPRINT)]
    last_date: Annotated[datetime, msgspec.Meta(tz=True)] | None
    same_date: Annotated[int, msgspec.Meta(ge=0, le=ANCHORS + 1)]
    from_start: bool
    first: Annotated[bytes, msgspec.Meta(max_length=_FINGERPRINT)] | None


def no_place() -> CheckpointError:
    """The error for a checkpoint whose place cannot be found in the list any more."""
    return CheckpointError(
        "none of the last objects before the checkpoint exists any more, and no date tells where its place is: "
        "start anew"
    )


def fingerprint(anchor: Anchor) -> bytes:
    """16 bytes of a digest of an id: nobody can find two ids that share them."""
    return anchor if isinstance(anchor, bytes) else _hash(anchor, _FINGERPRINT)


def _hash(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def keyed_digest(key: bytes) -> Digest:
    """A digest that only those can make who know `key`. The key cannot be read from the function."""
    keyed = hashlib.blake2b(digest_size=_DIGEST, person=b"mixpeek-ckpt", key=key)

    def digest(payload: bytes) -> bytes:
        copy = keyed.copy()
        copy.update(payload)
        return copy.digest()

    return digest


unsigned: Final = keyed_digest(b"")
"""It finds damage. Without a key, anybody can make it."""


def _scope_fingerprints(scope: Scope) -> tuple[str, str, str]:
    return _hash(scope.bucket, 6).hex(), _hash(scope.namespace, 6).hex(), _hash(scope.query, 6).hex()


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _open(text: object, digest: Digest) -> _Parts:
    """The parts of a checkpoint that was not changed, and that this version understands."""
    if not isinstance(text, str):
        raise CheckpointError(f"a checkpoint is a string, not {type(text).__name__}")
    if len(text) > _MAX_LENGTH or not text.strip().startswith("mpc"):
        raise CheckpointError("this is no checkpoint: pass the string that .checkpoint gave, unchanged")
    if text != text.strip():
        raise CheckpointError("the checkpoint has white space at its ends, as a line of a file does: .strip() it")
    if not text.startswith(_PREFIX):
        raise CheckpointError("the checkpoint is of another version of mixpeek-async: use that version, or start anew")
    body = text.removeprefix(_PREFIX)
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    payload = raw[_DIGEST:]
    # The text is compared too: base64 has spare bits, so that several texts decode to the same bytes.
    if not hmac.compare_digest(raw[:_DIGEST], digest(payload)) or _to_text(raw) != body:
        raise CheckpointError(
            "the checkpoint was changed or cut, or comes from a client with another checkpoint_key: "
            "pass the string that .checkpoint gave, unchanged"
        )
    try:
        return msgspec.msgpack.decode(payload, type=_Parts)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        # Without a key the digest is no secret: this text was made by hand.
        raise CheckpointError("this is no checkpoint: pass the string that .checkpoint gave, unchanged") from None


def _refuse_other_scope(fingerprints: tuple[str, str, str], scope: Scope) -> None:
    for theirs, ours, name in zip(fingerprints, _scope_fingerprints(scope), Scope._fields, strict=True):
        if theirs != ours:
            raise CheckpointError(f"the checkpoint is of another {name}: it fits only the listing that it came from")
