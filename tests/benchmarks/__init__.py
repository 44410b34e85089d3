"""What a walk costs, beside what else there is: `cd tests && python -m benchmarks`."""

__all__: list[str] = []
