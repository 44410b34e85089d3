"""The tables of the reference name each field and each argument, with its type."""

import re
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from pages import DOCS

import mixpeek_async
from mixpeek_async import models
from mixpeek_async._source import ListKwargs
from mixpeek_async._summary import K
from mixpeek_async.buckets import BucketListKwargs
from mixpeek_async.objects import ObjectListKwargs

NAMES = {
    **{name: getattr(mixpeek_async, name) for name in mixpeek_async.__all__},
    "Any": Any,
    "Callable": Callable,
    "Iterable": Iterable,
    "K": K,
    "Literal": Literal,
    "Mapping": Mapping,
    "T": models.T,
    "date": date,
    "datetime": datetime,
}
MODELS = [
    model
    for model in map(vars(models).get, models.__all__)
    if isinstance(model, type) and issubclass(model, models.Model) and model is not models.Model
]
NEIGHBOURS = [mixpeek_async.AggregateRow, mixpeek_async.Collection, mixpeek_async.Document, mixpeek_async.Event]
EVENTS = [
    mixpeek_async.Hooks,
    mixpeek_async.RequestSent,
    mixpeek_async.ResponseReceived,
    mixpeek_async.RetryScheduled,
    mixpeek_async.Throttled,
    mixpeek_async.PageReceived,
]
CLASSES = [
    *(("neighbours.md" if model in NEIGHBOURS else "models.md", model) for model in MODELS),
    ("pager.md", mixpeek_async.Page),
    ("pager.md", mixpeek_async.Progress),
    ("neighbours.md", mixpeek_async.Summary),
    ("neighbours.md", mixpeek_async.Breakdown),
    *(("telemetry.md", event) for event in EVENTS),
]


def types_in_table(page: Path, title: str) -> dict[str, Any]:
    """The names in the first column of the table under `title`, and the types in its second one."""
    section = page.read_text("utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| `(.+?)` \| ", section, re.MULTILINE)
    return {name: eval(type_.replace("\\|", "|"), dict(NAMES)) for name, type_ in rows}


@pytest.mark.parametrize(("page", "cls"), CLASSES)
def test_each_field_of_a_class_has_a_line_with_its_type(page: str, cls: type[attrs.AttrsInstance]) -> None:
    hints = typing.get_type_hints(cls)
    fields = {field.name: hints[field.name] for field in attrs.fields(cls) if field.name != "extra"}
    table = types_in_table(DOCS / "reference" / page, cls.__name__)
    assert list(table.items()) == list(fields.items())


@pytest.mark.parametrize(
    ("title", "arguments"),
    [("Arguments of `objects.list`", ObjectListKwargs), ("Arguments of `buckets.list`", BucketListKwargs)],
)
def test_each_argument_of_a_list_has_a_line_with_its_type(title: str, arguments: Any) -> None:
    table = types_in_table(DOCS / "reference" / "client.md", title)
    hints = typing.get_type_hints(arguments)
    if arguments is ObjectListKwargs:
        hints["model"] = type
    else:
        # The page says that all others are those of `objects.list`.
        hints = {name: hints[name] for name in hints.keys() - ListKwargs.__annotations__.keys()}
    assert table == hints


@pytest.mark.parametrize("name", ["FilterLike", "SortLike", "InvalidPolicy"])
def test_each_union_of_the_queries_is_described_as_it_is(name: str) -> None:
    page = (DOCS / "reference" / "query.md").read_text("utf-8")
    (canonical,) = re.findall(rf"py:type:: {name}\n   :canonical: (.+)", page)
    assert eval(canonical, dict(NAMES)) == getattr(mixpeek_async, name)
