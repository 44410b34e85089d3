"""The targets of the fuzzer on their seeds, on what it has found, and on what hypothesis makes up."""

import os

import pytest
from fuzz_targets import SEEDS, TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))

FOUND: dict[str, list[bytes]] = {}
"""Inputs by which a target has failed once."""

KNOWN = [(name, data) for inputs in (SEEDS, FOUND) for name, many in inputs.items() for data in many]


@pytest.mark.parametrize(("name", "data"), KNOWN, ids=lambda value: value if isinstance(value, str) else "")
def test_known_inputs_raise_only_errors_of_ours(name: str, data: bytes) -> None:
    TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_a_known_input_that_was_changed_raises_only_errors_of_ours(name: str) -> None:
    known = [data for of, data in KNOWN if of == name]

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(known), st.integers(0, 2_000), st.integers(0, 20), st.binary(max_size=20))
    def replace_a_part(data: bytes, start: int, length: int, new: bytes) -> None:
        TARGETS[name](data[:start] + new + data[start + length :])

    replace_a_part()


@pytest.mark.parametrize("name", TARGETS)
def test_any_input_raises_only_errors_of_ours(name: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.binary(max_size=200))
    def take(data: bytes) -> None:
        TARGETS[name](data)

    take()
