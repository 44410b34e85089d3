"""Who asks, where, and in which namespace: from arguments or the environment, checked before any I/O.

No message here shows a value: a key pasted into the wrong argument must not end up in a log either. What is wrong
is returned and not raised, so that no frame of a traceback holds the key.
"""

import ipaddress
import os
import re
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import attrs

from mixpeek_async.errors import InvalidArgumentError

T = TypeVar("T")

DEFAULT_BASE_URL = "https://api.mixpeek.com"

_URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/\[\]%!$&'()*+,;=@?#]+")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


class Secret(str):
    """A string that a header can carry and a traceback with locals cannot show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("the API key is never pickled: build a client where it is used")


@attrs.frozen(kw_only=True)
class Config:
    """What every request carries, and where it goes: `base_url` ends before `/v1`."""

    api_key: Secret = attrs.field(converter=Secret)
    namespace: str
    base_url: str

    @property
    def authorization(self) -> Secret:
        """The header that carries the key."""
        return Secret(f"Bearer {self.api_key}")


def read_config(
    api_key: str | None, namespace: str | None, base_url: str | None, *, allow_insecure: bool
) -> Config | InvalidArgumentError:
    """The checked settings, or which one is wrong and how to mend it: for the caller to raise."""
    api_key = _plain(api_key if api_key is not None else os.environ.get("MIXPEEK_API_KEY"))
    namespace = _plain(namespace if namespace is not None else os.environ.get("MIXPEEK_NAMESPACE"))
    base_url = _plain(base_url if base_url is not None else os.environ.get("MIXPEEK_BASE_URL") or DEFAULT_BASE_URL)
    problem = (
        _header_problem(api_key, "api_key", "MIXPEEK_API_KEY")
        or (" " in str(api_key) and "api_key holds a space, which no key does: leave out 'Bearer ', if that is in it")
        or _header_problem(namespace, "namespace", "MIXPEEK_NAMESPACE")
        or _url_problem(base_url, allow_insecure=allow_insecure)
    )
    if problem:
        return InvalidArgumentError(problem)
    return Config(api_key=api_key, namespace=str(namespace), base_url=_without_version(base_url))


def _plain(value: T) -> T:
    """A string as one that prints as what it is: `f"{…}"` of an enum that is a str too gives the name of its class."""
    return str.__str__(value) if isinstance(value, str) else value  # type: ignore[return-value]  # a str for a str


def _header_problem(value: object, name: str, variable: str) -> str | None:
    """Why `value` cannot be sent as a header, or None."""
    if value is None:
        return f"there is no {name}: pass {name}=… or set {variable} in the environment"
    if not isinstance(value, str):
        return f"{name} must be a string, not {type(value).__name__}"
    if not value.strip():
        return f"{name} is blank: pass {name}=… or set {variable} in the environment"
    if value.endswith(("\n", "\r")):
        return f"{name} ends in a line break, as text read from a file does: pass it through .strip()"
    if value != value.strip():
        return f"{name} has white space at its ends: pass it through .strip()"
    if not value.isascii() or not value.isprintable():
        return f"{name} holds characters that no header can carry: only printable ASCII is allowed"
    return None


def _url_problem(url: object, *, allow_insecure: bool) -> str | None:
    """Why `url` cannot be the address of the API, or None."""
    if not isinstance(url, str):
        return f"base_url must be a string, such as {DEFAULT_BASE_URL!r}, not {type(url).__name__}"
    if not _URL_CHARACTERS.fullmatch(url):
        return "base_url is empty or holds characters that no address may: percent-encode its path"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return f"base_url is not an address: pass something like {DEFAULT_BASE_URL!r}"
    if "//" not in url and not url.startswith(("http:", "https:")):
        return f"base_url has no scheme: put https:// in front, as in {DEFAULT_BASE_URL!r}"
    return _parts_problem(url, parts) or _scheme_problem(parts, allow_insecure=allow_insecure)


def _parts_problem(url: str, parts: SplitResult) -> str | None:
    if "@" in url:
        return "base_url must not hold a user or a password: the key goes into api_key"
    if "?" in url or "#" in url:
        return "base_url must end with its path: no query, no fragment"
    # Brackets are for IPv6, whose addresses have colons; `[v1.x]` is a form that nobody has ever used.
    if not _HOST.fullmatch(parts.hostname or "") or ("[" in parts.netloc) is not (":" in str(parts.hostname)):
        return f"base_url names no host: pass something like {DEFAULT_BASE_URL!r}"
    if {".", ".."} & set(parts.path.lower().replace("%2e", ".").split("/")):
        return "base_url must not hold the segments '.' and '..'"
    return None


def _scheme_problem(parts: SplitResult, *, allow_insecure: bool) -> str | None:
    match parts.scheme:
        case "https":
            return None
        case "http" if allow_insecure or _is_loopback(parts.hostname or ""):
            return None
        case "http":
            return "base_url would send the key unencrypted: use https, or pass allow_insecure=True if that is meant"
        case _:
            return f"base_url must begin with https://, as {DEFAULT_BASE_URL!r} does"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_version(url: str) -> str:
    # The official client takes a base that ends in /v1 too, and people copy it from there.
    return url.rstrip("/").removesuffix("/v1").rstrip("/")
