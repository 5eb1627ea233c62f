"""A trial with everything but its training; see idle_trials.py."""

from dataclasses import dataclass
from typing import Any

from rlsweep.attempts import execution
from rlsweep.driver.trainable import TrialTrainable
from rlsweep.runs import Counters, Episode, RunStatus


@dataclass(frozen=True, kw_only=True)
class Done(Counters):
    status: RunStatus = RunStatus.COMPLETED


class IdleTrainable(TrialTrainable):
    def setup(self, config: dict[str, Any], **parameters: Any) -> None:  # type: ignore[override]
        execution._train = report_one_step  # in this worker
        super().setup(config, **parameters)


def report_one_step(run: Any, on_record: Any, recorder: Any, *_: Any) -> Any:
    with recorder:
        recorder.add_episodes([Episode(episode=1, env_steps=1, reward=0.0, length=1, outcome=None, seconds=0.0)])
        return Done(episodes=1, updates=0, env_steps=1)
