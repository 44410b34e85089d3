"""Aggregate the objects of a bucket: group, measure, sort.

The API is published in the words of MongoDB, and this follows MongoDB where they leave a choice. Null stands for absent
fields, and for dates that are none. Groups come in the order of their first objects, unless sorted.
"""

import json
from collections.abc import Iterable
from typing import Any

import attrs

from mixpeek_async.emulator._aggregation_request import UNITS, Aggregation, completed, parse_aggregation
from mixpeek_async.emulator._calls import Call
from mixpeek_async.emulator._errors import Answer
from mixpeek_async.emulator._paths import parse_date, value_key
from mixpeek_async.emulator._selection import Selection
from mixpeek_async.emulator._service import Service, json_answer
from mixpeek_async.emulator._store import in_container


@attrs.define
class Group:
    """The records of one group: their number, and for each metric the values to measure."""

    key: dict[str, Any]
    values: list[list[Any]]
    count: int = 0


def aggregate_objects(service: Service, call: Call) -> Answer:
    bucket = service.container("bucket", call.record.bucket)
    request = parse_aggregation(call)
    selection = Selection("records", (in_container(bucket), *request.clauses))
    results = [_result(request, group) for group in _groups(request, _records(service, request, selection))]
    results = [each for each in results if all(having.holds(each["metrics"]) for having in request.having)]
    if (name := request.sort_by) is not None:
        results.sort(key=lambda each: value_key((each["group"] | each["metrics"])[name]), reverse=request.descending)
    return json_answer({"results": results[: request.limit], "total_groups": len(results)})


def no_groups(_: Service, __: dict[str, Any]) -> Answer:
    """The answer for an unknown namespace."""
    return json_answer({"results": [], "total_groups": 0})


def _records(service: Service, request: Aggregation, selection: Selection) -> Iterable[tuple[Any, int]]:
    """The records to group, each with the number of records that it stands for."""
    if unit := request.histogram_unit:
        # A sort key is a byte for the kind of value, and the text.
        dates = service.store.created(selection, UNITS[unit] + 1)
        return (({"created_at": _date(key)}, count) for key, count in dates)
    if request.needs_profiles_only:
        texts: Iterable[tuple[str, int]] = service.store.profiles(selection)
    else:
        texts = ((text, 1) for text in service.store.texts(selection))
    records = ((json.loads(text), count) for text, count in texts)
    if (field := request.unwind) is None:
        return records
    unwound = ((record, record[field], count) for record, count in records if isinstance(record.get(field), list))
    return (({**record, field: element}, count) for record, elements, count in unwound for element in elements)


def _date(key: bytes) -> str | None:
    """The date that a cut sort key stands for; None for the key of anything else."""
    date = completed(key[1:].decode("utf-8", "replace"))
    return date if key.startswith(b"\2") and parse_date(date) else None


def _groups(request: Aggregation, records: Iterable[tuple[Any, int]]) -> Iterable[Group]:
    groups: dict[str, Group] = {}
    for record, count in records:
        key = {each.alias: each.of(record) for each in request.keys}
        # As JSON, because a value may be a list or an object, and true is not 1.
        group = groups.setdefault(json.dumps(key, sort_keys=True), Group(key, [[] for _ in request.metrics]))
        group.count += count
        for metric, values in zip(request.metrics, group.values, strict=True):
            values += metric.values_of(record)
    return groups.values()


def _result(request: Aggregation, group: Group) -> dict[str, dict[str, Any]]:
    measured = zip(request.metrics, group.values, strict=True)
    return {
        "group": group.key,
        "metrics": {metric.alias: metric.of(group.count, values) for metric, values in measured},
    }
