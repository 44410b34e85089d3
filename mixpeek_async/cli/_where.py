"""The expressions of `--where`, such as `metadata.year >= 2024 and status in ("FAILED", "PENDING")`.

    expression = all ("or" all)*
    all        = one ("and" one)*
    one        = "not" one | "(" expression ")" | condition
    condition  = field ("==" | "=" | "!=" | ">" | ">=" | "<" | "<=") value
               | field ["not"] "in" "(" value ("," value)* ")"       or in square brackets
               | field ["not"] "exists"
               | field "is" ["not"] "null"
               | field ("contains" | "starts_with" | "ends_with" | "regex" | "text" | "phrase" | "words") value
    field      = a name, dots for nested ones; in quotes if it has spaces, or is a word of this grammar
    value      = a text in single or double quotes | a number | true | false | null

Nothing is evaluated: the text becomes a `Filter` of the library, which checks fields and values.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from mixpeek_async import Field, Filter, InvalidArgumentError, field

# Deeper nesting would end in Python's own limit of recursion.
_MAX_DEPTH = 50

_TOKEN = re.compile(
    r"""
      (?P<text>   "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
    | (?P<number> -?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.-]) )
    | (?P<sign>   [=!<>]= | [=<>()\[\],] )
    | (?P<word>   [^\s"'=!<>()\[\],&|~]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*")
# Only these two escapes: the pattern of a regular expression keeps its other backslashes.
_ESCAPED = re.compile(r"""\\([\\"'])""")

_COMPARISONS = {"==": "eq", "=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_TEXT_OPERATORS = {"contains", "starts_with", "ends_with", "regex", "text", "phrase", "words"}
_CONSTANTS = {"true": True, "false": False, "null": None}
_RESERVED = {"and", "or", "not", "in", "exists", "is"} | _CONSTANTS.keys()
_BRACKETS = {"(": ")", "[": "]"}
_HINTS = {"&": "write and", "|": "write or", "~": "write not", "!": "write not", '"': "a quote is not closed"}
_HINTS["'"] = _HINTS['"']


class WhereError(ValueError):
    """An expression that does not follow the grammar. The message names the position, from 1."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int

    @property
    def word(self) -> str:
        """The word in lower case; empty for a token of another kind."""
        return self.text.lower() if self.kind == "word" else ""

    @property
    def sign(self) -> str:
        """The sign; empty for a token of another kind."""
        return self.text if self.kind == "sign" else ""

    def __str__(self) -> str:
        return self.text if self.kind != "end" else "the end"


def parse_where(text: str) -> Filter:
    """The filter that `text` describes. WhereError if it does not follow the grammar."""
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[_Token]:
    tokens = []
    position = _skip_space(text, 0)
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            hint = _HINTS.get(text[position], "this character has no meaning here")
            raise WhereError(f"at character {position + 1}, {text[position]!a}: {hint}")
        tokens.append(_Token(str(match.lastgroup), match[0], position + 1))
        position = _skip_space(text, match.end())
    return [*tokens, _Token("end", "", position + 1)]


def _skip_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


class _Parser:
    """A recursive descent: each method reads one rule of the grammar, and leaves `_next` at the token after it."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Filter:
        found = self._any()
        if self._token.kind != "end":
            raise self._error("and, or, or the end is expected")
        return found

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._token
        # The last token, the end, is never taken.
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _take_if(self, *texts: str) -> bool:
        """Take the next token if it is one of these words or signs."""
        found = self._token.word in texts or self._token.sign in texts
        if found:
            self._take()
        return found

    def _error(self, problem: str, token: _Token | None = None) -> WhereError:
        token = token or self._token
        return WhereError(f"at character {token.position}, {str(token)[:50]!a}: {problem}")

    def _any(self) -> Filter:
        return self._joined("or", self._all, or_)

    def _all(self) -> Filter:
        return self._joined("and", self._one, and_)

    def _joined(self, word: str, part: Callable[[], Filter], join: Callable[[Filter, Filter], Filter]) -> Filter:
        parts = [part()]
        while self._take_if(word):
            parts.append(part())
        return reduce(join, parts)

    def _one(self) -> Filter:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error(f"the expression is nested more than {_MAX_DEPTH} levels deep")
        if self._take_if("not"):
            found = ~self._one()
        elif self._take_if("("):
            found = self._any()
            self._close(")")
        else:
            found = self._condition()
        self._depth -= 1
        return found

    def _close(self, bracket: str) -> None:
        if not self._take_if(bracket):
            raise self._error(f"{bracket} is expected")

    def _condition(self) -> Filter:
        start = self._token
        name = self._field()
        try:
            return self._compared(name)
        except InvalidArgumentError as error:
            # A wrong kind of value: the library says which one the operator takes.
            raise self._error(error.message, start) from None

    def _field(self) -> Field:
        token = self._take()
        if token.kind == "text":
            name = _unquoted(token)
        elif token.word and token.word not in _RESERVED:
            name = token.text
        else:
            raise self._error("the name of a field is expected", token)
        try:
            return field(name)
        except InvalidArgumentError as error:
            raise self._error(error.message, token) from None

    def _compared(self, name: Field) -> Filter:
        operator = self._take()
        if operator.sign in _COMPARISONS:
            return _call(name, _COMPARISONS[operator.sign], self._value())
        match operator.word:
            case "in":
                return name.is_in(self._values())
            case "exists":
                return name.exists()
            case "is":
                return self._null(name, not self._take_if("not"))
            case "not" if self._take_if("in"):
                return name.nin(self._values())
            case "not" if self._take_if("exists"):
                return name.exists(False)
            case word if word in _TEXT_OPERATORS:
                return _call(name, word, self._value())
            case _:
                raise self._error("an operator is expected, such as ==, >=, in, contains or exists", operator)

    def _null(self, name: Field, wanted: bool) -> Filter:
        if not self._take_if("null"):
            raise self._error("null is expected")
        return name.is_null(wanted)

    def _values(self) -> list[object]:
        bracket = self._take()
        if bracket.sign not in _BRACKETS:
            raise self._error('a list is expected, such as ("FAILED", "PENDING")', bracket)
        values = [self._value()]
        while self._take_if(","):
            values.append(self._value())
        self._close(_BRACKETS[bracket.sign])
        return values

    def _value(self) -> object:
        token = self._take()
        if token.kind == "text":
            return _unquoted(token)
        if token.kind == "number":
            return _number(token.text)
        if token.word in _CONSTANTS:
            return _CONSTANTS[token.word]
        hint = "put a text in quotes" if token.kind == "word" else "a value is expected"
        raise self._error(hint, token)


def _call(name: Field, operator: str, value: object) -> Filter:
    """`name.operator(value)`: the operators of the tables above are methods of Field."""
    found: Filter = getattr(name, operator)(value)
    return found


def _unquoted(token: _Token) -> str:
    return _ESCAPED.sub(r"\1", token.text[1:-1])


def _number(text: str) -> int | float:
    # A whole number of more digits than Python reads is taken as a float, which the library refuses if it is infinite.
    return int(text) if text.lstrip("-").isdigit() and len(text) < 300 else float(text)
