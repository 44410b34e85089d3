"""The formats: what each prints of the same objects, and what it does with odd ones."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.commands import ids, invoke, served

from mixpeek_async.cli._text import json_document, json_text, plain, printable, spreadsheet_cell
from mixpeek_async.emulator import Fault

OBJECT: dict[str, Any] = {
    "object_id": "obj_1",
    "bucket_id": "b",
    "status": "FAILED",
    "created_at": "2025-03-03T08:00:00.5+01:00",
    "key_prefix": '=HYPERLINK("x")',
    "blobs": [{"property": "p", "type": "image"}],
    "metadata": {"year": 2024, "tags": ["a", "b"], "score": -1.5},
    "a.b": "dotted",
}
ANSWER = Fault.answer({"results": [OBJECT, {**OBJECT, "object_id": "obj_2"}], "pagination": {"has_more": False}})


def printed(*args: str) -> str:
    """What `list` prints of two objects."""
    with served(faults={1: ANSWER}) as emulator:
        result = invoke("list", emulator.bucket, *args, emulator=emulator)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_json_is_one_array() -> None:
    assert json.loads(printed("--format", "json")) == [OBJECT, {**OBJECT, "object_id": "obj_2"}]


def test_ids_are_one_on_each_line() -> None:
    assert printed("--format", "ids") == "obj_1\nobj_2\n"


def test_csv_has_a_head_and_no_formula() -> None:
    assert printed("--format", "csv").splitlines()[:2] == [
        "object_id,status,created_at,blobs,key_prefix",
        'obj_1,FAILED,2025-03-03T08:00:00+01:00,1,"\'=HYPERLINK(""x"")"',
    ]


def test_tsv_has_tabs() -> None:
    assert printed("--format", "tsv").splitlines()[0] == "object_id\tstatus\tcreated_at\tblobs\tkey_prefix"


FIELDS = "object_id,metadata.year,metadata.tags.1,metadata.score,a.b,blobs,metadata.tags.7,status.x"


def test_fields_are_printed_by_their_paths() -> None:
    assert json.loads(printed("--json", FIELDS).splitlines()[0]) == {
        "object_id": "obj_1",
        "metadata.year": 2024,
        "metadata.tags.1": "b",
        "metadata.score": -1.5,
        "a.b": "dotted",
        "blobs": OBJECT["blobs"],
        "metadata.tags.7": None,
        "status.x": None,
    }


def test_fields_can_be_columns() -> None:
    row = next(csv.DictReader(io.StringIO(printed("--json", FIELDS, "--format", "csv"))))
    assert json.loads(row.pop("blobs")) == OBJECT["blobs"]
    assert row == {
        "object_id": "obj_1",
        "metadata.year": "2024",
        "metadata.tags.1": "b",
        # A number is none of the texts that a spreadsheet runs.
        "metadata.score": "-1.5",
        "a.b": "dotted",
        "metadata.tags.7": "",
        "status.x": "",
    }


@pytest.mark.parametrize("fields", ["status", "object_id,status"])
def test_fields_can_be_a_table(fields: str) -> None:
    head, *rows = printed("--json", fields, "--format", "table").splitlines()
    assert head.split() == fields.split(",")
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("table", ""),
        ("jsonl", ""),
        ("ids", ""),
        ("json", "[]\n"),
        ("csv", "object_id,status,created_at,blobs,key_prefix\n"),
    ],
)
def test_an_empty_bucket_gives_a_valid_file(form: str, text: str) -> None:
    assert invoke("list", "--emulator", "--emulator-objects", "0", "--format", form).stdout == text


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.csv", "object_id,"),
        ("a.TSV", "object_id\t"),
        ("a.json", "[\n"),
        ("a.ndjson", "{"),
        ("a", "{"),
        ("a.txt", "{"),
    ],
)
def test_the_name_of_a_file_says_its_format(name: str, begins: str, tmp_path: Path) -> None:
    result = invoke("list", "--emulator", "--emulator-objects", "2", "-o", str(tmp_path / name))
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / name).read_text("utf-8").startswith(begins)


def test_a_walk_that_fails_at_once_leaves_an_older_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "objects.jsonl"
    path.write_text("older")
    with served(faults={1: Fault.http(401)}) as emulator:
        assert invoke("list", emulator.bucket, "-o", str(path), emulator=emulator).exit_code == 1
    assert path.read_text() == "older"


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    result = invoke("list", "--emulator", "--emulator-objects", "2", "-o", str(tmp_path))
    assert "Is a directory" in result.stderr.splitlines()[-1]
    assert result.exit_code == 1


def test_the_whole_query_arrives() -> None:
    options = [
        "--where",
        'status == "FAILED"',
        "--sort",
        "-created_at",
        "--search",
        "x",
        "--select",
        "status, metadata",
    ]
    with served(faults={1: ANSWER}) as emulator:
        invoke("list", emulator.bucket, *options, "--presigned-urls", "--concurrency", "2", emulator=emulator)
        assert emulator.requests[0].body == {
            "filters": {"AND": [{"field": "status", "operator": "eq", "value": "FAILED"}]},
            "sort": {"field": "created_at", "direction": "desc"},
            "search": "x",
            "select": ["status", "metadata"],
            "return_presigned_urls": True,
        }


def test_buckets_are_listed() -> None:
    with served(objects=3) as emulator:
        emulator.create_bucket("bkt_other", bucket_name="holidays")
        rows = invoke("buckets", "--format", "csv", emulator=emulator).stdout.splitlines()
        found = invoke("buckets", "--search", "holidays", "--format", "ids", emulator=emulator).stdout
        last = invoke("buckets", "--sort", "-bucket_id", "-n", "1", "--format", "ids", emulator=emulator).stdout
    assert rows[0] == "bucket_id,bucket_name,objects,bytes,created_at"
    assert rows[1].startswith("bkt_emulator,bkt_emulator,3,")
    assert (found, last) == ("bkt_other\n", "bkt_other\n")


def test_one_object_is_printed_for_people() -> None:
    with served(objects=2) as emulator:
        object_id = emulator.insert(note="\u202e\x9b")["object_id"]
        whole = invoke("get", emulator.bucket, object_id, emulator=emulator)
        some = invoke("get", emulator.bucket, object_id, "--json", "object_id", emulator=emulator)
    assert json.loads(whole.stdout)["note"] == "\u202e\x9b"
    assert all(line.isprintable() for line in whole.stdout.splitlines())
    assert some.stdout == f'{{\n  "object_id": "{object_id}"\n}}\n'


def test_an_object_that_is_not_there_is_one_line() -> None:
    with served() as emulator:
        result = invoke("get", emulator.bucket, "obj_none", emulator=emulator)
    assert result.stderr.startswith("error: 404")
    assert (result.stdout, result.stderr.count("\n"), result.exit_code) == ("", 1, 1)


def test_quiet_keeps_the_emulator_quiet_too() -> None:
    assert invoke("list", "mybucket", "--emulator", "--emulator-objects", "1", "-q").stderr == ""


def test_the_emulator_says_that_its_data_is_made_up() -> None:
    result = invoke("list", "mybucket", "--emulator", "--emulator-objects", "1")
    assert result.stderr.startswith(
        "note: --emulator makes its data up; the objects are not those of your bucket 'mybucket'"
    )
    assert len(ids(result.stdout)) == 1


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_json_is_the_same_value_and_printable(value: Any) -> None:
    text, document = json_text(value), json_document(value)
    assert json.loads(text) == json.loads(document) == value
    assert text.isprintable()
    assert all(line.isprintable() for line in document.split("\n"))


@given(st.lists(st.floats()))
def test_json_has_no_constant_that_is_not_json(values: list[float]) -> None:
    for text in (json_text(values), json_document({"a": values})):
        json.loads(text, parse_constant=pytest.fail)


@given(st.text())
def test_any_text_is_one_printable_line(text: str) -> None:
    assert printable(text).isprintable()
    assert text.isprintable() is (printable(text) == text)


@pytest.mark.parametrize("start", "=+-@＝＋－＠")  # noqa: RUF001  # the wide characters are meant
def test_a_text_that_a_spreadsheet_would_run_is_a_text(start: str) -> None:
    assert spreadsheet_cell(f"{start}1+1") == f"'{start}1+1"
    assert spreadsheet_cell(-1) == "-1"
    assert spreadsheet_cell(f"1{start}1") == f"1{start}1"


@pytest.mark.parametrize(("value", "text"), [(None, ""), ("a\nb", r"a\nb"), (True, "true"), ([1, "\t"], r'[1, "\t"]')])
def test_a_cell_is_one_line(value: object, text: str) -> None:
    assert plain(value) == text


@pytest.mark.parametrize("start", ["\t", "\r", "\n", "\x00"])
def test_a_text_that_begins_with_a_control_character_is_escaped(start: str) -> None:
    # A spreadsheet would pass over the character, and run what is behind it.
    assert spreadsheet_cell(f"{start}=1+1")[0] == "\\"
