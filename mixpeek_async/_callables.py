"""Functions that a caller hands over, to be called in between, where nothing can be awaited."""

import inspect

__all__ = ["is_plain_function"]


def is_plain_function(value: object) -> bool:
    """Whether `value` can be called and gives its result at once: no `async def`, nor an object with an async call."""
    call = getattr(type(value), "__call__", None)  # noqa: B004  # whether it is async is the question
    return callable(value) and not (inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(call))
