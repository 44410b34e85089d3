"""Whatever a server advises to wait, it is waited sensibly: no exception, no negative wait, no hot loop.

The long run:

    ADVICE_EXAMPLES=20000 pytest tests/faults/test_faults_advice.py
"""

import json
import math
import os
from email.utils import formatdate
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.scripted_server import ScriptedServer, answer
from support.walk import walk_bucket

from mixpeek_async import MixpeekError, RetryPolicy
from mixpeek_async._retry import Attempts
from mixpeek_async._wire import Response, status_error

EXAMPLES = int(os.environ.get("ADVICE_EXAMPLES", "1000"))
POLICY = RetryPolicy()

numbers = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.integers(0, 200),
    st.sampled_from([0, -0.0, 1e-300, 0.05, 120, 120.000001, 1e9, 2**31, 2**63, 10**400]),
)
dates = st.one_of(
    st.floats(-6e10, 2.5e11).map(lambda at: formatdate(math.floor(at), usegmt=True)),
    st.sampled_from(
        [
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Fri, 31 Dec 9999 23:59:59 -2359",
            "Mon, 01 Jan 0001 00:00:00 +2359",
            "Sun Nov  6 08:49:37 1994",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "32 Foo 2025 25:61:61",
            "Thu, 01 Jan 1970 00:00:00 +99999999",
        ]
    ),
)
texts = st.one_of(
    st.text(max_size=30),
    st.text("0123456789+-.,eExX_infa ", max_size=12),
    st.sampled_from(["1_000", "0x10", "١٢", "1,5", "1;2", "nan", "-inf", "1e400", "9" * 5_000, "soon", "\0"]),
)
headers = st.one_of(numbers.map(str), dates, texts).filter(lambda text: "\ud800" not in text)
details = st.one_of(st.none(), st.booleans(), numbers, texts, st.lists(numbers, max_size=2), st.just({"a": 1}))


def _failure(status: int, header: str, date: str, body: Any) -> MixpeekError:
    """The error for an answer with this advice in its header and its body."""
    return status_error(
        Response(
            status=status,
            headers={"retry-after": header, "date": date},
            body=json.dumps({"error": {"details": body}}).encode(),
            received_at=1_800_000_000.0,
        )
    )


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    status=st.sampled_from([408, 429, 500, 503, 529]),
    header=headers,
    date=dates,
    body=st.fixed_dictionaries(
        {}, optional={"retry_after": details, "retry_after_seconds": details, "retryable": details}
    ),
    left=st.floats(0, 180),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_any_advice_ends_or_is_a_wait_that_fits_into_the_time_left(
    status: int, header: str, date: str, body: Any, left: float, chance: float
) -> None:
    failure = _failure(status, header, date, body)
    assert failure.retry_after is None or 0 < failure.retry_after < math.inf
    attempts = Attempts()
    waits = 0
    while (wait := _next_wait(failure, attempts, left, chance)) is not None:
        assert 0.05 <= wait < left
        left -= wait
        waits += 1
    assert waits <= 54


def _next_wait(failure: MixpeekError, attempts: Attempts, left: float, chance: float) -> float | None:
    attempts.count(failure)
    return POLICY.wait(failure, attempts, left, lambda: chance)


async def test_the_oddest_advice_on_a_real_socket() -> None:
    for advice in ["0", "-1", "nan", "1e400", "9" * 400, "\xb9", "Thu, 01 Jan 1970 00:00:00 +99999999", "١٢"]:
        async with ScriptedServer(answer({}, 503, headers={"Retry-After": advice})) as server:
            outcome = await walk_bucket(server.url)
        assert outcome.error is not None
        assert len(server.requests) <= 51
        assert all(wait >= 0.05 for wait in outcome.slept)
