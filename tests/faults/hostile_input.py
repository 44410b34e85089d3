"""Ids, keys, namespaces, addresses and filters that a caller could pass by mistake, or with intent."""

import datetime
import decimal
import math
from typing import Any

__all__ = ["FILTERS", "HEADERS", "IDS", "PATHS", "URLS"]


class _Text(str):
    """A string that says it is another."""

    __slots__ = ()

    def __str__(self) -> str:
        return "../../elsewhere"


IDS: list[Any] = [
    # Ways out of the path, raw and encoded, once and twice
    ".", "..", "...", "/", "//", "a/b", "/a", "a/", "../x", "../../v1/keys", "./a", "a/..", "a/../b", "..;/", "..%2fx",
    "%2e", "%2e%2e", "%2E%2E%2F", "%252e%252e", "%2f", "%5c", "..\\x", "\\", "\\\\host\\share", "a%00", "%", "%%",
    "%zz",
    "%u002e", "%c0%ae%c0%ae", ".%2e", "a/./b", "/etc/passwd", "C:\\", "file:///etc/passwd",
    # Ways into the query, the fragment, another host, another request
    "?", "a?limit=1", "#", "a#b", "&", "=", "a&b=c", ";", "a;b=c", "@", "user@host", ":", "::", "//evil.example/x",
    "https://evil.example/", "http:evil", "a b", " a", "a ", "+", "a+b", "\ta", "a\t", "a\n", "\r\nX-Evil: 1",
    "a\r\n\r\n",
    "a HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /", "\x0b", "\x0c", "\x85", "\u2028", "\u2029",
    # Control characters, and characters that show something else than they are
    *map(chr, range(0x20)), "\x7f", "\x80", "\x9b31m", "\x1b[2J", "a\0b", "\u202ea", "a\u202e", "\u2066", "\u200b",
    "\u200d",
    "\ufeff", "a\ufeff", "\u00ad", "\ud800", "a\udfff", "\udcff", "\U000e0041",
    # Characters that turn into others when a program normalizes them, and long or strange ones
    "\uff0e\uff0e", "\uff0f", "\u2024", "\u2025", "\u2215", "\u2044", "e\u0301", "\u212b", "\u1e9e", "\u0130", "\u00a0",
    "\u3000", "🪣", "👩\u200d👩\u200d👧", "\U0010ffff", "\ufffe", "\uffff", "\uff21\uff22", "bücket", "バケツ", "דלי",
    "a" * 256,
    "a" * 257, "🪣" * 256, "%" * 256, "a" * 5_000, " " * 300, "/" * 256,
    # What templates, shells and databases would read
    "{bucket}", "${HOME}", "$(id)", "`id`", "' OR 1=1 --", '"', "<script>", "*", "[a]", "{a,b}", "|", "~", "^", "!",
    "(", ",",
    "null", "None", "undefined", "True", "0", "-1", "1e9",
    # No text, or not quite
    "", None, 0, 7, True, 1.5, b"bkt", bytearray(b"bkt"), ["bkt"], ("bkt",), {"bkt": 1}, object(), str, math.nan,
    _Text("bkt"), _Text(".."),
]  # fmt: skip

HEADERS: list[Any] = [
    "", " ", "\t", "\n", "a\n", "a\r", "a\r\n", "\na", "\r\na", "a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rb", "a\0", "\0",
    "a\0b",
    "a\x0b", "a\x0cb", "a\x1bb", "a\x7f", "a\x80", "a\x85", "a\xa0", "\xa0a", " a", "a ", "a\t", "a\tb", "a b", "é",
    "ключ",
    "🔑", "a\u2028b", "a\ufeff", "\ufeffa", "a\u200b", "a\ud800", "\udc80", "\uff41", ":", "a:b", "a,b", "a;b", '"',
    "'", "\\",
    "Bearer a", "Bearer\ta", "=", "a=", "%0d%0a", "=?utf-8?q?a?=", "a" * 4_000, "~!@#$%^&*()_+{}|<>?", "None", None,
    0, True,
    b"a", bytearray(b"a"), ["a"], ("a",), {"a": 1}, object(), 1.5, _Text("a\r\nX-Evil: 1"), _Text("sk_good"),
]  # fmt: skip

# Behind the address of the server: the client may refuse them, or ask below exactly this path.
PATHS: list[str] = [
    "", "/", "//", "/v1", "/v1/", "/v1//", "/v2", "/a", "/a/", "/a/v1", "/a//b", "/%2e%2e", "/%2E%2E/a", "/.%2e", "/..",
    "/../a", "/a/..", "/a/../b", "/.", "/./a", "/...", "/a.", "/%2f", "/%5c", "/a%00", "/%", "/%zz", "/~a", "/a;b",
    "/a,b",
    "/a=b", "/a&b", "/a+b", "/a:b", "/a!b", "/$a", "/(a)", "/*", "/'", '/"', "/a b", "/a\t", "/a\n",
    "/a\r\nX-Evil: 1", "/é",
    "/\u202e", "/\ud800", "/\0", "/\x7f", "/<a>", "/{a}", "/|", "/^", "/`", "\\a", "/a\\b", "?", "?a=b", "/?a", "#",
    "#a",
    "/#a", "/a@b", "@evil.example", "/@", "/[a]", "/v1/v1", "/V1", "/v1/buckets", "/" + "a" * 3_000,
]  # fmt: skip

# Refused, all of them.
URLS: list[Any] = [
    "", " ", "a", "/", "//", "///", "localhost", "localhost:8000", "//localhost", ":80", "http:", "http:/", "http://",
    "https://",
    "http:///", "https://:80", "http:localhost", "http:/localhost", "https:\\\\host", "https://\\host", "ftp://host",
    "file:///a",
    "ws://host", "wss://host", "unix:///a", "data:,a", "javascript:alert(1)", "httpss://host", "http+unix://a",
    " https://host",
    "https://host ", "https://ho st", "https://host\n", "https://host\0", "\0https://host", "https://host\r\nX-Evil: 1",
    "https://user:pass@host", "https://user@host", "https://:@host", "https://@host", "https://host?a",
    "https://host/?a",
    "https://host#a", "https://host/#", "https://host:port", "https://host:-1", "https://host:65536",
    "https://host:99999999",
    "https://host:8o", "https://host: 80", "https://[::1", "https://::1]", "https://[", "https://[]", "https://[::g]",
    "https://[v1.a]", "https://[fe80::1%25eth0]", "https://hôst", "https://ho\u3002st", "https://ho\u202est",
    "https://\ud800",
    "https://%68ost", "https://host%00.evil", "https://host%2f", "https://host<", "https://ho`st", "https://ho|st",
    "http://host", "http://evil.example", "http://127.0.0.1.evil.example", "http://localhost.evil.example", "http://0",
    "http://0.0.0.0", "http://127.1", "http://2130706433", "http://0x7f000001", "http://[::]", "http://[::2]",
    "http://10.0.0.1",
    "http://169.254.169.254/latest", "http://localhost@evil.example", "http://evil.example#localhost",
    "http://localhost\\@evil",
    "https://host/..", "https://host/../a", "https://host/%2e%2e/a", "https://host/a/./b", b"https://host", 7, True,
    object(),
    ["https://host"], {"url": "https://host"}, 1.5,
]  # fmt: skip


def _cycle() -> dict[str, Any]:
    around: dict[str, Any] = {}
    around["AND"] = [around]
    return around


def _nested(depth: int) -> Any:
    tree: Any = {"field": "a", "operator": "eq", "value": 1}
    for _ in range(depth):
        tree = {"AND": [tree]}
    return tree


_LIST_IN_ITSELF: list[Any] = []
_LIST_IN_ITSELF.append(_LIST_IN_ITSELF)

FILTERS: list[Any] = [
    _cycle(), _nested(50), _nested(99), _nested(1_000), _nested(100_000), {"a": _LIST_IN_ITSELF},
    # What JSON cannot say, or not so that it is read as it was meant
    *({"a": value} for value in (
        math.nan, math.inf, -math.inf, object(), object, len, b"a", bytearray(b"a"), {1, 2}, frozenset(), range(3), 1j,
        decimal.Decimal("NaN"), decimal.Decimal("1e400"), 10**5_000, datetime.datetime(2025, 1, 1),
        datetime.timedelta(1), "\ud800", ["\udfff"], [math.nan], {"b": math.inf}, {1: 2}, {None: 1}, {(1,): 1}, ...,
        iter([1]),
        Exception("a"), _Text("a"), "\0", "\x1b[2J", "\u202e", "a" * 100_000, "</script>", "' OR 1=1 --", {"$ne": None},
        {"__proto__": 1}, True, None, 0, -0.0, 1e308, 5e-324, 2**63, -(2**63), 2**64, "", [], {}, [[]], [{}],
    )),
    # Names
    *({name: 1} for name in ("", " ", ".", "..", "a.", ".a", "a..b", "\ud800", "\0", "$where", "__proto__",
    "a" * 10_000)),
    # Trees
    {"AND": []}, {"AND": {}}, {"AND": None}, {"AND": "a"}, {"AND": [None]}, {"AND": [[]]}, {"OR": 1}, {"NOT": "a"},
    {"and": []},
    {"XOR": []}, {"AND": [], "OR": []}, {"case_sensitive": True}, {"case_sensitive": "yes"}, {"AND": [{}]}, {1: 1},
    {None: 1},
    {"field": "a"}, {"field": "a", "operator": "eq"}, {"field": "a", "operator": "evil", "value": 1},
    {"field": 1, "operator": "eq", "value": 1}, {"field": "a", "operator": None, "value": 1},
    {"field": "a", "operator": "in", "value": 1}, {"field": "a", "operator": "eq", "value": 1, "more": 1},
    {"field": "a", "operator": ["eq"], "value": 1}, {"field": "a", "operator": "exists", "value": "yes"},
    # No filters at all
    "a", "a == 1", b"a", 7, 1.5, True, object(), object, len, [], [1], [{"a": 1}], (), {1}, iter([]), math.nan,
]  # fmt: skip
