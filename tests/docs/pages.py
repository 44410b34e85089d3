"""The pages, and the examples in them: each fenced block of `python`, with its page and line.

A block that needs a library which is not always installed has `<!-- needs: module -->` on a line before it.
"""

import importlib.util
import re
from pathlib import Path

import attrs

__all__ = ["DOCS", "ROOT", "Example", "examples", "languages", "pages"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(
    r"(?:^<!-- needs: (?P<needs>\w+) -->\n\n?)?^(?P<fence>`{3,})python\n(?P<code>.*?)^(?P=fence)$", re.M | re.S
)
_FENCE = re.compile(r"^(`{3,})([^\n]*)\n.*?^\1$", re.MULTILINE | re.DOTALL)


@attrs.frozen
class Example:
    """One block of a page. Its code begins at `line`."""

    page: Path
    line: int
    code: str
    needs: str | None

    @property
    def runs_here(self) -> bool:
        """True if the library that it needs is installed."""
        return self.needs is None or importlib.util.find_spec(self.needs) is not None

    @property
    def padded(self) -> str:
        """The code behind so many empty lines that tracebacks show the line of the page."""
        return "\n" * (self.line - 1) + self.code


def pages() -> list[Path]:
    """The README, and every page of the documentation."""
    return [ROOT / "README.md", *sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)]


def examples(page: Path) -> list[Example]:
    """The Python blocks of `page`, in order."""
    text = page.read_text("utf-8")
    return [
        Example(page, text.count("\n", 0, match.start("code")) + 1, match["code"], match["needs"])
        for match in _BLOCK.finditer(text)
    ]


def languages(page: Path) -> set[str]:
    """The languages that the fences of `page` name."""
    return {match[2].strip() for match in _FENCE.finditer(page.read_text("utf-8"))}
