"""Walks as Arrow record batches, for pyarrow, pandas, Polars, DuckDB and whoever else reads Arrow's C stream."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

from mixpeek_async._arrow_columns import table_of
from mixpeek_async._loop_thread import LoopThread
from mixpeek_async._model import Model
from mixpeek_async._options import ListOptions
from mixpeek_async._page_reader import PageSource
from mixpeek_async._paging import Bookmark
from mixpeek_async.models import Object, Page, Progress
from mixpeek_async.pager import PageWalk, Walk

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ArrowWalk", "schema"]


def schema(model: type[Model] = Object, *, lean: bool = False) -> "pyarrow.Schema":
    """The columns of a walk over objects of `model`, one of our models; docs/reference/arrow.md lists them.

    `lean`: the scalar fields, and the JSON of the whole object as text in the column `json`.
    """
    return table_of(model, lean=lean).schema


class ArrowSource(PageSource[Any], Protocol):
    """A source of pages whose rows can become something else, also in another event loop."""

    model: type[Any]
    """The class of its objects."""

    def with_structure(self, structure: Callable[[Any, int], Any], /) -> PageSource[Any]:
        """The same pages. `structure` makes something of a row that has the id under its key."""
        ...

    def detached(self) -> "ArrowSource":
        """The same pages for another event loop, over a connection and limits of its own. Close it with `aclose`."""
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...


class ArrowWalk(AbstractAsyncContextManager["ArrowWalk"]):
    """One walk over a list, as record batches: each holds the new objects of one page.

        async for batch in walk:        in async code
        polars.DataFrame(walk)          in all other code, and so for every library that reads Arrow's C stream

    In async code it is the same as a `PageWalk`. A library that is not async opens a stream, which is a walk of its
    own, from the start: it runs in a thread, over a connection and limits of its own, from the first batch that the
    library asks for until the stream is dropped. The library shows an error as text; `error` is the error itself.
    """

    def __init__(
        self, source: ArrowSource, options: ListOptions, resume: Bookmark | None, *, lean: bool = False
    ) -> None:
        self._table = table_of(source.model, lean=lean)
        self._source = source
        self._options = options
        self._resume = resume
        self._pages = self._latest = self._walk(source)
        self.error: BaseException | None = None
        """What ended the latest stream; None if it reached the end of the list, or was dropped before."""

    def _walk(self, source: ArrowSource) -> PageWalk[Any]:
        return PageWalk(Walk(source.with_structure(self._table.structure), self._options, self._resume))

    @property
    def schema(self) -> "pyarrow.Schema":
        """The columns of every batch."""
        return self._table.schema

    @property
    def progress(self) -> Progress:
        """Counts of what the walk has done so far; once a stream was read, of the latest one."""
        return self._latest.progress

    @property
    def checkpoint(self) -> str:
        """Behind the batch that was handed out last, as a string for `resume=…`; of the latest stream, if there is one.

        A library may have asked for a batch that it did not use.
        """
        return self._latest.checkpoint

    @property
    def checkpoint_before(self) -> str:
        """In front of the batch that was handed out last, as a string for `resume=…`: its objects come again."""
        return self._latest.checkpoint_before

    def __aiter__(self) -> "ArrowWalk":
        return self

    async def __anext__(self) -> "pyarrow.RecordBatch":
        page = await self._pages.__anext__()
        return self._table.batch(page.results)

    async def aclose(self) -> None:
        """End the walk here. The client stays open."""
        await self._pages.aclose()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A stream for a library that reads Arrow, as a PyCapsule. Nothing is sent before its first batch is asked for.

        InvalidArgumentError for a client that already works in the running event loop, or over a session of yours.
        """
        batches = self._stream(self._source.detached())
        return self._table.reader(batches).__arrow_c_stream__(requested_schema)

    def _stream(self, source: ArrowSource) -> "Iterator[pyarrow.RecordBatch]":
        self.error = None
        pages = self._latest = self._walk(source)
        # A reader that wants five rows shall cost one request.
        pages._reader.reads_ahead = False
        with LoopThread(source.aclose) as thread:
            while (page := self._next_page(thread, pages)) is not None:
                yield self._table.batch(page.results)
                pages._reader.reads_ahead = True
        if self.error is not None:
            # Arrow makes a text of the error and its traceback. Without ours, the text is short.
            raise OSError(f"{type(self.error).__name__}: {self.error}")

    def _next_page(self, thread: LoopThread, pages: PageWalk[Any]) -> Page[Any] | None:
        try:
            return thread.run(pages.__anext__())
        except StopAsyncIteration:
            return None
        # Also KeyboardInterrupt, which no library lets through.
        except BaseException as error:
            self.error = error
            return None
