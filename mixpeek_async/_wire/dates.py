"""Dates as headers write them."""

from datetime import UTC
from email.utils import parsedate_to_datetime


def unix_seconds(date: str) -> float | None:
    """Unix seconds of an HTTP date (RFC 9110, 5.6.7); None where it is none."""
    try:
        moment = parsedate_to_datetime(date)
        # The oldest form of an HTTP date names no zone, and means UTC: "Sun Nov  6 08:49:37 1994".
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
