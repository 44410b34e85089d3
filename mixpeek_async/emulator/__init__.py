"""A local Mixpeek for tests: a real HTTP server with its own data, and with faults on demand.

    async with Emulator(objects=2_500) as mixpeek:
        ...  # point a client at mixpeek.url, with mixpeek.api_key, .namespace and .bucket

It is written from the published API alone and shares no code with the client, so that the same mistake cannot be on
both sides.
"""

from mixpeek_async.emulator._calls import RecordedRequest
from mixpeek_async.emulator._emulator import Emulator
from mixpeek_async.emulator._faults import Fault
from mixpeek_async.emulator._records import Records

__all__ = ["Emulator", "Fault", "RecordedRequest", "Records"]
