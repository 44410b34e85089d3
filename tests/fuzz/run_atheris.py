"""Coverage-guided fuzzing of one target, until it fails or is done; on Linux, with `pip install -e '.[fuzz]'`:

    python tests/fuzz/run_atheris.py body_to_page -runs=1000000

Targets: body_to_page, retry_after, path_segment, checkpoint, error_body. All further arguments are libFuzzer's own
(`-max_total_time=60`, `-max_len=65536`, a folder to keep the corpus in). An input that fails is written to a file
`crash-…`; it becomes a test in test_fuzz_targets.py.
"""

import importlib
import sys
import tempfile
from pathlib import Path


def main(name: str, *options: str) -> None:
    """Feed target `name`, from its seeds on."""
    # It has neither type stubs nor a place in the checks of those who do not fuzz.
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["mixpeek_async", "json", "email"]):
        targets = importlib.import_module("fuzz_targets")
    with tempfile.TemporaryDirectory() as seeds:
        for number, seed in enumerate(targets.SEEDS[name]):
            Path(seeds, str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *options, seeds], targets.TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
