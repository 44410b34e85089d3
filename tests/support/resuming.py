"""What a command says on stderr about how to go on."""

import re

__all__ = ["checkpoint"]

_OPTION = re.compile(r"--resume (mpc\S+)$", re.MULTILINE)


def checkpoint(stderr: str) -> str:
    """The checkpoint that the command told its user."""
    found = _OPTION.search(stderr)
    assert found, stderr
    return found[1]
