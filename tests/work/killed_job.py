"""A job that is killed at any moment: it writes the id of each object into a log, and keeps the last checkpoint.

python killed_job.py URL KEY NAMESPACE BUCKET FOLDER SEED
"""

import asyncio
import os
import random
import sys
from pathlib import Path

from mixpeek_async import AsyncMixpeek, Object


async def main(url: str, key: str, namespace: str, bucket: str, path: str, seed: str) -> None:
    folder, chance = Path(path), random.Random(seed)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    place = folder / "place"
    # One object in some lives takes long, so that the window behind it fills.
    hangs_at = chance.choice([None, chance.randrange(200)])
    number = 0

    async def handle(obj: Object) -> None:
        nonlocal number
        number += 1
        if number == hangs_at:
            await asyncio.sleep(0.5)
        elif chance.random() < 0.2:
            await asyncio.sleep(chance.random() / 200)
        os.write(log, f"{obj.object_id}\n".encode())

    def commit(checkpoint: str) -> None:
        beside = place.with_suffix(".new")
        beside.write_text(checkpoint)
        beside.replace(place)
        os.write(log, b"committed\n")

    async with AsyncMixpeek(key, namespace=namespace, base_url=url) as client:
        resume = place.read_text() if place.exists() else None
        print("ready", flush=True)
        pager = client.objects.list(bucket, resume=resume, page_size=chance.choice([7, 100, 1000]))
        await pager.for_each(handle, commit=commit, commit_every=chance.choice([0.0, 0.02, 0.1]))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:7]))
