"""Bytes to one record, where an answer holds that and nothing else."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from mixpeek_async._record import Record
from mixpeek_async._wire.answer import arrived_whole, not_json, refuse_unresolved
from mixpeek_async._wire.message import Response
from mixpeek_async._wire.records import UNREADABLE, converter, explain
from mixpeek_async.errors import MalformedResponseError

R = TypeVar("R", bound=Record)


def record_parser(cls: type[R]) -> Callable[[Response], R]:
    """A function that makes a `cls` of a 2xx answer; it raises as `parse_page` does."""

    def parse(response: Response) -> R:
        refuse_unresolved(response)
        body = response.body
        try:
            # What is skipped is not looked at: only this sees a byte that is no UTF-8.
            body.decode("utf-8")
            return converter().structure(msgspec.Raw(body), cls)
        except msgspec.ValidationError as error:
            problem, path = explain(error, "$")
            failure = MalformedResponseError(f"{path}: {problem}", path=path)
        except UNREADABLE as error:
            failure = not_json(body, str(error), arrived_whole=arrived_whole(body))
        raise failure

    return parse
