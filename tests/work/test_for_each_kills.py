"""A job that is killed with SIGKILL, time and again, handles every object, and few of them twice.

    KILLS=300 pytest -k kills

kills it so often; 10 times without being asked.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mixpeek_async
from mixpeek_async._work import WINDOW
from mixpeek_async.emulator import Emulator

pytest_plugins = ["mixpeek_async.testing"]

KILLS = int(os.environ.get("KILLS", "10"))
OBJECTS = 5_000
COMMITTED = "committed"
JOB = Path(__file__).with_name("killed_job.py")


def log_of(folder: Path) -> list[str]:
    log = folder / "log"
    return log.read_text().split() if log.exists() else []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_nothing_is_skipped_and_a_kill_repeats_no_more_than_the_window(
    mixpeek_emulator: Emulator, tmp_path: Path
) -> None:
    chance = random.Random(KILLS)
    kills = rounds = 0
    environment = {**os.environ, "PYTHONPATH": str(Path(mixpeek_async.__file__).parents[1])}
    emulator = mixpeek_emulator
    emulator.seed(OBJECTS)
    ids = emulator.object_ids()
    access = [emulator.url, emulator.api_key, emulator.namespace, emulator.bucket]
    earlier: list[str] = []
    while kills < KILLS or rounds == 0:
        folder = tmp_path / str(rounds)
        folder.mkdir(exist_ok=True)
        before = log_of(folder)
        command = [sys.executable, str(JOB), *access, str(folder), str(kills)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as job:
            assert job.stdout is not None
            assert job.stdout.readline() == b"ready\n"
            if kills < KILLS:
                time.sleep(chance.random() / 4)
                job.kill()
        life = log_of(folder)[len(before) :]
        handled = [line for line in life if line != COMMITTED]
        # What the life before has handled comes again: what it did not commit, and what lay behind an unfinished one.
        twice = set(earlier) & set(handled)
        since_commit = len(earlier) if COMMITTED not in earlier else earlier[::-1].index(COMMITTED)
        earlier = [] if job.returncode == 0 else life
        assert len(handled) == len(set(handled)), "an object was handled twice in one life"
        assert len(twice) <= WINDOW + since_commit
        assert job.returncode in (0, -signal.SIGKILL)
        if job.returncode == 0:
            assert set(log_of(folder)) - {COMMITTED} == set(ids)
            rounds += 1
        else:
            kills += 1
