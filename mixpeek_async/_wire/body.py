"""A query as the JSON body of a request."""

import attrs

from mixpeek_async._record import Record, inner_record, record_fields
from mixpeek_async.query import Query, canonical


def json_body(query: Query) -> bytes | None:
    """The one body of `query`, the same for all that are equal; None with nothing to say, as the API wants it."""
    said = query.to_dict()
    return canonical(said).encode("ascii") if said else None


def complete_selection(select: tuple[str, ...] | None, model: type[Record]) -> tuple[str, ...] | None:
    """`select`, and what a record within `model` cannot do without: `blobs.blob_id` asks for `blobs.type` as well.

    Without it, what was not selected would be missed as if the server had forgotten it.
    """
    if select is None:
        return None
    inner = {name: inner_record(hint) for name, hint in record_fields(model).items()}
    needed = [
        f"{name}.{required}"
        for name in dict.fromkeys(path.partition(".")[0] for path in select if "." in path)
        if (record := inner.get(name)) is not None and name not in select
        for required in _required(record)
    ]
    return tuple(dict.fromkeys([*select, *needed]))


def _required(model: type[Record]) -> list[str]:
    return [name for name, field in attrs.fields_dict(model).items() if field.default is attrs.NOTHING]
