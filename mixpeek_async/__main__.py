"""`python -m mixpeek_async`: the command, for where the script is not on the PATH."""

from mixpeek_async.cli import main

main()
