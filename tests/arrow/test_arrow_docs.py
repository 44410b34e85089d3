"""The page on Arrow has the columns that there are."""

import re
from pathlib import Path

from mixpeek_async.arrow import schema

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "arrow.md").read_text("utf-8")


def test_the_reference_lists_every_column_with_its_type() -> None:
    written = re.findall(r"^\| `(\w+)` \| `(.+?)` \|", PAGE, re.MULTILINE)
    full, lean = schema(), schema(lean=True)
    columns = [(column.name, re.sub(r"^list<.*", "list<struct>", str(column.type))) for column in (*full, *lean)]
    assert written == columns
