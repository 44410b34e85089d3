"""The endpoints that answer with one record."""

from mixpeek_async.emulator._calls import Call
from mixpeek_async.emulator._errors import Answer
from mixpeek_async.emulator._presenting import with_urls
from mixpeek_async.emulator._reading import Problems, Reader, refuse
from mixpeek_async.emulator._service import Service, json_answer


def get_object(service: Service, call: Call) -> Answer:
    bucket = service.container("bucket", call.record.bucket)
    flags = _flags(call, return_presigned_urls=False, include_document_count=True)
    record = service.record(bucket, call.record.object_id)
    # The emulator's documents are not counted: no list of them is kept by object.
    count = record.get("document_count", 0) if flags["include_document_count"] else None
    record = with_urls(record) if flags["return_presigned_urls"] else record
    return json_answer(record | {"document_count": count})


def get_document(service: Service, call: Call) -> Answer:
    collection = service.container("collection", call.record.collection)
    flags = _flags(call, return_presigned_urls=False)
    record = service.record(collection, call.record.document_id)
    return json_answer(with_urls(record) if flags["return_presigned_urls"] else record)


def get_bucket(service: Service, call: Call) -> Answer:
    return json_answer(service.store.container_record(service.container("bucket", call.record.bucket)))


def get_collection(service: Service, call: Call) -> Answer:
    return json_answer(service.store.container_record(service.container("collection", call.record.collection)))


def _flags(call: Call, **defaults: bool) -> dict[str, bool]:
    """The boolean query parameters named in `defaults`. Raises a 422 with every problem."""
    problems: Problems = []
    query = Reader("query", call.record.query, problems)
    flags = {name: query.flag(name) for name in defaults}
    refuse(problems)
    return {name: default if (flag := flags[name]) is None else flag for name, default in defaults.items()}
