"""The options of every command, as the page docs/reference/cli.md shows them.

`python tests/cli/reference.py` writes them into the page; a test compares the two. The text is made of the commands
themselves and not of their `--help`, whose form is another one in each version of click.
"""

import inspect
from pathlib import Path

import click

from mixpeek_async.cli._app import cli

__all__ = ["PAGE", "between_markers", "reference"]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"

_BEGIN, _END = "<!-- made from the commands -->\n", "<!-- end -->\n"


def reference() -> str:
    """One section for each command."""
    return "\n".join(_section(name, command) for name, command in cli.commands.items())


def between_markers(page: str) -> tuple[str, str, str]:
    """What is before the text that is made from the commands, that text, and what is behind it."""
    before, begin, rest = page.partition(_BEGIN)
    made, end, after = rest.partition(_END)
    assert begin
    assert end
    return before + begin, made, end + after


def _section(name: str, command: click.Command) -> str:
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    options = [param for param in command.params if isinstance(param, click.Option)]
    usage = " ".join(["mixpeek-async", name, "[OPTIONS]", *map(_argument, arguments)])
    paragraphs = [f"### {name}", f"```text\n{usage}\n```", inspect.cleandoc(command.help or ""), *map(_option, options)]
    return "\n\n".join(paragraphs) + "\n"


def _argument(argument: click.Argument) -> str:
    name = str(argument.name).upper()
    return name if argument.required else f"[{name}]"


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{' '.join(filter(None, [name, _metavar(option)]))}`" for name in option.opts)
    default = f"  [default: {option.default}]" if option.show_default else ""
    return f"{names}\n: {option.help}{default}"


def _metavar(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices))
    return option.metavar or option.type.name.split()[0].upper()


if __name__ == "__main__":
    start, _, end = between_markers(PAGE.read_text("utf-8"))
    PAGE.write_text(start + reference() + end, "utf-8")
