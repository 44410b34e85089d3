"""The place of a walk as a short string, to go on from at another time, in another process.

    mpc1.<base64url of: 8 bytes of digest, then a JSON array>

It holds where the next object is, and enough of the last objects to find the place again when the list has changed:
their ids as fingerprints of 5 bytes each, and the creation date of the last. The bucket, the namespace and the
query are in it as fingerprints, so that it fits no other listing. No key, and no secret, goes into it.
"""

import base64
import hashlib
from datetime import datetime
from typing import Annotated, Final

import attrs
import msgspec

from mixpeek_async.errors import CheckpointError
from mixpeek_async.query import Position

ANCHORS: Final = 32
"""How many of the last objects a checkpoint knows."""

_PREFIX = "mpc1."
# A cursor may be long; ten megabytes are none.
_MAX_LENGTH = 1 << 20
_MAX_ROW = 1 << 32
_DIGEST = 8
_FINGERPRINT = 5


@attrs.frozen
class Scope:
    """What a walk walks over. A checkpoint of one scope is refused by every other."""

    bucket: str
    namespace: str
    query: str = ""


@attrs.frozen
class Place:
    """Where the next object is: `index` rows behind the start of the page at `position`."""

    position: Position
    index: int = 0


@attrs.frozen(kw_only=True)
class Checkpoint:
    """A place, and what is known of the objects before it.

    `last_id` is the id of the row right before the place, `anchors` the fingerprints of the last ones, oldest
    first. `last_date` is the creation date of the last, given only where a date can decide: when the list is in the
    order of creation, and every object of that very date is among the anchors.
    """

    scope: Scope
    place: Place
    last_id: str | None = None
    anchors: tuple[bytes, ...] = ()
    last_date: datetime | None = None

    def encode(self) -> str:
        """The checkpoint as a string that is safe in a URL, a file name and a log."""
        payload = msgspec.json.encode(
            _Parts(
                scope=_scope_marks(self.scope),
                cursor=self.place.position.cursor,
                offset=self.place.position.offset,
                index=self.place.index,
                last_id=self.last_id,
                anchors=b"".join(self.anchors),
                last_date=self.last_date,
            )
        )
        return _PREFIX + _as_text(_digest(payload) + payload)

    @classmethod
    def decode(cls, text: object, scope: Scope) -> "Checkpoint":
        """The checkpoint that `encode` made into `text`; CheckpointError when it is none, or not of `scope`."""
        parts = _open(text)
        _refuse_other_scope(parts.scope, scope)
        return cls(
            scope=scope,
            place=Place(Position(parts.offset, parts.cursor), parts.index),
            last_id=parts.last_id,
            anchors=tuple(parts.anchors[i : i + _FINGERPRINT] for i in range(0, len(parts.anchors), _FINGERPRINT)),
            last_date=parts.last_date,
        )


class _Parts(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What stands in a checkpoint, in its order."""

    scope: tuple[str, str, str]
    cursor: str | None
    offset: Annotated[int, msgspec.Meta(ge=0, le=_MAX_ROW)]
    index: Annotated[int, msgspec.Meta(ge=0, le=_MAX_ROW)]
    last_id: str | None
    anchors: bytes
    last_date: Annotated[datetime, msgspec.Meta(tz=True)] | None


def fingerprint(identity: str) -> bytes:
    """Five bytes of `identity`'s digest: that two ids share them has a chance of one in 10^12."""
    return _hash(identity, _FINGERPRINT)


def _hash(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def _digest(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_DIGEST, person=b"mixpeek-ckpt").digest()


def _scope_marks(scope: Scope) -> tuple[str, str, str]:
    return _hash(scope.bucket, 6).hex(), _hash(scope.namespace, 6).hex(), _hash(scope.query, 6).hex()


def _as_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _open(text: object) -> _Parts:
    """The parts of a checkpoint that nobody has touched since it was made, and that this version understands."""
    if not isinstance(text, str):
        raise CheckpointError(f"a checkpoint is a string, not {type(text).__name__}")
    if text != text.strip() and len(text) < _MAX_LENGTH:
        raise CheckpointError("the checkpoint has white space at its ends, as a line of a file does: .strip() it")
    if len(text) > _MAX_LENGTH or not text.startswith("mpc"):
        raise CheckpointError("this is no checkpoint: pass the string that .checkpoint gave, as it was")
    if not text.startswith(_PREFIX):
        raise CheckpointError("the checkpoint is of a newer version of mixpeek-async: upgrade, or start anew")
    body = text.removeprefix(_PREFIX)
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    # Compared as text too: base64 has spare bits, and a string that was touched is not to be trusted.
    if raw[:_DIGEST] != _digest(raw[_DIGEST:]) or _as_text(raw) != body:
        raise CheckpointError("the checkpoint was changed or cut: pass the string that .checkpoint gave, as it was")
    try:
        return msgspec.json.decode(raw[_DIGEST:], type=_Parts)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        # The digest holds no secret: somebody has made this one up.
        raise CheckpointError("this is no checkpoint: pass the string that .checkpoint gave, as it was") from None


def _refuse_other_scope(marks: tuple[str, str, str], scope: Scope) -> None:
    for mark, ours, name in zip(marks, _scope_marks(scope), ("bucket", "namespace", "query"), strict=True):
        if mark != ours:
            raise CheckpointError(f"the checkpoint is of another {name}: it fits only the listing that it came from")
