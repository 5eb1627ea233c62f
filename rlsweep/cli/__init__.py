"""The command line: each command parses, calls one function, prints."""

from rlsweep.cli.app import main

__all__ = ["main"]
