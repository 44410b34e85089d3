"""One walk again: `python -m random_walks SEED`; or many: `python -m random_walks FIRST COUNT`."""

import sys
import time
from collections import Counter

from .stage import staged


def replay(seed: int) -> int:
    """Print all that happened."""
    with staged() as stage:
        outcome = stage.walk(seed, trace=True)
    print(*outcome.trace, sep="\n")
    print(f"seed {seed}:", outcome.text or "nothing is wrong")
    return 1 if outcome.failure else 0


def survey(first: int, count: int) -> int:
    """Print what failed, by kinds, with some seeds of each."""
    began = time.perf_counter()
    failed: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    stopped = requests = 0
    with staged() as stage:
        for seed in range(first, first + count):
            outcome = stage.walk(seed)
            stopped += outcome.stopped
            requests += outcome.requests
            if outcome.failure:
                failed[outcome.failure] += 1
                examples.setdefault(outcome.failure, []).append(f"{seed}: {outcome.text[:150]}")
    seconds = time.perf_counter() - began
    print(f"{count} walks, {requests} requests, {seconds:.0f} s; {stopped} ended early for a good reason")
    for kind, number in failed.most_common():
        print(f"{number:6} {kind}", *examples[kind][:8], sep="\n           ")
    return 1 if failed else 0


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(replay(*arguments) if len(arguments) == 1 else survey(*arguments))
