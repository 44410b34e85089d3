"""So many random walks as WALKS says, 500 without being asked, and none may break the promise."""

import os

from .stage import staged

WALKS = int(os.environ.get("WALKS", "500"))


def test_random_walks_break_no_promise() -> None:
    with staged() as stage:
        for seed in range(WALKS):
            outcome = stage.walk(seed)
            if outcome.failure:
                again = stage.walk(seed, trace=True)
                trace = "\n".join(again.trace[-200:])
                raise AssertionError(f"{trace}\n\n{outcome.text}\n\npython -m random_walks {seed}")
