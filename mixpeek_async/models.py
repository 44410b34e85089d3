"""The models: what a bucket holds and what a list answer contains, as frozen attrs classes. They know no HTTP.

Field names are the API's own. Every model keeps the JSON that it came from: `to_dict()` and `to_json()` give exactly
that back, and `extra` holds the keys of it that have no field here (a user's own metadata arrives as additional keys at
the root of an object; the API adds fields over time).
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import attrs

from mixpeek_async._model import JSON, Id, Model

if TYPE_CHECKING:
    # A model is what `attrs.frozen` makes, as far as a type checker can tell.
    from attrs import frozen as model
else:
    from mixpeek_async._model import model

__all__ = [
    "AggregateRow",
    "ApiWarning",
    "Blob",
    "BlobDetails",
    "BlobType",
    "Bucket",
    "Collection",
    "Document",
    "Edge",
    "Event",
    "ListStats",
    "Model",
    "Object",
    "ObjectStatus",
    "Page",
    "Pagination",
    "Progress",
    "Source",
    "SourceType",
]

T = TypeVar("T")

_MAX_WARNINGS = 100


class _OpenEnum(StrEnum):
    """An enum of strings that keeps a value it does not know, since the API's lists have grown before.

    `ObjectStatus("REINDEXING")` is a member-like value that equals `"REINDEXING"`, and hashes, pickles and prints
    like any other; it is not added to the enum.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    def __reduce_ex__(self, proto: object) -> tuple[type[Self], tuple[str]]:
        # By value: a value that is not in the enum has no name to find it by.
        return type(self), (str(self.value),)


class ObjectStatus(_OpenEnum):
    """The state of an object's processing, or of a bucket (the API has one enum for both)."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    INTERRUPTED = "INTERRUPTED"
    UNKNOWN = "UNKNOWN"
    SKIPPED = "SKIPPED"
    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    SUSPENDED = "SUSPENDED"
    DEACTIVATED = "DEACTIVATED"


class BlobType(_OpenEnum):
    """The kind of data in a blob. Servers of before 2026 write it in upper case; that gives the same member."""

    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    OBJECT = "object"
    ARRAY = "array"
    DATE = "date"
    DATETIME = "datetime"
    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    PDF = "pdf"
    EXCEL = "excel"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if isinstance(value, str) and value.lower() in cls._value2member_map_:
            return cls(value.lower())
        return super()._missing_(value)


class SourceType(_OpenEnum):
    """Where an object came from."""

    BUCKET = "bucket"
    COLLECTION = "collection"
    TAXONOMY = "taxonomy"
    CLUSTER = "cluster"
    DIRECT_UPSERT = "direct_upsert"
    SIGNALS = "signals"
    NONE = "none"


def _without_urls(properties: Any) -> str:
    """The repr of a blob's properties, in which the API repeats the presigned URL."""
    if isinstance(properties, dict) and "presigned_url" in properties:
        properties = {**properties, "presigned_url": "..."}
    return repr(properties)


@model(kw_only=True)
class BlobDetails(Model):
    """What the server knows of a blob's file; `size_bytes` in bytes."""

    filename: str | None = None
    size_bytes: int | None = None
    mime_type: str | None = None
    hash: str | None = None


@model(kw_only=True)
class Blob(Model):
    """One piece of an object's data. `property` names the field of the bucket's schema that it fills.

    `presigned_url` comes with `return_presigned_urls` only and lives for one hour. Anybody who has it can read the
    data, so the repr does not show it. Servers of 2025 send `key`, `data`, `metadata` and `status`; their values are
    kept as they came, whatever their type.
    """

    property: str
    type: BlobType
    blob_id: str | None = None
    key_prefix: str | None = None
    properties: dict[str, JSON] | None = attrs.field(default=None, repr=_without_urls)
    presigned_url: str | None = attrs.field(default=None, repr=False)
    details: BlobDetails | None = None
    key: JSON = None
    data: JSON = None
    metadata: JSON = None
    status: JSON = None


@model(kw_only=True)
class Source(Model):
    """Where an object came from: the kind of the source, and its id."""

    type: SourceType
    source_id: str | None = None


@model(kw_only=True)
class Edge(Model):
    """A link to another object. `direction` is `"out"` or `"in"`, seen from this object. Since API 0.82."""

    type: str
    target_object_id: str
    target_collection_id: str | None = None
    direction: str | None = "out"
    attributes: dict[str, JSON] | None = None


@model(kw_only=True)
class Object(Model):
    """One object of a bucket.

    `created_at` and `updated_at` are always aware (a date without a zone is UTC). `error` says why processing failed.
    Lists leave `document_count` and `consistency` null. `metadata` may hold any JSON: a dict, or a user's own field of
    that name. A user's own fields arrive at the root, beside the fields here, and are in `extra`.
    """

    object_id: Id
    bucket_id: str
    key_prefix: str | None = None
    blobs: list[Blob] = attrs.field(factory=list)
    source_details: list[Source] = attrs.field(factory=list)
    edges: list[Edge] = attrs.field(factory=list)
    status: ObjectStatus | None = None
    error: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    metadata: JSON = None
    document_count: int | None = None
    consistency: dict[str, JSON] | None = None


@model(kw_only=True)
class Bucket(Model):
    """One bucket of a namespace.

    `object_count` counts all of its objects, `failed_object_count` those that failed for good; `total_size_bytes` is in
    bytes. `batch_stats` are the server's own counts of its batches, which it renews from time to time.
    """

    bucket_id: Id
    bucket_name: str
    description: str | None = None
    bucket_schema: dict[str, JSON] | None = None
    unique_key: dict[str, JSON] | None = None
    metadata: dict[str, JSON] | None = None
    object_count: int | None = None
    failed_object_count: int | None = None
    total_size_bytes: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_upload_at: datetime | None = None
    status: ObjectStatus | None = None
    is_locked: bool | None = None
    batch_stats: dict[str, JSON] | None = None


@model(kw_only=True)
class Collection(Model):
    """One collection of a namespace: the documents that were made of its `source`, as many as `document_count`."""

    collection_id: Id
    collection_name: str
    description: str | None = None
    source: dict[str, JSON] | None = None
    document_count: int | None = None
    vector_count: int | None = None
    metadata: dict[str, JSON] | None = None
    enabled: bool | None = None
    lifecycle_state: str | None = None
    schema_version: int | str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@model(kw_only=True)
class Document(Model):
    """One document of a collection. A user's own fields arrive at the root, and are in `extra`.

    So is the server's own `_internal`: lineage, blobs and dates. The repr does not show `document_blobs`: with
    `return_presigned_urls` they hold URLs, by which anybody can read the data for one hour.
    """

    document_id: Id
    collection_id: Id
    document_blobs: JSON = attrs.field(default=None, repr=False)
    searchable_at: datetime | None = None
    vector_hydration_incomplete: bool | None = None


@model(kw_only=True)
class Event(Model):
    """One change: a record was created, updated or deleted. The server keeps events for 90 days.

    `seq` grows from event to event. `event_type` is `"object.created"` and the like, `operation` one of `"insert"`,
    `"update"`, `"delete"` and `"other"`. `payload` has no stable shape. `cursor` leads behind this event; a walk's
    checkpoint holds it.
    """

    seq: int
    cursor: Id
    event_type: str
    resource_type: str | None = None
    operation: str | None = None
    namespace_id: str | None = None
    payload: JSON = None
    trace_id: str | None = None
    created_at: datetime | None = None


@model(kw_only=True)
class AggregateRow(Model):
    """One group of objects: the values that they share, by field or alias, and what was computed, by name."""

    group: dict[str, JSON]
    metrics: dict[str, JSON]


@model(kw_only=True)
class AggregateResult(Model):
    """The answer to an aggregation. `total_groups` counts the groups, also those that were not sent."""

    results: list[AggregateRow]
    total_groups: int | None = None


@model(kw_only=True)
class ListStats(Model):
    """Counts over the objects of ONE page (so the newest API pages; an older one says: of the whole result).

    The number of objects in a bucket is `Progress.total`, with `include_total=True`. A count of a wrong type is None.
    """

    total_objects: int | None = None
    total_blobs: int | None = None
    avg_blobs_per_object: float | None = None
    objects_by_status: dict[str, JSON] | None = None


@model(kw_only=True)
class Pagination(Model):
    """The place of a page in its list, in any of the three published shapes.

    A field is None when it was null or absent; `"next_cursor" in pagination.to_dict()` tells the two apart. A number of
    a wrong type is None, too. `next_page` may be of any type. `total` counts objects; it is a hint, never the end of a
    walk.
    """

    has_more: bool | None = None
    next_cursor: str | None = None
    next_page: JSON = None
    page: int | None = None
    page_size: int | None = None
    total: int | None = None
    total_pages: int | None = None
    previous_page: int | str | None = None
    limit: int | None = None
    skip: int | None = None


@model(kw_only=True)
class ApiWarning(Model):
    """A warning that came with an answer: its subject, the reason, and what the API suggests to do next.

    A warning that came as a plain string is the `reason`.
    """

    resource: str | None = None
    id: str | None = None
    reason: str | None = None
    next_step: str | None = None
    stage: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class Page(Generic[T]):
    """One page of a walk: its new objects, and the other parts of the answer.

    `results` holds no object that the walk has yielded before, and no more than `max_items` allows.
    """

    results: list[T]
    pagination: Pagination
    stats: ListStats | None = None
    warnings: list[ApiWarning] = attrs.field(factory=list)

    def __iter__(self) -> Iterator[T]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __bool__(self) -> bool:
        """True, as for any object: an empty page is still a page."""
        return True

    def __repr__(self) -> str:
        # Not the results: the repr of 1,000 objects is a megabyte.
        facts = {name: getattr(self.pagination, name) for name in ("has_more", "page", "total_pages", "total")}
        shown = [f"{name}={value}" for name, value in facts.items() if value is not None]
        if self.pagination.next_cursor:
            shown.append("next_cursor='…'")
        if self.warnings:
            shown.append(f"warnings={len(self.warnings)}")
        return f"<Page of {len(self.results):,} items{''.join(f', {fact}' for fact in shown)}>"


@attrs.define(kw_only=True)
class Progress:
    """How far a walk has come; read it at any time, a progress bar needs no more.

    `items` and `pages` have been handed to the consumer; `requests` have been sent, `retries` of them again;
    `waited` is the seconds spent waiting between attempts; `repeats` are rows that were dropped because the walk
    had yielded them before; `invalid` are records that could not be structured; `shifts` is how often rows before
    the walk's position had been deleted, so that it stepped back for those that had moved up; `total` is the
    server's own count, when it has given one (`include_total=True`); `warnings` are those that came with the pages,
    each once, the first 100.
    """

    items: int = 0
    pages: int = 0
    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    repeats: int = 0
    invalid: int = 0
    shifts: int = 0
    total: int | None = None
    warnings: list[ApiWarning] = attrs.field(factory=list)

    def note_warning(self, warning: ApiWarning) -> bool:
        """Keep `warning`; False if the walk has it already, or has many."""
        is_new = len(self.warnings) < _MAX_WARNINGS and warning not in self.warnings
        if is_new:
            self.warnings.append(warning)
        return is_new

    def note_total(self, total: int | None) -> None:
        """Keep the latest count that a page brought, if it brought one."""
        self.total = self.total if total is None else total
