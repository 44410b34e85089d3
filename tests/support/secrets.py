"""A key that must be nowhere but in the request, and all the places to look for it."""

import copy
import pickle
import secrets
import traceback
from collections.abc import Iterator
from typing import Any, cast

import pytest
from rich.pretty import pretty_repr

from mixpeek_async import AsyncMixpeek
from mixpeek_async.errors import MixpeekError
from support.scripted_server import ScriptedServer

__all__ = ["Canary", "chain", "modules", "shown"]


class Canary:
    """A key that only the environment holds. No frame of a test holds it, so that only the package can show it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._secret = secrets.token_hex(16)
        self.put_into("MIXPEEK_API_KEY")
        monkeypatch.setenv("MIXPEEK_NAMESPACE", "ns")

    def put_into(self, variable: str, template: str = "{}") -> None:
        """Set an environment variable to the key, or to a text around it."""
        self._monkeypatch.setenv(variable, template.format(f"sk_{self._secret}"))

    def make_client(self, **settings: Any) -> AsyncMixpeek:
        """A client that got the key as an argument."""
        return AsyncMixpeek(f"sk_{self._secret}", **settings)

    def pass_as(self, argument: str) -> AsyncMixpeek:
        """A client that got the key as this argument, by mistake, and as its key too."""
        # No variable: this frame is in the traceback.
        return AsyncMixpeek(**cast("Any", {argument: f"sk_{self._secret}"}))

    def is_shown_in(self, *texts: object) -> bool:
        """Whether the key, or any half of it, is in these texts."""
        parts = [self._secret[start : start + 8] for start in range(0, len(self._secret), 8)]
        return any(part in str(text) for text in texts for part in parts)

    def arrived(self, server: ScriptedServer) -> bool:
        """Whether each of the server's requests carried it, so that there was something to leak."""
        return bool(server.requests) and all(
            request.headers["authorization"] == f"Bearer sk_{self._secret}" for request in server.requests
        )


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that it came from."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        link = todo.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            todo += [link.__cause__, link.__context__]


def shown(error: BaseException) -> Iterator[str]:
    """All that a logger, a crash reporter or a debugger shows of an error."""
    report = traceback.TracebackException(type(error), error, error.__traceback__, capture_locals=True)
    yield "".join(report.format())
    for link in chain(error):
        yield from (repr(link), str(link), repr(vars(link)), repr(link.args))
        for frame, _ in traceback.walk_tb(link.__traceback__):
            yield from map(repr, frame.f_locals.values())
            # As rich and structlog do it: attrs classes are opened, and long strings cut before their repr is taken.
            yield from (pretty_repr(value, max_string=20) for value in frame.f_locals.values())
        if isinstance(link, MixpeekError):
            yield from (repr(pickle.dumps(link)), repr(vars(copy.deepcopy(link))))


def modules(error: BaseException) -> set[str]:
    """The top-level modules that the errors of a chain are from."""
    return {type(link).__module__.partition(".")[0] for link in chain(error)}
