"""Every error rlsweep raises on purpose.

RlsweepError                      exit code 1: an error after work began
├── InputError                    exit code 2: the user's input cannot be used; nothing was started
│   ├── ConfigError               a config file, its content, or a pattern of files
│   ├── EnvironmentSpecError      an environment that cannot be made from its spec
│   ├── NotFoundError             a sweep, run or checkpoint that does not exist
│   ├── UntrustedFileError        a file that may run code when it is read, and that no run recorded
│   ├── SchemaError               the database has a schema that this version does not know
│   └── UnreachableError          a database, storage or Ray cluster that could not be reached before the start
├── OutageError                   an external service does not answer
│   ├── StoreUnavailableError     the database
│   │   └── StoreReadOnlyError    the database answers, and lets this user write nothing, or nothing for now
│   ├── StorageUnavailableError   the storage that a URI names
│   ├── ClusterUnavailableError   a Ray cluster
│   └── WorkersLostError          the processes that collect rollouts or compute updates for a run
├── CheckpointError               a checkpoint that cannot be written, read or used
├── SpoolError                    records that wait for the database cannot be written to disk
│   └── SpoolLostError            records that were written to disk are missing
├── StaleAttemptError             a newer attempt of the same run exists; this process must not write
├── DivergedError                 a loss or a reward became NaN or infinite
├── EnvironmentStateError         an environment violated its contract during an episode
├── SlowEnvironmentError          measuring an environment takes too long; its speed is known
├── DriverBusyError               another driver has the sweep
└── ChangedMeanwhileError         a note, tags or a saved view that somebody else has changed since they were read

Exit code 2 means that nothing was started. Two context managers guarantee that: `before_start` around opening and
checking, `after_start` around the work itself.

A message is one or two sentences: what is wrong, where (file, key, value), and the way out.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

_MAX_PASTED_LINES = 200
_MAX_LINE = 1000  # a few lines of a terminal, whatever a file or an argument holds
_UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class RlsweepError(Exception):
    """Base class of all errors whose message is for the user."""

    exit_code: ClassVar[int] = 1


class InputError(RlsweepError):
    """The user's input cannot be used; nothing was started and nothing was written."""

    exit_code: ClassVar[int] = 2


class ConfigError(InputError):
    """One or more problems in config files; `problems` holds one message each.

    pasted: what to write instead: texts of several lines, each for one file, which follow the messages

    A message may quote any content of a file or argument. So it is limited to one line, unprintable characters are
    escaped, and a very long message is shortened in the middle.
    """

    def __init__(self, *problems: str, pasted: Sequence[str] = ()) -> None:
        self.problems = tuple(printable_line(problem) for problem in problems)
        self.pasted = tuple("\n".join(map(_printable, text.splitlines())) for text in pasted)
        super().__init__("\n".join(self.problems) + _shortened("".join(f"\n\n{text}" for text in self.pasted)))


class EnvironmentSpecError(InputError):
    """An environment that cannot be made from its spec."""


class NotFoundError(InputError):
    """A sweep, run or checkpoint that does not exist."""


class UntrustedFileError(InputError):
    """A file that may run code when it is read, and that no run recorded."""


class SchemaError(InputError):
    """The database has a schema that this version of rlsweep does not know, or cannot have one."""


class UnreachableError(InputError):
    """A database, storage or Ray cluster could not be used before the start; the cause is an OutageError."""


class OutageError(RlsweepError):
    """An external service does not answer; the outage may end. `before_start` makes it an InputError."""


class StoreUnavailableError(OutageError):
    """The database cannot be reached or denies access."""


class StoreReadOnlyError(StoreUnavailableError):
    """The database answers, but lets this user write nothing, or nothing for now."""


class StorageUnavailableError(OutageError):
    """The storage of a URI cannot be reached or used, or its backend is not installed."""


class ClusterUnavailableError(OutageError):
    """The Ray cluster cannot be reached or denies access."""


class WorkersLostError(OutageError):
    """The processes that collected rollouts or computed updates died; the run can resume from its last checkpoint."""


class CheckpointError(RlsweepError):
    """A checkpoint that cannot be written, read or used."""


class SpoolError(RlsweepError):
    """Records that wait for the database cannot be written to disk: the disk is full or there are too many."""


class SpoolLostError(SpoolError):
    """Records that were written to disk are missing; the run must resume from its last checkpoint, as after a crash."""


class StaleAttemptError(RlsweepError):
    """A newer attempt of the same run exists: this process was considered dead and must not write."""


class DivergedError(RlsweepError):
    """A loss or a reward became NaN or infinite; the message names the update or episode."""


class EnvironmentStateError(RlsweepError):
    """An environment violated its contract, or raised an exception, during an episode.

    The message names the environment and, once the caller has added it by `located`, env step and episode.
    """

    def __init__(self, message: str, *, is_located: bool = False) -> None:
        super().__init__(message)
        self.is_located = is_located

    def located(self, where: str) -> "EnvironmentStateError":
        """The same error with env step and episode added, unless the message has them already."""
        if self.is_located:
            return self
        return EnvironmentStateError(f"{str(self).removesuffix('.')}, {where}.", is_located=True)


class SlowEnvironmentError(RlsweepError):
    """Measuring an environment takes too long; `steps_per_second` is the speed of its env steps by then."""

    def __init__(self, message: str, *, steps_per_second: float) -> None:
        super().__init__(message)
        self.steps_per_second = steps_per_second


class DriverBusyError(RlsweepError):
    """Another live driver holds the sweep's lease."""


class ChangedMeanwhileError(RlsweepError):
    """A note, tags or a saved view that somebody else has changed since they were read."""


@contextmanager
def before_start() -> Iterator[None]:
    """Raise an outage as UnreachableError: nothing was started, so the user can correct the input."""
    try:
        yield
    except OutageError as error:
        raise UnreachableError(str(error)) from error


@contextmanager
def after_start() -> Iterator[None]:
    """Raise an InputError as RlsweepError: work has begun, so exit code 2 would be wrong."""
    try:
        yield
    except InputError as error:
        raise RlsweepError(str(error)) from error


def _printable(line: str) -> str:
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), line)


def _shortened(text: str) -> str:
    """Cut a text that follows the messages after so many lines."""
    lines = [line[:_MAX_LINE] for line in text.split("\n")]
    if (more := len(lines) - _MAX_PASTED_LINES) <= 0:
        return "\n".join(lines)
    return "\n".join([*lines[:_MAX_PASTED_LINES], f"# … and {more} more lines"])


def printable_line(text: str) -> str:
    """Put any text on one line: unprintable characters are escaped, and a very long text is cut in the middle."""
    line = _printable(" ".join(text.splitlines()))
    if len(line) <= _MAX_LINE:
        return line
    return f"{line[: _MAX_LINE // 2]} … {line[-_MAX_LINE // 2 :]}"
