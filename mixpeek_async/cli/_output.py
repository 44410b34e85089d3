"""Where the text of a listing goes: stdout or a file."""

import contextlib
import os
import select
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import IO, Any, Literal

from mixpeek_async.cli._formats import Format
from mixpeek_async.cli._interrupt import Interruption

Write = Callable[[str], None]

# So many bytes a pipe takes at once when it takes any. Windows has no such number, and waits for sockets only.
_CAN_WAIT = hasattr(select, "PIPE_BUF")
_PIECE: int = getattr(select, "PIPE_BUF", 4096)


class Printer:
    """Writes records in a format, each as soon as it is given.

    The head waits for the first record, so that no empty table stands above an error.
    """

    def __init__(self, form: Format, write: Write) -> None:
        self._form = form
        self._write = write
        self._begun = False

    def print(self, record: Any) -> None:
        """Write one record, in one piece."""
        before = self._form.between if self._begun else self._form.head
        self._write(before + self._form.row(record))
        self._begun = True

    def end(self) -> None:
        """Write what follows the last record of a listing that is complete."""
        if text := self._form.foot if self._begun else self._form.empty:
            self._write(text)


def is_terminal(stream: IO[str] | None) -> bool:
    """True if a person sees this stream."""
    # Not rich's answer: FORCE_COLOR, which many CI services set, makes rich see a terminal in every pipe.
    return stream is not None and stream.isatty()


def is_file(stream: IO[str] | None) -> bool:
    """True if this stream is redirected to a file, as `> FILE` does it."""
    number = _number(stream)
    return number is not None and stat.S_ISREG(os.fstat(number).st_mode)


def _number(stream: IO[Any] | None) -> int | None:
    """The file descriptor; None for a stream in memory, as a test's or an IDE's is."""
    try:
        return None if stream is None else stream.fileno()
    except OSError:
        return None


def terminal_width() -> int:
    """The columns of the terminal, or what the variable COLUMNS says."""
    return shutil.get_terminal_size().columns


def stdout_writer(interruption: Interruption) -> Write:
    """Writes to stdout, and flushes every text: `| head -1` has its line while the walk goes on."""
    stream = sys.stdout
    if stream is None:
        # So it is after `>&-`.
        raise OSError("stdout is closed")
    wait = _waiter(stream, interruption)
    if is_terminal(stream):
        if reconfigure := getattr(stream, "reconfigure", None):
            # A terminal that has no UTF-8 shows an escape, where an exception would end the walk.
            reconfigure(errors="backslashreplace")
        return _in_pieces(stream, str, wait)
    # Bytes, since JSON is UTF-8 wherever it is written to.
    return _in_pieces(stream.buffer, str.encode, wait)


def _in_pieces(stream: IO[Any], encode: Callable[[str], Any], wait: Callable[[], None]) -> Write:
    """Writes a text in pieces that do not block after `wait`. A line that is one piece comes whole or not at all."""

    def write(text: str) -> None:
        data = encode(text)
        for start in range(0, len(data), _PIECE):
            wait()
            stream.write(data[start : start + _PIECE])
            stream.flush()

    return write


def _waiter(stream: IO[Any], interruption: Interruption) -> Callable[[], None]:
    """A function that waits until `stream` takes a piece. A signal ends the wait, and never the write behind it.

    If a signal could end the write, nobody would know whether the line was written, and where to go on.
    """
    number = _number(stream) if _CAN_WAIT else None
    if number is None:
        return lambda: None

    def wait() -> None:
        with interruption.blocking():
            select.select([], [number], [])

    return wait


class _File:
    """A file that is opened with its first text: a walk that fails at once leaves an older file alone.

    It holds whole texts only: what a full disk cuts is taken back.
    """

    def __init__(self, path: Path, interruption: Interruption, *, append: bool) -> None:
        self._path = path
        self._mode: Literal["ab", "wb"] = "ab" if append else "wb"
        self._interruption = interruption
        self._stream: FileIO | None = None

    def write(self, text: str) -> None:
        if self._stream is None:
            # Opening a named pipe waits for its reader.
            with self._interruption.blocking():
                # Without a buffer, so that it is known what a failed write has written.
                self._stream = self._path.open(self._mode, buffering=0)
        self._write_whole(self._stream, text.encode())

    def _write_whole(self, stream: FileIO, data: bytes) -> None:
        wait = _waiter(stream, self._interruption)
        rest = memoryview(data)
        try:
            while rest:
                wait()
                rest = rest[stream.write(rest[:_PIECE]) :]
        except BaseException:
            # A named pipe has no place to go back to, nor has a device.
            with contextlib.suppress(OSError):
                stream.truncate(stream.tell() - (len(data) - len(rest)))
            raise

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


@contextmanager
def file_writer(path: Path, interruption: Interruption, *, append: bool) -> Iterator[Write]:
    """Writes to the file at `path`, behind what it holds with `append`, else in its place."""
    with contextlib.closing(_File(path, interruption, append=append)) as file:
        yield file.write
