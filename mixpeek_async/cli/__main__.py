"""`python -m mixpeek_async.cli`: the same as `python -m mixpeek_async`."""

from mixpeek_async.cli import main

main()
