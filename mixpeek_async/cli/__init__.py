"""The command `mixpeek-async`. Importing this module needs nothing that the library does not need itself.

click and rich are an extra, so that the library stays small for those who use no command.
"""

import importlib.util
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of this process, and end the process."""
    for name in ("click", "rich"):
        if importlib.util.find_spec(name) is None:
            print(f"error: {name} is not installed: pip install 'mixpeek-async[cli]'", file=sys.stderr)
            sys.exit(1)
    try:
        # Not at the top: without the extra, there shall be one line and no traceback.
        from mixpeek_async.cli._app import cli
    except KeyboardInterrupt:
        # Imports take a moment, and the handlers that make a good end of Ctrl-C are among them.
        sys.exit(130)
    cli(prog_name="mixpeek-async")
