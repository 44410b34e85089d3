"""The commands beside `list`: `collections`, `documents`, `count`."""

import itertools
import json

import pytest
from support.commands import invoke, served

from mixpeek_async.emulator import Fault


def test_collections_are_listed() -> None:
    with served() as emulator:
        emulator.create_collection("col_b", collection_name="beta")
        emulator.create_collection("col_c")
        result = invoke("collections", "--search", "beta", emulator=emulator)
        table = invoke("collections", "--sort", "-collection_name", "--format", "table", emulator=emulator)
    assert [json.loads(line)["collection_name"] for line in result.stdout.splitlines()] == ["beta"]
    head, *rows = table.stdout.splitlines()
    assert head.split() == ["collection_id", "collection_name", "documents", "state", "created_at"]
    assert [row.split()[:4] for row in rows] == [
        ["col_emulator", "col_emulator", "0", "active"],
        ["col_c", "col_c", "0", "active"],
        ["col_b", "beta", "0", "active"],
    ]


def test_documents_are_listed() -> None:
    with served() as emulator:
        emulator.documents.seed(30)
        args = ("documents", emulator.collection, "--page-size", "7", "--where", "year >= 2020")
        result = invoke(*args, "--json", "document_id,year", emulator=emulator)
        wanted = [
            identifier for identifier in emulator.documents.ids() if emulator.documents.get(identifier)["year"] >= 2020
        ]
        table = invoke(*args, "--format", "table", emulator=emulator)
    assert [json.loads(line)["document_id"] for line in result.stdout.splitlines()] == wanted
    assert result.stderr.startswith(f"done: documents {len(wanted)} | ")
    head, first, *_ = table.stdout.splitlines()
    assert head.split() == ["document_id", "collection_id", "searchable_at", "object_id"]
    assert first.split()[3].startswith("obj_")


def test_partitions_of_documents_are_the_whole() -> None:
    with served() as emulator:
        emulator.documents.seed(20)
        args = ("documents", emulator.collection, "--format", "ids", "--partition")
        parts = [invoke(*args, f"{index}/3", emulator=emulator).stdout.splitlines() for index in range(3)]
        assert sorted(itertools.chain(*parts)) == sorted(emulator.documents.ids())
    assert all(parts)


def test_the_emulator_has_documents_as_well() -> None:
    result = invoke("documents", "scenes", "--emulator", "--emulator-objects", "3")
    assert {json.loads(line)["collection_id"] for line in result.stdout.splitlines()} == {"scenes"}
    assert result.stderr.startswith("note: --emulator makes its data up; the documents are not those of your coll")
    assert result.stdout.count("\n") == 3


def test_objects_are_counted_in_one_request() -> None:
    with served(objects=12) as emulator:
        everything = invoke("count", emulator.bucket, emulator=emulator)
        failed = invoke("count", emulator.bucket, "--where", 'status == "NONE"', emulator=emulator)
        assert len(emulator.requests) == 2
    assert (everything.stdout, everything.stderr, everything.exit_code) == ("12\n", "", 0)
    assert failed.stdout == "0\n"


def test_a_server_that_does_not_count_is_an_error() -> None:
    with served(objects=1, pagination="has_more") as emulator:
        result = invoke("count", emulator.bucket, emulator=emulator)
    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["count"], "which bucket? Give its id or name as BUCKET"),
        (["follow"], "which bucket?"),
        (["summary"], "which bucket?"),
        (
            ["documents"],
            "which collection? Give its id or name as COLLECTION, or try --emulator, which",
        ),
        (["documents", "c", "--partition", "3"], "'3' is not INDEX/COUNT, such as 0/4."),
        (["documents", "c", "--partition", "a/4"], "'a/4' is not INDEX/COUNT"),
        (["documents", "c", "--partition", "4/4"], "the index of a partition"),
    ],
)
def test_misuse_says_what_to_do_instead(args: list[str], words: str) -> None:
    result = invoke(*args, env={"MIXPEEK_API_KEY": "sk_1", "MIXPEEK_NAMESPACE": "ns"})
    assert words in " ".join(result.stderr.split())
    assert result.exit_code == 2


@pytest.mark.parametrize("command", ["collections", "documents"])
def test_a_listing_goes_on_where_it_ended(command: str) -> None:
    with served(faults={3: Fault.http(403)}) as emulator:
        for name in "abcd":
            emulator.create_collection(f"col_{name}")
        emulator.documents.seed(5)
        args = (
            command,
            *([emulator.collection] if command == "documents" else []),
            "--page-size",
            "2",
            "--format",
            "ids",
        )
        first = invoke(*args, emulator=emulator)
        resume = first.stderr.splitlines()[-1].split()[-1]
        second = invoke(*args, "--resume", resume, emulator=emulator)
    assert (first.exit_code, second.exit_code) == (1, 0)
    found = (first.stdout + second.stdout).splitlines()
    assert len(found) == len(set(found)) == 5
