"""A sweep in numbers on Ray's own metrics endpoint, for Prometheus; dashboards/grafana/rlsweep-ray.json draws them.

By sweep and status, never by trial: each value of a label is a series that every node's agent and Prometheus keep
(ray#41040). They are gauges, which Ray drops some twenty seconds after they were last set: those of a sweep that nobody
drives any more are gone.
"""

import time

from ray.util.metrics import Gauge

from rlsweep.runs import Overview, RunStatus
from rlsweep.store.overview import Recorded

SET_SECONDS = 5.0
"""Between two times that they are set; Ray takes them every ten."""


class Meters:
    """The gauges of one sweep that is driven."""

    def __init__(self, sweep_name: str) -> None:
        self._sweep = {"sweep": sweep_name}
        self._runs = Gauge("rlsweep_runs", "Training runs of the sweep, by status.", tag_keys=("sweep", "status"))
        self._episodes = Gauge("rlsweep_episodes", "Episodes that its runs recorded.", tag_keys=("sweep",))
        self._env_steps = Gauge("rlsweep_env_steps", "Env steps that its runs recorded.", tag_keys=("sweep",))
        self._pace = Gauge("rlsweep_steps_per_second", "Env steps a second, over all its runs.", tag_keys=("sweep",))
        self._last: tuple[float, int] | None = None

    def is_due(self) -> bool:
        """Whether it is time to set them again."""
        return self._last is None or time.monotonic() - self._last[0] >= SET_SECONDS

    def set(self, seen: Overview, recorded: Recorded) -> None:
        """Set all of them, a status that no run has to 0; the pace is that since the last time."""
        now = time.monotonic()
        for status in RunStatus:
            self._runs.set(seen.runs_by_status.get(status, 0), self._sweep | {"status": status.value})
        self._episodes.set(recorded.episodes, self._sweep)
        self._env_steps.set(recorded.env_steps, self._sweep)
        if self._last is not None:
            then, steps_then = self._last
            # A run that goes back to a checkpoint takes steps away.
            self._pace.set(max(0.0, recorded.env_steps - steps_then) / max(now - then, 1e-3), self._sweep)
        self._last = now, recorded.env_steps
