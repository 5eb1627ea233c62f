"""Every error rlsweep raises on purpose.

RlsweepError                      exit code 1: something went wrong while working
├── InputError                    exit code 2: what the user gave cannot be used; nothing was started
│   ├── ConfigError               a config file, its content, or a pattern of files
│   ├── EnvironmentSpecError      an environment that cannot be made from its spec
│   ├── NotFoundError             a sweep, run or checkpoint that does not exist
│   ├── UntrustedFileError        a file that could run code when it is read, and that no run has on record
│   ├── SchemaError               the database holds a schema this version does not know
│   └── UnreachableError          a database, storage or Ray cluster that could not be reached before the start
├── OutageError                   something that rlsweep works with does not answer
│   ├── StoreUnavailableError     the database
│   ├── StorageUnavailableError   the storage that a URI names
│   ├── ClusterUnavailableError   a Ray cluster
│   └── WorkersLostError          the processes that played or learned for a run
├── CheckpointError               a checkpoint that cannot be written, read or used
├── SpoolError                    records that wait for the database cannot be kept on disk
│   └── SpoolLostError            records that were kept on disk are gone
├── StaleAttemptError             a newer attempt of the same run exists; this process must not write
├── DivergedError                 a loss or a reward became NaN or infinite
├── EnvironmentStateError         an environment that broke its contract while it was played
└── DriverBusyError               another driver holds the sweep

Exit code 2 promises that nothing was started. Two context managers keep the promise: `before_start` around what opens
and checks, `after_start` around the work itself.

A message is one or two sentences: what is wrong, where (file, key, value), and the way out.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

_MAX_LINE = 1000  # a few lines of a terminal, whatever a file or an argument holds
_UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class RlsweepError(Exception):
    """Base of every error that is raised for a user to read."""

    exit_code: ClassVar[int] = 1


class InputError(RlsweepError):
    """What the user gave cannot be used; nothing was started and nothing was written."""

    exit_code: ClassVar[int] = 2


class ConfigError(InputError):
    """One or more problems in config files; `problems` holds one message each.

    A message quotes what a file or an argument holds, which may be anything. It is kept to one line, what a terminal
    would obey is written as an escape, and the middle of a very long message is left out.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = tuple(_printable_line(problem) for problem in problems)
        super().__init__("\n".join(self.problems))


class EnvironmentSpecError(InputError):
    """An environment that cannot be made from its spec."""


class NotFoundError(InputError):
    """A sweep, run or checkpoint that does not exist."""


class UntrustedFileError(InputError):
    """A file that could run code when it is read, and that no run has on record."""


class SchemaError(InputError):
    """The database holds a schema that this version of rlsweep does not know, or cannot hold one."""


class UnreachableError(InputError):
    """Before the start a database, storage or Ray cluster could not be reached or used; the cause is an OutageError."""


class OutageError(RlsweepError):
    """Something that rlsweep works with does not answer; it may come back. `before_start` makes it an InputError."""


class StoreUnavailableError(OutageError):
    """The database cannot be reached, or does not let us work with it."""


class StorageUnavailableError(OutageError):
    """The storage that a URI names cannot be reached or used, or its backend is not installed."""


class ClusterUnavailableError(OutageError):
    """The Ray cluster cannot be reached, or does not let us in."""


class WorkersLostError(OutageError):
    """The processes that played or learned for a run are gone; it can go on from its last checkpoint."""


class CheckpointError(RlsweepError):
    """A checkpoint that cannot be written, read or used."""


class SpoolError(RlsweepError):
    """Records that wait for the database to return cannot be kept on disk: it is full, or they are too many."""


class SpoolLostError(SpoolError):
    """Records that were kept on disk are gone; the run has to go on from its last checkpoint, as after a crash."""


class StaleAttemptError(RlsweepError):
    """A newer attempt of the same run exists: this process was given up and must not write."""


class DivergedError(RlsweepError):
    """A loss or a reward became NaN or infinite; the message names the update or episode."""


class EnvironmentStateError(RlsweepError):
    """An environment that broke its contract while it was played; the message names it and the env step."""


class DriverBusyError(RlsweepError):
    """Another live driver holds the sweep's lease."""


@contextmanager
def before_start() -> Iterator[None]:
    """Raise an outage as UnreachableError: nothing was started, so it is the user's to name something else."""
    try:
        yield
    except OutageError as error:
        raise UnreachableError(str(error)) from error


@contextmanager
def after_start() -> Iterator[None]:
    """Raise an InputError as RlsweepError: work has begun, so exit code 2 would not be true."""
    try:
        yield
    except InputError as error:
        raise RlsweepError(str(error)) from error


def _printable_line(text: str) -> str:
    line = " ".join(text.splitlines())
    line = _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), line)
    if len(line) <= _MAX_LINE:
        return line
    return f"{line[: _MAX_LINE // 2]} … {line[-_MAX_LINE // 2 :]}"
