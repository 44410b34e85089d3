"""The ids that a walk has dealt with."""

from mixpeek_async._paging.bookmark import fingerprint
from mixpeek_async._paging.seen_ids import WINDOW, SeenIds


def test_an_id_is_new_once() -> None:
    seen = SeenIds()
    assert [seen.add(id_) for id_ in "aba"] == [True, True, False]
    assert "a" in seen


def test_the_anchors_of_a_checkpoint_are_known() -> None:
    seen = SeenIds([fingerprint("a")])
    assert "a" in seen
    assert not seen.add("a")


def test_old_ids_are_forgotten_on_demand_and_the_last_ones_are_kept() -> None:
    seen = SeenIds()
    seen.forget_old_ids()
    for number in range(3 * WINDOW):
        seen.add(str(number))

    assert str(WINDOW - 1) not in seen
    assert all(str(number) in seen for number in range(2 * WINDOW, 3 * WINDOW))
    assert len(seen) <= 2 * WINDOW
