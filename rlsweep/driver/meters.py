"""Metrics of a running sweep on Ray's metrics endpoint, for Prometheus; dashboards/grafana/rlsweep-ray.json shows them.

They have labels for sweep and status, but not for trials: each label value is a series that every node's agent and
Prometheus keep (ray#41040). They are gauges; Ray drops them about 20 seconds after the last update, so the metrics of
an ended sweep disappear.
"""

import time

from ray.util.metrics import Gauge

from rlsweep.runs import RunStatus
from rlsweep.store.overview import Recorded
from rlsweep.sweep_records import Overview

SET_SECONDS = 5.0
"""Time between two updates; Ray exports them every ten seconds."""


class Meters:
    """The gauges of one running sweep."""

    def __init__(self, sweep_name: str) -> None:
        self._sweep = {"sweep": sweep_name}
        self._runs = Gauge("rlsweep_runs", "Training runs of the sweep, by status.", tag_keys=("sweep", "status"))
        self._episodes = Gauge("rlsweep_episodes", "Episodes that its runs recorded.", tag_keys=("sweep",))
        self._env_steps = Gauge("rlsweep_env_steps", "Env steps that its runs recorded.", tag_keys=("sweep",))
        self._pace = Gauge("rlsweep_steps_per_second", "Env steps a second, over all its runs.", tag_keys=("sweep",))
        self._last: tuple[float, int] | None = None

    def is_due(self) -> bool:
        """Whether the next update is due."""
        return self._last is None or time.monotonic() - self._last[0] >= SET_SECONDS

    def set(self, seen: Overview, recorded: Recorded) -> None:
        """Update all gauges; a status without runs gets 0. The speed is measured since the last update."""
        now = time.monotonic()
        for status in RunStatus:
            self._runs.set(seen.runs_by_status.get(status, 0), self._sweep | {"status": status.value})
        self._episodes.set(recorded.episodes, self._sweep)
        self._env_steps.set(recorded.env_steps, self._sweep)
        if self._last is not None:
            then, steps_then = self._last
            # a run that resumes from an earlier checkpoint reduces the sum
            self._pace.set(max(0.0, recorded.env_steps - steps_then) / max(now - then, 1e-3), self._sweep)
        self._last = now, recorded.env_steps


class SpoolMeter:
    """The gauge of what waits for the database, in a trial's process; there is none before anything does.

    Ray adds the process as a label: only the processes that cannot reach the database have a series.
    """

    def __init__(self, sweep_name: str) -> None:
        self._sweep = {"sweep": sweep_name}
        self._waiting: Gauge | None = None

    def set(self, size: int) -> None:
        """Set the bytes that wait."""
        if self._waiting is None:
            if size == 0:
                return
            self._waiting = Gauge("rlsweep_spool_bytes", "Records of a trial that wait on disk.", tag_keys=("sweep",))
        self._waiting.set(size, self._sweep)
