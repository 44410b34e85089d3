"""Pages whose offset is a multiple of their limit: servers that round offsets down leave these as they are."""

_SMALL_LIMIT = 11
"""Whatever the row, there is a limit up to here that does not divide its number: 10,000 < lcm(1..11)."""


def aligned_page(end: int, size: int) -> tuple[int, int]:
    """The widest page up to `size` that begins at `end`, where `end` is a multiple of its limit."""
    return end, next(limit for limit in range(size, 0, -1) if end % limit == 0)


def aligned_overlap(end: int, size: int, cap: int) -> tuple[int, int] | None:
    """A page that holds row `end - 1` and about `size` rows behind it, where its offset is a multiple of its limit.

    None where no limit up to `cap` allows for both.
    """
    limits = [limit for limit in range(2, min(max(size + 1, _SMALL_LIMIT), cap) + 1) if end % limit]
    if not limits:
        return None
    limit = max(limits, key=lambda limit: (min(limit - end % limit, size), -limit))
    return end // limit * limit, limit
