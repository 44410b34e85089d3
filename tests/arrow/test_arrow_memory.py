"""Batches that were handed out are no longer in memory."""

import pytest
from benchmarks.child import run
from benchmarks.server import serving


@pytest.mark.parametrize("contestant", ["ours_arrow", "ours_arrow_lean", "ours_arrow_stream"])
def test_ten_times_as_many_objects_take_the_same_memory(contestant: str) -> None:
    few, many = "cursor-10x1000", "cursor-100x1000"
    with serving(few, many) as site:
        small, large = (run("memory:peak", site.url, bucket, contestant) for bucket in (few, many))
    # A hundred pages are 107 MB of JSON.
    assert large - small < 15
