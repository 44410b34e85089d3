"""The key, the namespace and the address: from arguments or the environment, checked before any I/O.

No message here shows a value, because a key pasted into the wrong argument must not end up in a log. What is wrong is
returned instead of raised, so that no frame of a traceback holds the key.
"""

import ipaddress
import os
import re
from typing import Any

import attrs
import yarl

from mixpeek_async.errors import InvalidArgumentError

DEFAULT_BASE_URL = "https://api.mixpeek.com"

_URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/\[\]%!$&'()*+,;=@?#]+")
# A name, or an IP address without a zone.
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


class Secret:
    """Holds the API key until a request is sent.

    It is not a string: tools that show the variables of a traceback often cut strings before they call `repr`, and
    would show a string subclass that hides itself in `repr` only.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key. Keep it out of variables, which tracebacks may show."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("the API key is never pickled: build a client where it is used")


@attrs.frozen(kw_only=True)
class Config:
    """What every request needs. `base_url` ends before `/v1`."""

    api_key: Secret
    namespace: str
    base_url: str


def read_config(
    api_key: str | None, namespace: str | None, base_url: str | None, *, allow_insecure: bool
) -> Config | InvalidArgumentError:
    """The checked settings, or the error for the caller to raise: which one is wrong, and what to pass instead."""
    key, name = _setting(api_key, "MIXPEEK_API_KEY"), _setting(namespace, "MIXPEEK_NAMESPACE")
    url = _setting(base_url, "MIXPEEK_BASE_URL")
    # An empty variable is no address; an empty argument is a wrong one.
    url = DEFAULT_BASE_URL if url is None or (base_url is None and not url) else url
    problem = (
        _header_problem(key, "api_key", "MIXPEEK_API_KEY")
        or (" " in key and "api_key contains a space, which no key does: leave out 'Bearer ' if it begins with that")
        or _header_problem(name, "namespace", "MIXPEEK_NAMESPACE")
        or _url_problem(url, allow_insecure=allow_insecure)
    )
    if problem:
        return InvalidArgumentError(problem)
    # The official client takes a base that ends in /v1 too, and people copy it from there.
    return Config(api_key=Secret(key), namespace=name, base_url=url.rstrip("/").removesuffix("/v1").rstrip("/"))


def _setting(value: object, variable: str) -> Any:
    value = os.environ.get(variable) if value is None else value
    # A member of an enum of strings as its value: f"{member}" would give its name.
    return str.__str__(value) if isinstance(value, str) else value


def _header_problem(value: object, name: str, variable: str) -> str | None:
    """Why `value` cannot be sent as a header, or None."""
    if value is None:
        return f"there is no {name}: pass {name}=… or set {variable} in the environment"
    if not isinstance(value, str):
        return f"{name} must be a string, not {type(value).__name__}"
    if not value.strip():
        return f"{name} is blank: pass {name}=… or set {variable} in the environment"
    if value.endswith(("\n", "\r")):
        return f"{name} ends with a line break, as text read from a file does: call .strip() on it"
    if value != value.strip():
        return f"{name} begins or ends with white space: call .strip() on it"
    if not value.isascii() or not value.isprintable():
        return f"{name} contains characters that a header cannot carry: only printable ASCII is allowed"
    return None


def _url_problem(url: object, *, allow_insecure: bool) -> str | None:
    """Why `url` cannot be the address of the API, or None."""
    if not isinstance(url, str):
        return f"base_url must be a string, such as {DEFAULT_BASE_URL!r}, not {type(url).__name__}"
    if not _URL_CHARACTERS.fullmatch(url):
        return "base_url is empty or contains characters that an address cannot have: percent-encode its path"
    try:
        # Not quoted anew: the path is sent as it was written. The host is decoded when it is read.
        parts = yarl.URL(url, encoded=True)
        host = parts.host or ""
    except ValueError:
        return f"base_url is not an address: pass something like {DEFAULT_BASE_URL!r}"
    if "//" not in url and not url.startswith(("http:", "https:")):
        return f"base_url has no scheme: put https:// in front, as in {DEFAULT_BASE_URL!r}"
    if "@" in url:
        return "base_url must not contain a user or a password: pass the key as api_key"
    if "?" in url or "#" in url:
        return "base_url must end with its path, without a query and a fragment"
    # Brackets are for IPv6 only; yarl takes `[v1.x]` too.
    if not _HOST.fullmatch(host) or ("[" in parts.raw_authority) is not (":" in host):
        return f"base_url has no host: pass something like {DEFAULT_BASE_URL!r}"
    if {".", ".."} & set(parts.path.split("/")):
        return "base_url must not contain the segments '.' and '..'"
    if parts.scheme not in ("https", "http"):
        return f"base_url must begin with https://, as {DEFAULT_BASE_URL!r} does"
    if parts.scheme == "http" and not allow_insecure and not _is_loopback(host):
        return "base_url would send the key unencrypted: use https, or pass allow_insecure=True if you mean it"
    return None


def _is_loopback(host: str) -> bool:
    # Nothing else: the name x.localhost is looked up in DNS, which may answer with any address.
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
