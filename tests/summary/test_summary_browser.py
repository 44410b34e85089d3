"""The page of a summary in a browser, by the protocol of its developer tools. Skipped where there is no Chromium."""

import asyncio
import base64
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from figures import HOSTILE_NAME, hostile, plain

from mixpeek_async import Summary
from mixpeek_async.cli._page import page
from mixpeek_async.cli._text import printable

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(_CHROMIUM is None, reason="there is no Chromium on the PATH")

# It runs as any user, opens no window, and looks for nothing outside.
_OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --remote-debugging-port=0"
)


class Tab:
    """One page that is open. `events` are what the browser has told about it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._session: str | None = None
        self._numbers = itertools.count(1)
        self.events: list[tuple[str, dict[str, Any]]] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol, and give its result."""
        number = next(self._numbers)
        session = {} if self._session is None else {"sessionId": self._session}
        await self._socket.send_json({"id": number, "method": method, "params": parameters, **session})
        while True:
            message = json.loads((await self._socket.receive(timeout=60)).data)
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            if "method" in message:
                self.events.append((message["method"], message["params"]))

    async def open(self, path: Path) -> None:
        """Open a file, and wait until it is loaded."""
        target = (await self.call("Target.createTarget", url="about:blank"))["targetId"]
        self._session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=path.as_uri())
        while "Page.loadEventFired" not in [method for method, _ in self.events]:
            await self.evaluate("1")

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"].get("value")

    async def resize(self, width: int) -> None:
        """Make the window so wide."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )

    async def screenshot(self, path: Path) -> None:
        """Write the whole page into a PNG file."""
        image = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(image["data"]))


@asynccontextmanager
async def opened(folder: Path, bucket: str, summary: Summary) -> AsyncIterator[Tab]:
    path = folder / "summary.html"
    path.write_text(page(bucket, summary, datetime.now(UTC)), "utf-8")
    assert _CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        _CHROMIUM, *_OPTIONS.split(), f"--user-data-dir={folder / 'profile'}", stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        found = None
        while found is None:
            line = await asyncio.wait_for(process.stderr.readline(), 60)
            assert line, "Chromium has ended"
            found = re.search(r"ws://\S+", line.decode())
        async with aiohttp.ClientSession() as session, session.ws_connect(found[0], max_msg_size=0) as socket:
            tab = Tab(socket)
            await tab.open(path)
            yield tab
    finally:
        process.kill()
        await process.communicate()


async def test_a_hostile_page_runs_nothing_and_asks_for_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, HOSTILE_NAME, hostile()) as tab:
        title = await tab.evaluate("document.title")
        elements = await tab.evaluate("document.querySelectorAll('script, img').length")
        heading = await tab.evaluate("document.querySelector('h1').textContent")
        requests = [event["request"]["url"] for method, event in tab.events if method == "Network.requestWillBeSent"]
        complaints = [
            event
            for method, event in tab.events
            if method in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        ]
    assert (title, heading) == (f"{printable(HOSTILE_NAME)}: summary", printable(HOSTILE_NAME))
    assert elements == 0
    assert requests == [(tmp_path / "summary.html").as_uri()]
    assert complaints == []


@pytest.mark.parametrize(("width", "columns"), [(400, 1), (1400, 2)])
async def test_a_page_fits_into_narrow_and_wide_windows(width: int, columns: int, tmp_path: Path) -> None:
    async with opened(tmp_path, "a-rather-long-name-of-a-bucket-without-any-space-in-it", plain()) as tab:
        await tab.resize(width)
        # Nothing is wider than the window.
        assert await tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        lefts = "[...document.querySelectorAll('section')].map(each => each.getBoundingClientRect().left)"
        assert len(set(await tab.evaluate(lefts))) == columns
        # The bars of a chart begin at one line.
        bars = "[...document.querySelectorAll('section:nth-of-type(2) td svg')]"
        assert len(set(await tab.evaluate(f"{bars}.map(each => each.getBoundingClientRect().left)"))) == 1
        assert min(await tab.evaluate(f"{bars}.map(each => each.clientWidth)")) > 30
        await tab.screenshot(tmp_path / f"{width}.png")
    assert (tmp_path / f"{width}.png").stat().st_size > 10_000


async def test_a_page_is_dark_where_the_user_wants_it_dark(tmp_path: Path) -> None:
    async with opened(tmp_path, "archive", plain()) as tab:
        colours = []
        for scheme in ("light", "dark"):
            feature = {"name": "prefers-color-scheme", "value": scheme}
            await tab.call("Emulation.setEmulatedMedia", features=[feature])
            await tab.screenshot(tmp_path / f"{scheme}.png")
            colours.append(await tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(251, 251, 249)", "rgb(20, 23, 26)"]
