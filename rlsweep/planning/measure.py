"""Measure environments and networks in a child process, so that this one imports neither torch nor the user's code."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

from rlsweep import errors
from rlsweep.config.run import RunConfig
from rlsweep.errors import RlsweepError, before_start
from rlsweep.exit_codes import how_it_ended
from rlsweep.planning.estimate import Measurement
from rlsweep.python_path import python_path

_KINDS: dict[str, type[RlsweepError]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, RlsweepError)
}


@before_start()
def measure_configs(configs: Sequence[RunConfig], *, gpus: bool, timeout: float) -> list[Measurement]:
    """Return a measurement for each config, in order; configs with the same environment and network share one.

    gpus: whether trials use GPUs; then a GPU of this machine is measured, if it has one
    timeout: seconds after which the child process is killed

    Raises the child's RlsweepErrors (EnvironmentSpecError, ConfigError), UnreachableError if the storage of an
    opponent's checkpoint does not answer, and RlsweepError if the child failed in another way or took too long.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-m", "rlsweep.planning.probe"],
            input=json.dumps([config.to_record() for config in configs]),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=os.environ | {"PYTHONPATH": python_path()} | ({} if gpus else {"CUDA_VISIBLE_DEVICES": ""}),
        )
    except subprocess.TimeoutExpired as exc:
        raise RlsweepError(
            f"Measuring the environment took longer than {timeout:g} s and was stopped. "
            "Play a few of its episodes by hand to see what it waits for."
        ) from exc
    if child.returncode != 0:
        raise RlsweepError(f"Measuring the environment failed ({_how_it_ended(child)}).")
    answer = json.loads(child.stdout)
    if isinstance(answer, dict):
        raise _KINDS[answer["kind"]](answer["error"])
    return [Measurement.from_dict(measurement) for measurement in answer]


def _how_it_ended(child: subprocess.CompletedProcess[str]) -> str:
    lines = child.stderr.strip().splitlines()
    last = f"; it last wrote: {lines[-1]}" if lines else ""
    return f"its process {how_it_ended(child.returncode)}{last}"
