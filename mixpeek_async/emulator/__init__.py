"""A local Mixpeek for tests: a real HTTP server with its own data, and with faults to order.

    async with Emulator(objects=2_500) as mixpeek:
        ...  # point a client at mixpeek.url, with mixpeek.api_key, .namespace and .bucket

It is written from the published wire alone and shares no code with the client, so that one misreading
of the wire cannot sit on both sides.
"""

from mixpeek_async.emulator._calls import RecordedRequest
from mixpeek_async.emulator._faults import Fault
from mixpeek_async.emulator._server import Emulator

__all__ = ["Emulator", "Fault", "RecordedRequest"]
