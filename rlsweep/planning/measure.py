"""Measure environments and networks in a child process, so that this one imports neither torch nor the user's code."""

import json
import logging
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from rlsweep import errors
from rlsweep.analysis.wording import number, plural
from rlsweep.cluster.fork_client import module_command
from rlsweep.config.run import RunConfig
from rlsweep.errors import RlsweepError, SlowEnvironmentError, before_start
from rlsweep.exit_codes import how_it_ended
from rlsweep.planning.estimate import Measurement
from rlsweep.python_path import python_path
from rlsweep.stages import stage

logger = logging.getLogger(__name__)

LONG_SECONDS = 30.0
"""After this time, a measurement that goes on is mentioned."""

_KINDS: dict[str, type[RlsweepError]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, RlsweepError)
}


@contextmanager
def measuring(configs: Sequence[RunConfig], *, gpus: bool, timeout: float) -> Iterator[Callable[[], list[Measurement]]]:
    """Measure configs while the context lasts. The context gives a function that waits for the measurements.

    It returns one for each config, in order; configs with the same environment and network share one. The end of the
    context ends a measurement that still runs.

    gpus: whether trials use GPUs; then a GPU of this machine is measured, if it has one
    timeout: seconds after which the child process is killed

    The function raises the child's RlsweepErrors (EnvironmentSpecError, ConfigError), UnreachableError if the storage
    of an opponent's checkpoint does not answer, SlowEnvironmentError if it took too long and env steps were played,
    and RlsweepError if the child failed in another way or took too long.
    """
    command = module_command("rlsweep.planning.probe")
    environ = os.environ | {"PYTHONPATH": python_path()} | ({} if gpus else {"CUDA_VISIBLE_DEVICES": ""})
    with tempfile.TemporaryFile("w+") as records, tempfile.TemporaryFile("w+", errors="replace") as errors_of_child:
        json.dump([config.to_record() for config in configs], records)
        records.seek(0)  # a file: to write into a pipe would wait for the child
        with (
            subprocess.Popen(
                command, stdin=records, stdout=subprocess.PIPE, stderr=errors_of_child, text=True, env=environ
            ) as child,
            _killed_after(timeout, child) as timed_out,
        ):
            environment = configs[0].training.environment.id
            yield _Probe(child, errors_of_child, timeout, timed_out, environment).measurements


@dataclass(frozen=True, slots=True)
class _Probe:
    """The child process, what it wrote on stderr, and whether it was killed after `timeout` seconds."""

    child: subprocess.Popen[str]
    errors: IO[str]
    timeout: float
    timed_out: threading.Event
    environment: str

    @before_start()
    def measurements(self) -> list[Measurement]:
        """Wait for the child's end, and return what it measured; see `measuring`."""
        with _said_after(LONG_SECONDS), stage(f"Measuring {self.environment}") as tell:
            heard = _listen(self.child, tell)
            self.child.wait()
        if self.timed_out.is_set():
            raise _too_long(self.timeout, heard)
        answer = heard.answer
        if answer is None or self.child.returncode != 0:
            self.errors.seek(0)
            ended = _how_it_ended(self.child.returncode, self.errors.read())
            raise RlsweepError(f"Measuring the environment failed ({ended}).")
        if "error" in answer:
            raise _KINDS[answer["kind"]](answer["error"])
        return [Measurement.from_dict(measurement) for measurement in answer["measurements"]]


@contextmanager
def _said_after(seconds: float) -> Iterator[None]:
    """Log it if the context lasts that long: a child that waits inside a C library cannot say it itself."""
    timer = threading.Timer(seconds, logger.warning, ("Measuring the environment has taken %.0f s so far.", seconds))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _killed_after(seconds: float, child: subprocess.Popen[str]) -> Iterator[threading.Event]:
    """Kill the child once the time is over, which sets the event, or at the end of the context."""
    timed_out = threading.Event()

    def end() -> None:
        timed_out.set()
        child.kill()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield timed_out
    finally:
        timer.cancel()
        child.kill()


@dataclass(slots=True)
class Heard:
    """What the child has said: its answer, what it waited for last, and the env steps that it played in how long."""

    answer: dict[str, Any] | None = None
    waited_for: str | None = None
    env_steps: int = 0
    seconds: float = 0.0


def _too_long(timeout: float, heard: Heard) -> RlsweepError:
    """With the speed, if any env step was played."""
    took = f"took longer than {timeout:g} s and was stopped"
    if heard.env_steps and heard.seconds:
        pace = heard.env_steps / heard.seconds
        text = (
            f"Measuring the environment {took}, after {plural(heard.env_steps, 'env step')}: {number(pace)} a second."
        )
        return SlowEnvironmentError(text, steps_per_second=pace)
    hint = (
        f"It waited for {heard.waited_for}." if heard.waited_for else "Play a few of its episodes by hand to see why."
    )
    return RlsweepError(f"Measuring the environment {took}. {hint}")


def _listen(child: subprocess.Popen[str], tell: Callable[[str], None]) -> Heard:
    """Read until the child closes its output; log what it waits for, and tell how far it is."""
    assert child.stdout is not None
    heard = Heard()
    for line in child.stdout:
        said: dict[str, Any] = json.loads(line)
        if "waiting" in said:
            heard.waited_for = said["waiting"]
            logger.warning("Waiting for %s.", heard.waited_for)
        elif "env_steps" in said:
            heard.env_steps, heard.seconds = said["env_steps"], said["seconds"]
            tell(f"{plural(heard.env_steps, 'env step')}, {number(heard.env_steps / heard.seconds)} steps/s")
        else:
            heard.answer = said
    return heard


def _how_it_ended(exit_code: int, written: str) -> str:
    lines = written.strip().splitlines()
    last = f"; it last wrote: {lines[-1]}" if lines else ""
    return f"its process {how_it_ended(exit_code)}{last}"
