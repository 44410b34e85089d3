"""How many rows to ask for: fewer after a page that could not be had at its size, and back up behind it."""

import attrs

from mixpeek_async.errors import MixpeekError, RequestTimeoutError, ResponseTooLargeError, ServerError, StatusError
from mixpeek_async.query import MAX_PAGE_SIZE


@attrs.define(eq=False)
class PageSize:
    """`full` is the page size that the caller wants, `now` the one that can be had."""

    full: int
    now: int = attrs.field(init=False)
    _shrunk: bool = False

    def __attrs_post_init__(self) -> None:
        self.now = self.full

    @property
    def cap(self) -> int:
        """The most rows of a request, those included that it holds beside the new ones."""
        return self.now if self._shrunk else MAX_PAGE_SIZE

    def shrink(self, rows: int) -> bool:
        """So many rows could not be had: ask for half as many. False where that is none."""
        if rows < 2:
            return False
        self.now, self._shrunk = min(self.now, rows // 2), True
        return True

    def grow(self) -> None:
        """A page was had: ask for twice as many rows."""
        self.now = min(self.now * 2, self.full)
        self._shrunk = self.now < self.full


def is_too_large(error: MixpeekError) -> bool:
    """Whether the answer's size is what `error` is about."""
    return isinstance(error, ResponseTooLargeError) or (isinstance(error, StatusError) and error.status == 413)


def may_be_too_large(error: MixpeekError) -> bool:
    """Whether the size may be why a page failed to the end of all retries: not where the server says when to come."""
    failed = isinstance(error, ServerError) and error.retryable and error.status != 503 and error.retry_after is None
    return failed or is_too_large(error) or isinstance(error, RequestTimeoutError)
