"""The data: sample objects, and what tests may change."""

import sqlite3
from contextlib import closing
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mixpeek_async.emulator import Emulator


def _objects(emulator: Emulator) -> list[dict[str, Any]]:
    return [emulator.get(object_id) for object_id in emulator.object_ids()]


def test_sample_data_is_the_same_every_time() -> None:
    assert _objects(Emulator(objects=50)) == _objects(Emulator(objects=50))


def test_sample_data_does_not_depend_on_how_it_was_asked_for() -> None:
    emulator = Emulator(objects=20)
    emulator.seed(30)
    assert _objects(emulator) == _objects(Emulator(objects=50))


def test_seed_gives_the_ids_in_creation_order() -> None:
    emulator = Emulator()
    assert emulator.seed(3) + emulator.seed(2) == emulator.object_ids()


def test_seed_never_repeats_an_id_that_was_deleted() -> None:
    emulator = Emulator(objects=3)
    first = emulator.object_ids()
    emulator.delete(first[-1])
    assert not set(emulator.seed(3)) & set(first)


def test_ids_look_like_the_vendors() -> None:
    assert all(len(i) == 20 and i.startswith("obj_") and int(i[4:], 16) for i in Emulator().seed(20))


def test_sample_objects_are_created_one_after_the_other() -> None:
    for key in ("created_at", "updated_at"):
        times = [obj[key] for obj in _objects(Emulator(objects=100))]
        assert all(earlier < later for earlier, later in pairwise(times))
        assert all(time.endswith("Z") and datetime.fromisoformat(time) for time in times)


def test_sample_objects_have_one_to_three_blobs_and_one_source() -> None:
    objects = _objects(Emulator(objects=100))
    assert {len(obj["blobs"]) for obj in objects} == {1, 2, 3}
    assert {len(obj["source_details"]) for obj in objects} == {1}
    assert all({"property", "type", "properties", "details"} <= b.keys() for o in objects for b in o["blobs"])


def test_sample_objects_are_mostly_but_not_all_alike() -> None:
    objects = _objects(Emulator(objects=400))
    completed = [obj for obj in objects if obj["status"] == "COMPLETED"]
    assert 0.8 * len(objects) < len(completed) < len(objects)
    assert 0 < sum("metadata" in obj for obj in objects) < len(objects)
    assert 0 < sum("campaign" in obj for obj in objects) < len(objects)
    assert all((obj["error"] is not None) == (obj["status"] == "FAILED") for obj in objects)


def test_insert_without_an_object_makes_a_plausible_one() -> None:
    emulator = Emulator(objects=1)
    made = emulator.insert(status="DRAFT")
    assert made == emulator.get(made["object_id"])
    assert (made["status"], bool(made["blobs"])) == ("DRAFT", True)


def test_insert_takes_an_object_as_it_is_and_fills_in_the_ids() -> None:
    emulator = Emulator()
    made = emulator.insert({"colour": "red"}, size=3)
    assert made == {
        "object_id": emulator.object_ids()[0],
        "bucket_id": emulator.bucket,
        "colour": "red",
        "size": 3,
    }


def test_insert_leaves_the_callers_object_alone() -> None:
    mine: dict[str, Any] = {"colour": "red"}
    Emulator().insert(mine, size=3)
    assert mine == {"colour": "red"}


def test_insert_refuses_an_id_that_is_taken() -> None:
    emulator = Emulator()
    emulator.insert(object_id="obj_1")
    with pytest.raises(ValueError, match="already"):
        emulator.insert(object_id="obj_1")


@pytest.mark.parametrize("object_id", [None, 7, ""])
def test_insert_refuses_an_id_that_is_no_text(object_id: object) -> None:
    with pytest.raises(ValueError, match="object_id"):
        Emulator().insert(object_id=object_id)


def test_insert_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Emulator().insert(score=float("nan"))


def test_update_sets_fields_in_place() -> None:
    emulator = Emulator(objects=3)
    ids = emulator.object_ids()
    changed = emulator.update(ids[1], status="ARCHIVED", colour="red")
    assert emulator.object_ids() == ids
    assert emulator.get(ids[1]) == changed
    assert (changed["status"], changed["colour"]) == ("ARCHIVED", "red")


async def test_an_update_shows_in_the_list_and_its_stats(post: Any) -> None:
    async with Emulator(objects=1) as emulator:
        emulator.update(emulator.object_ids()[0], status="ARCHIVED", blobs=[])
        body = (await post(emulator)).body
    assert body["results"][0]["status"] == "ARCHIVED"
    assert (body["stats"]["objects_by_status"], body["stats"]["total_blobs"]) == ({"ARCHIVED": 1}, 0)


def test_delete_takes_one_object_away() -> None:
    emulator = Emulator(objects=3)
    ids = emulator.object_ids()
    emulator.delete(ids[1])
    assert emulator.object_ids() == [ids[0], ids[2]]


async def test_buckets_are_apart(post: Any) -> None:
    async with Emulator(objects=2) as emulator:
        emulator.create_bucket("bkt_second")
        made = emulator.seed(1, bucket="bkt_second")
        reply = await post(emulator, {"include_total": "true"}, path="/v1/buckets/bkt_second/objects/list")
        assert [obj["object_id"] for obj in reply.body["results"]] == made
        assert reply.body["pagination"]["total"] == 1
        assert emulator.get(made[0], bucket="bkt_second")["bucket_id"] == "bkt_second"


def test_to_create_a_bucket_again_changes_nothing() -> None:
    emulator = Emulator(objects=2)
    emulator.create_bucket(emulator.bucket)
    assert len(emulator.object_ids()) == 2


def test_a_bucket_needs_a_name() -> None:
    with pytest.raises(ValueError, match="bucket must not be empty"):
        Emulator().create_bucket("")


@pytest.mark.parametrize("verb", ["get", "delete", "update"])
def test_an_unknown_object_is_a_key_error(verb: str) -> None:
    with pytest.raises(KeyError, match="obj_none"):
        getattr(Emulator(), verb)("obj_none")


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("get", ["obj_1"]),
        ("delete", ["obj_1"]),
        ("update", ["obj_1"]),
        ("object_ids", []),
        ("seed", [1]),
        ("insert", []),
    ],
)
def test_an_unknown_bucket_is_a_key_error(verb: str, arguments: list[Any]) -> None:
    with pytest.raises(KeyError, match="create_bucket"):
        getattr(Emulator(), verb)(*arguments, bucket="bkt_none")


def test_a_file_keeps_its_data_and_is_not_seeded_again(tmp_path: Path) -> None:
    path = tmp_path / "mixpeek.db"
    ids = Emulator(objects=3, database=path).object_ids()
    again = Emulator(objects=3, database=str(path))
    assert again.object_ids() == ids
    assert len({*ids, *again.seed(2)}) == 5


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(sqlite3.DatabaseError):
        Emulator(database=path)


@pytest.mark.parametrize("script", ["CREATE TABLE buckets (bucket_id TEXT)", "PRAGMA user_version = 99"])
def test_a_file_of_another_version_is_refused_and_left_alone(tmp_path: Path, script: str) -> None:
    path = tmp_path / "mixpeek.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE notes (text TEXT)")
        database.execute(script)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"mixpeek\.db' was made by another version of the emulator"):
        Emulator(database=path)
    assert path.read_bytes() == before


def test_a_file_keeps_documents_and_what_was_changed(tmp_path: Path) -> None:
    first = Emulator(database=tmp_path / "mixpeek.db", objects=2)
    first.documents.seed(2)
    changed = first.update(first.object_ids()[0], colour="red")
    again = Emulator(database=tmp_path / "mixpeek.db")
    assert again.get(changed["object_id"]) == changed
    assert again.documents.ids() == first.documents.ids()


def test_sample_documents_are_the_same_every_time() -> None:
    one, other = Emulator(), Emulator(objects=3)
    one.documents.seed(3)
    other.documents.seed(1)
    other.documents.seed(2)
    assert [one.documents.get(i) for i in one.documents.ids()] == [
        other.documents.get(i) for i in other.documents.ids()
    ]


def test_an_insert_that_fails_leaves_nothing() -> None:
    emulator = Emulator(objects=1)
    with pytest.raises(ValueError, match="already"):
        emulator.insert(object_id=emulator.object_ids()[0], status="DRAFT")
    assert emulator.get(emulator.object_ids()[0])["status"] != "DRAFT"
