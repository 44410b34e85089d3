"""Checks of settings. Each returns the value, or raises a ValueError that names the setting."""

import ipaddress
import math
from collections.abc import Mapping
from typing import Any


def int_between(name: str, value: int, low: int, high: float = math.inf) -> int:
    # True is an int for isinstance.
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        bounds = f"of at least {low}" if high == math.inf else f"from {low} to {high}"
        raise ValueError(f"{name} must be a whole number {bounds}, not {value!r}")
    return value


def seconds(name: str, value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a number of seconds, 0 or more, not {value!r}")
    return value


def text(name: str, value: str) -> str:
    if not value:
        raise ValueError(f"{name} must not be empty")
    return value


def one_of(name: str, value: str, known: Mapping[str, Any]) -> str:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")
    return value


def is_loopback(host: str) -> bool:
    """True for `localhost` and for the loopback addresses: no other machine reaches them."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_address(host: str) -> bool:
    """True for an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
