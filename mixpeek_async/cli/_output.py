"""Where the text of a listing goes: stdout or a file."""

import contextlib
import os
import select
import shutil
import stat
import sys
from collections import deque
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import IO, Any, Protocol

from mixpeek_async.cli._formats import Format
from mixpeek_async.cli._interrupt import Interruption

BLOCK = 64 * 1024
"""A file gets its text in blocks of at least so many bytes."""

# So many bytes a pipe takes at once when it takes any. Windows has no such number, and waits for sockets only.
_CAN_WAIT = hasattr(select, "PIPE_BUF")
_PIECE: int = getattr(select, "PIPE_BUF", 4096)


class Printer:
    """Writes records in a format, each as soon as it is given.

    The head waits for the first record, so that no empty table stands above an error.
    """

    def __init__(self, form: Format, write: Callable[[str], None]) -> None:
        self._form = form
        self._write = write
        self.begun = False

    def print(self, record: Any) -> None:
        """Write one record, in one piece."""
        before = self._form.between if self.begun else self._form.head
        self._write(before + self._form.row(record))
        self.begun = True

    def end(self) -> None:
        """Write what follows the last record of a listing that is complete."""
        if text := self._form.foot if self.begun else self._form.empty:
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


def terminal_size() -> os.terminal_size:
    """The columns and lines of the terminal, or what the variables COLUMNS and LINES say."""
    return shutil.get_terminal_size()


class Sink(Protocol):
    """Takes the text of a listing.

    `wait` comes before a record is taken from the walk, and is the only call that a signal ends. So every record that
    the walk has given is either written or still in memory, and the walk knows where to go on.
    """

    def wait(self) -> None:
        """Return when the next text can be written at once."""
        ...

    def write(self, text: str) -> None:
        """Take a text. It may stay in memory until `flush`."""
        ...

    def flush(self) -> None:
        """Write what is in memory: all of it, or nothing and an OSError."""
        ...

    @property
    def is_full(self) -> bool:
        """It is time for a `flush`."""
        ...

    def close(self) -> None:
        """Let go of what was opened."""
        ...


class StreamSink:
    """A pipe or a terminal: `| head -1` has its line while the walk goes on, and nothing stays in memory."""

    is_full = False

    def __init__(
        self, stream: IO[Any], encode: Callable[[str], Any], interruption: Interruption, *, is_own: bool = False
    ) -> None:
        self._stream = stream
        self._is_own = is_own
        self._encode = encode
        self._interruption = interruption
        self._number = _number(stream) if _CAN_WAIT else None

    def wait(self) -> None:
        # A write that a signal ends would leave open whether the line was written. Waiting has no such doubt.
        with self._interruption.blocking():
            if self._number is not None:
                select.select([], [self._number], [])

    def write(self, text: str) -> None:
        """Write in pieces that do not block after `wait`; a line that is longer can be cut by a signal."""
        data = self._encode(text)
        for start in range(0, len(data), _PIECE):
            if start:
                self.wait()
            self._stream.write(data[start : start + _PIECE])
            self._stream.flush()

    def flush(self) -> None:
        """Nothing is in memory."""

    def close(self) -> None:
        """Close what was opened for this sink; stdout stays open."""
        if self._is_own:
            self._stream.close()


class FileSink:
    """A file, which holds whole texts only: what a full disk cuts is taken back.

    `open_` opens it with the first text, so that a walk that fails at once leaves an older file alone.
    """

    def __init__(self, open_: Callable[[], FileIO], block: int = BLOCK) -> None:
        self._open = open_
        self._block = block
        self._file: FileIO | None = None
        self._waiting = bytearray()
        self._failure: OSError | None = None

    def wait(self) -> None:
        """A file is never waited for."""

    def write(self, text: str) -> None:
        self._waiting += text.encode()

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= self._block

    def flush(self) -> None:
        if self._failure is not None:
            # What is behind a gap must not be written either.
            raise self._failure
        if self._waiting:
            try:
                self._file = self._file or self._open()
                _write_whole(self._file, bytes(self._waiting))
            except OSError as error:
                self._failure = error
                raise
            self._waiting.clear()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class LiveSink:
    """The latest lines of a table that is drawn in place; the head stays above them. At the end they stay on stdout."""

    is_full = False

    def __init__(self, lines: deque[str], interruption: Interruption) -> None:
        self._lines = lines
        self._interruption = interruption
        self._head: str | None = None

    def wait(self) -> None:
        """Nothing is written, but a signal ends the walk here."""
        with self._interruption.blocking():
            pass

    def write(self, text: str) -> None:
        for line in text.splitlines():
            self._head = self._head or line
            self._lines.append(line)
            # In place of the oldest row, which has pushed the head out.
            self._lines[0] = self._head

    def flush(self) -> None:
        """The drawing is the business of the status line."""

    def close(self) -> None:
        """Leave the last rows on stdout."""
        if self._lines:
            # Not as a sink does it: a signal has come, as a rule, and a wait would end at once.
            print("\n".join(self._lines), flush=True)
            self._lines.clear()


def _write_whole(file: FileIO, data: bytes) -> None:
    """Write all of `data`, or leave the file as it was."""
    written = 0
    try:
        while written < len(data):
            written += file.write(data[written:])
    except OSError:
        # Counted from where it ended: before the first write, `>> FILE` says that it is at 0.
        with contextlib.suppress(OSError):
            file.truncate(file.tell() - written)
        raise


def stdout_sink(interruption: Interruption, block: int = BLOCK) -> Sink:
    """Writes to stdout, whatever that is."""
    stream = sys.stdout
    if stream is None:
        # So it is after `>&-`.
        raise OSError("stdout is closed")
    if is_file(stream):
        return FileSink(lambda: FileIO(stream.fileno(), "wb", closefd=False), block)
    if not is_terminal(stream):
        # Bytes, since JSON is UTF-8 wherever it is written to.
        return StreamSink(stream.buffer, str.encode, interruption)
    tolerate_encoding(stream)
    return StreamSink(stream, str, interruption)


def tolerate_encoding(stream: IO[str]) -> None:
    """Have a terminal that has no UTF-8 show an escape, where an exception would end the walk."""
    if reconfigure := getattr(stream, "reconfigure", None):
        reconfigure(errors="backslashreplace")


def path_sink(path: Path, interruption: Interruption, *, append: bool, block: int = BLOCK) -> Sink:
    """Writes to the file at `path`, behind what it holds with `append`, else in its place."""
    if not path.exists() or path.is_file():
        return FileSink(lambda: path.open("ab" if append else "wb", buffering=0), block)
    # A named pipe, which is opened when it has a reader, or a device.
    with interruption.blocking():
        return StreamSink(path.open("wb", buffering=0), str.encode, interruption, is_own=True)


def print_text(text: str, interruption: Interruption) -> None:
    """Write one text to stdout."""
    sink = stdout_sink(interruption)
    sink.wait()
    sink.write(text)
    sink.flush()
