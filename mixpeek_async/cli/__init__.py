"""The command `mixpeek-async`. This is its door; it needs nothing that the library does not need itself.

click and rich are an extra, so that the library stays small for those who never type a command.
"""

import sys

__all__ = ["main"]

_EXTRA = frozenset({"click", "rich"})


def main() -> None:
    """Run the command with the arguments of this process, and end the process."""
    try:
        # Not at the top: whoever has no extra should read one line here, and no traceback.
        from mixpeek_async.cli._app import cli
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        print(f"error: {error.name} is not installed: pip install 'mixpeek-async[cli]'", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        # Loading takes a moment, and the handlers that make a good end of Ctrl-C are part of what is loaded.
        sys.exit(130)
    cli(prog_name="mixpeek-async")
