"""A walk must not need many more instructions than it did when its number was last written down here. It is no time."""

import sys

import pytest

from benchmarks.contestants import OURS
from benchmarks.instructions import per_object, why_not

# Two runs of one Python differ by less than a thousandth; two builds of one version by some seven hundredths.
# If a change is worth more instructions, or needs fewer, write down what this test finds.
PER_OBJECT = {(3, 11): 59_037, (3, 12): 63_778, (3, 13): 64_189}
A_TENTH_MORE = 1.1


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
@pytest.mark.skipif(sys.version_info[:2] not in PER_OBJECT, reason="no number is written down for this Python")
def test_an_object_costs_at_most_a_tenth_more_instructions_than_its_number() -> None:
    expected = PER_OBJECT[sys.version_info[:2]]
    found = per_object(OURS, pages=10, page=1000)
    assert found <= A_TENTH_MORE * expected, f"{found:,.0f} instructions an object, where {expected:,} are written down"
