"""Text from a server, made safe to show in a message, a log line or a terminal."""


def printable(text: str, limit: int = 2_000) -> str:
    """`text` with every character that is not printable escaped (`\\x1b`, `\\n`), cut to `limit` characters.

    The text of a server may hold terminal escapes, line breaks that forge log lines, or a megabyte.
    """
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text[:limit]
    )
    return shown if len(text) <= limit and len(shown) <= limit else shown[: limit - 1] + "…"
