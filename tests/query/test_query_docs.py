"""The examples of docs/queries.md run as they stand."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

from support.clients import connect

from mixpeek_async.emulator import Emulator

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"


async def test_the_examples_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 5
    async with (
        Emulator(objects=200) as emulator,
        connect(emulator) as client,
    ):
        names: dict[str, Any] = {"client": client, "bucket": emulator.bucket}
        for block in blocks:
            running = eval(compile(block, str(PAGE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
            if inspect.isawaitable(running):
                await running
    assert emulator.requests
