"""What a walk remembers of the objects that it has yielded."""

from mixpeek_async._paging.memory import CURSOR_WINDOW, Memory


def test_an_id_is_new_once() -> None:
    memory = Memory()
    assert [memory.add(id_) for id_ in "aba"] == [True, True, False]
    assert "a" in memory


def test_a_bounded_memory_forgets_the_oldest_ids() -> None:
    memory = Memory()
    memory.bound()
    for number in range(CURSOR_WINDOW + 10):
        memory.add(str(number))

    assert "9" not in memory
    assert "10" in memory
    assert memory.add("9")
