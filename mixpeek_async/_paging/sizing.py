"""How many rows to ask for: half as many after a page that cannot be fetched at its size, then twice as many again."""

import attrs

from mixpeek_async._options import MAX_PAGE_SIZE, PageStart
from mixpeek_async.errors import MixpeekError, RequestTimeoutError, ResponseTooLargeError, ServerError, StatusError


@attrs.define(eq=False)
class PageSize:
    """`full` is the page size that the caller wants, `now` the one that works."""

    full: int
    now: int = attrs.field(init=False)
    _shrunk: bool = False

    def __attrs_post_init__(self) -> None:
        self.now = self.full

    @property
    def cap(self) -> int:
        """The most rows of a request, with those that it brings beside the new ones."""
        return self.now if self._shrunk else MAX_PAGE_SIZE

    def shrink(self, rows: int) -> bool:
        """So many rows cannot be fetched: ask for half as many. False if that is none."""
        if rows < 2:
            return False
        self.now, self._shrunk = min(self.now, rows // 2), True
        return True

    def shrink_to_one(self) -> None:
        """A single row cannot be fetched: ask for no more until it is passed."""
        self.now, self._shrunk = 1, True

    def grow(self) -> None:
        """A page was fetched: ask for twice as many rows."""
        self.now = min(self.now * 2, self.full)
        self._shrunk = self.now < self.full


@attrs.define(eq=False)
class SingleRow:
    """A row that is fetched alone. A page of ids shows its id first, so that an error can name it.

    A row is blamed only if it was at this place both before and after the failure: the list may shift in between.
    """

    shown: tuple[PageStart, str] | None = None
    """The place and the id of the row."""
    ids_work: bool = True
    """Pages of ids can be fetched, as far as is known."""
    tried: bool = False
    """The row cannot be fetched, and was not shown since."""
    _failed: tuple[PageStart, str] | None = None

    def show(self, row: tuple[PageStart, str] | None) -> bool:
        """A page of ids has arrived; True if the row that it shows is to blame for the failure before it."""
        blamed = row is not None and row == self._failed
        self.shown, self._failed, self.tried = None if blamed else row, None, False
        return blamed

    def fail(self) -> None:
        """The row that was shown cannot be fetched."""
        self.shown, self._failed, self.tried = None, self.shown, True


def is_too_large(error: MixpeekError) -> bool:
    """True if the error is about the size of the response."""
    return isinstance(error, ResponseTooLargeError) or (isinstance(error, StatusError) and error.status == 413)


def may_be_too_large(error: MixpeekError) -> bool:
    """True if the size may be why all retries of a page failed. Not so if the server says when to come again."""
    failed = isinstance(error, ServerError) and error.retryable and error.status != 503 and error.retry_after is None
    return failed or is_too_large(error) or isinstance(error, RequestTimeoutError)
