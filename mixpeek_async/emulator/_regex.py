"""Regular expressions in time that does not explode, for patterns that come over the network.

Python's `re` backtracks: `(a+)+$` takes minutes for 40 letters, and holds the whole process meanwhile. Here the search
goes through the text once, with the set of all positions that can be reached so far; it is an integer, one bit for each
position. So a step costs as much for all positions as for one, and the work is bounded by the lengths of pattern and
text. As in RE2 there is nothing that needs backtracking: no backreference, no lookaround. Characters, classes and
anchors are left to `re`, one at a time.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import attrs

MAX_PATTERN = 1_000
MAX_NESTING = 2
"""Repetitions within repetitions: each level can multiply the work by the length of the text."""

Step = Callable[["Text", int], int]
"""Takes the positions where a part of the pattern may begin, and returns those where it may end."""

_TOKEN = re.compile(
    r"""(?P<open>\((?:\?:|\?P<\w+>)?(?!\?))
      | (?P<close>\))
      | (?P<or>\|)
      | (?P<repeat>(?:[*+?]|\{(?:\d+(?:,\d*)?|,\d+)\})\??(?!\+))
      | (?P<anchor>[\^$]|\\[AZbB])
      | (?P<one>\[\^?\]?(?:\\.|[^\]\\])*\]|\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|0[0-7]{0,2}|[^1-9])|[^()|*+?\[\\])
    """,
    re.VERBOSE | re.DOTALL,
)


class Text:
    """A text to search in, with the positions of what was looked for in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._places: dict[str, int] = {}
        for place, character in enumerate(text):
            self._places[character] = self._places.get(character, 0) | 1 << place

    def where(self, fits: Callable[[str], bool]) -> int:
        """The positions of the characters that fit."""
        found = 0
        for character, places in self._places.items():
            found |= places if fits(character) else 0
        return found


@attrs.frozen
class Regex:
    """A compiled pattern."""

    _step: Step

    def search(self, text: str) -> bool:
        """True if the pattern occurs anywhere in `text`."""
        # A match may begin anywhere, also behind the last character.
        everywhere = (1 << len(text) + 1) - 1
        return self._step(Text(text), everywhere) != 0


@lru_cache(maxsize=64)
def compile_regex(pattern: str, sensitive: bool) -> Regex:
    """ValueError for a pattern that is invalid, longer than MAX_PATTERN, or needs backtracking."""
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"longer than {MAX_PATTERN} characters")
    # Python judges the syntax, so that the parser below meets valid patterns only.
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return Regex(_Parser(pattern, 0 if sensitive else re.IGNORECASE).parse())


class _Parser:
    """Recursive descent over the tokens of a pattern that `re` accepts."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._tokens = [*_tokens(pattern), ("end", "")]
        self._flags = flags

    def parse(self) -> Step:
        step, _ = self._alternatives()
        return step

    def _alternatives(self) -> tuple[Step, int]:
        """The step, and how deeply repetitions are nested in it; the same for the two methods below."""
        branches = [self._sequence()]
        while self._tokens[0][0] == "or":
            self._tokens.pop(0)
            branches.append(self._sequence())
        steps, depths = zip(*branches, strict=True)
        return _either(steps), max(depths)

    def _sequence(self) -> tuple[Step, int]:
        steps, depth = [], 0
        while self._tokens[0][0] not in ("or", "close", "end"):
            step, inside = self._atom()
            while self._tokens[0][0] == "repeat":
                step, inside = _repeated(step, self._tokens.pop(0)[1]), inside + 1
            if inside > MAX_NESTING:
                raise ValueError(f"repetitions nested more than {MAX_NESTING} deep")
            steps.append(step)
            depth = max(depth, inside)
        return _in_order(steps), depth

    def _atom(self) -> tuple[Step, int]:
        kind, token = self._tokens.pop(0)
        if kind == "open":
            inside = self._alternatives()
            # The closing parenthesis.
            self._tokens.pop(0)
            return inside
        return (_anchor(token) if kind == "anchor" else _one(token, self._flags)), 0


def _tokens(pattern: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(pattern):
        found = _TOKEN.match(pattern, place)
        if found is None or found.lastgroup is None:
            raise ValueError(f"not supported at position {place}: {pattern[place : place + 3]!r}")
        yield found.lastgroup, found[0]
        place = found.end()


def _one(token: str, flags: int) -> Step:
    """One character."""
    fits = lru_cache(maxsize=1024)(re.compile(token, flags).fullmatch)
    return lambda text, starts: (starts & text.where(lambda character: fits(character) is not None)) << 1


def _anchor(token: str) -> Step:
    """No character, and only at some positions."""
    found = re.compile(token)
    return lambda text, starts: starts & sum(1 << match.start() for match in found.finditer(text.text))


def _in_order(steps: Sequence[Step]) -> Step:
    def run(text: Text, places: int) -> int:
        for step in steps:
            places = step(text, places)
        return places

    return run


def _either(steps: Sequence[Step]) -> Step:
    def run(text: Text, starts: int) -> int:
        ends = 0
        for step in steps:
            ends |= step(text, starts)
        return ends

    return steps[0] if len(steps) == 1 else run


def _repeated(step: Step, token: str) -> Step:
    least, most = _bounds(token.removesuffix("?") or token)

    def run(text: Text, places: int) -> int:
        for _ in range(least):
            # Nothing changes any more: the part matches nothing at all, or the empty text.
            if (following := step(text, places)) == places:
                break
            places = following
        ends, new, done = places, places, least
        # A repetition more is only of interest from positions that are new.
        while new and (most is None or done < most):
            new = step(text, new) & ~ends
            ends, done = ends | new, done + 1
        return ends

    return run


def _bounds(token: str) -> tuple[int, int | None]:
    """The least and the greatest number of times; None has no bound."""
    if token in ("*", "+", "?"):
        return int(token == "+"), 1 if token == "?" else None
    least, comma, most = token.strip("{}").partition(",")
    return int(least or 0), int(most) if most else None if comma else int(least)
