"""A command called in this process, with what a process of its own would have: no time goes into its start."""

import asyncio
import io
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from rlsweep.cli import main


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Done:
    """What a command that has ended said."""

    code: int
    stdout: str
    stderr: str

    def expect(self, code: int) -> "Done":
        assert self.code == code, f"exit {self.code}\n{self.stdout}\n{self.stderr}"
        return self


def call(arguments: tuple[str, ...], environ: Mapping[str, str], folder: Path, stream: type[io.StringIO]) -> Done:
    """Run it in `folder`, with `environ` for all there is of environment variables."""
    out, err = stream(), stream()
    with _surroundings(arguments, environ, folder), redirect_stdout(out), redirect_stderr(err):
        code = main(arguments, environ)
    return Done(code, out.getvalue(), err.getvalue())


@contextmanager
def _surroundings(arguments: tuple[str, ...], environ: Mapping[str, str], folder: Path) -> Iterator[None]:
    known = set(sys.modules)
    with (
        patch.dict(os.environ, environ, clear=True),
        patch.object(sys, "argv", ["rlsweep", *arguments]),
        Path(os.devnull).open() as nothing,
        patch.object(sys, "stdin", nothing),
        chdir(folder),
        warnings.catch_warnings(),
        _no_running_loop(),
    ):
        warnings.simplefilter("default")
        yield
    for name in set(sys.modules) - known:  # the user's own, which the next test may have under the same name
        if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(folder):
            del sys.modules[name]


@contextmanager
def _no_running_loop() -> Iterator[None]:
    """Playwright leaves its event loop marked as running in the thread of earlier tests, though it waits meanwhile."""
    marked = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(marked)
