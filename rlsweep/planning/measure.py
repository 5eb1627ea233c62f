"""Measure environments and networks in a child process, so that this one imports neither torch nor the user's code."""

import json
import logging
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

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


@before_start()
def measure_configs(configs: Sequence[RunConfig], *, gpus: bool, timeout: float) -> list[Measurement]:
    """Return a measurement for each config, in order; configs with the same environment and network share one.

    gpus: whether trials use GPUs; then a GPU of this machine is measured, if it has one
    timeout: seconds after which the child process is killed

    Raises the child's RlsweepErrors (EnvironmentSpecError, ConfigError), UnreachableError if the storage of an
    opponent's checkpoint does not answer, SlowEnvironmentError if it took too long and env steps were played, and
    RlsweepError if the child failed in another way or took too long.
    """
    command = module_command("rlsweep.planning.probe")
    environ = os.environ | {"PYTHONPATH": python_path()} | ({} if gpus else {"CUDA_VISIBLE_DEVICES": ""})
    records = json.dumps([config.to_record() for config in configs])
    timed_out = threading.Event()
    with (
        tempfile.TemporaryFile("w+", errors="replace") as errors_of_child,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors_of_child, text=True, env=environ
        ) as child,
        _killed_after(timeout, child, timed_out),
        _said_after(LONG_SECONDS),
        stage(f"Measuring {configs[0].training.environment.id}") as tell,
    ):
        heard = _converse(child, records, tell)
        answer = heard.answer
        child.wait()
        if timed_out.is_set():
            raise _too_long(timeout, heard)
        if answer is None or child.returncode != 0:
            errors_of_child.seek(0)
            ended = _how_it_ended(child.returncode, errors_of_child.read())
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
def _killed_after(seconds: float, child: subprocess.Popen[str], timed_out: threading.Event) -> Iterator[None]:
    """Kill the child once the time is over, which sets the event, or at an exception in the context."""

    def end() -> None:
        timed_out.set()
        child.kill()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except BaseException:
        child.kill()
        raise
    finally:
        timer.cancel()


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


def _converse(child: subprocess.Popen[str], records: str, tell: Callable[[str], None]) -> Heard:
    """Send the configs and read until the child closes its output; log what it waits for, and tell how far it is."""
    assert child.stdin is not None
    assert child.stdout is not None
    with suppress(BrokenPipeError), child.stdin:
        child.stdin.write(records)
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
