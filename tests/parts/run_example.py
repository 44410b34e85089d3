"""Run the blocks of docs/howto/parallel.md in this process: those that need no library, then the one that needs NAME.

python run_example.py PAGE [NAME]
"""

import ast
import asyncio
import inspect
import os
import re
import sys
import types
from pathlib import Path
from typing import Any

from mixpeek_async import AsyncMixpeek
from mixpeek_async.emulator import Emulator
from mixpeek_async.testing import running

_BLOCK = re.compile(r"(?:^<!-- needs: (\w+) -->\n\n?)?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main(page: str, name: str = "") -> None:
    """Run them. An error ends the process."""
    with running(Emulator(objects=250)) as emulator, asyncio.Runner() as runner:
        os.environ["MIXPEEK_API_KEY"], os.environ["MIXPEEK_NAMESPACE"] = emulator.api_key, emulator.namespace
        os.environ["MIXPEEK_BASE_URL"] = emulator.url
        client = AsyncMixpeek()
        module = types.ModuleType("example")
        names: dict[str, Any] = vars(module)
        names.update(client=client, emulator=emulator, bucket=emulator.bucket)
        for needs, code in _BLOCK.findall(Path(page).read_text("utf-8")):
            if needs in ("", name):
                compiled = compile(code, page, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                result = eval(compiled, names)
                if inspect.iscoroutine(result):
                    runner.run(result)
        runner.run(client.aclose())


if __name__ == "__main__":
    main(*sys.argv[1:])
