"""`python -m rlsweep`: the same as the `rlsweep` command."""

from rlsweep.cli import main

main()
