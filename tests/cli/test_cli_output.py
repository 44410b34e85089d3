"""The file that a command writes, on a disk that is full. tests/cli/test_cli_resume.py has the whole command."""

import errno
import io
from pathlib import Path

import pytest

from mixpeek_async.cli._output import FileSink


class SmallDisk(io.FileIO):
    """A file that takes 10 bytes, the last of them in the middle of a write."""

    def write(self, data: bytes) -> int:  # type: ignore[override]  # it takes no other buffers
        room = 10 - self.tell()
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data[:room])


def test_a_text_that_a_full_disk_cuts_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    sink = FileSink(lambda: SmallDisk(path, "ab"))
    sink.write("first\n")
    sink.flush()
    sink.write("second\n")
    with pytest.raises(OSError, match="No space left"):
        sink.flush()
    sink.close()

    assert path.read_text() == "first\n"


def test_nothing_is_written_behind_a_text_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    sink = FileSink(lambda: SmallDisk(path, "ab"))
    sink.write("longer than the disk\n")
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            sink.flush()
    sink.close()

    assert path.read_text() == ""
