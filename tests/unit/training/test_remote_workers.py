"""A run whose rollouts come from elsewhere. The workers here are a script; tests/integration/sweep has RLlib's."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.policies import ActorCriticPolicy

from rlsweep.config.run import RunConfig, ScoreEvaluation
from rlsweep.config.training import EvaluationConfig
from rlsweep.errors import DivergedError
from rlsweep.runs import Outcome, RunStatus
from rlsweep.training.remote_workers import EpisodePart, ScheduledValues
from rlsweep.training.session import Result
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder


def part(episode: str, length: int, *, ended: bool = False, reward: float = 1.0) -> EpisodePart:
    return EpisodePart(episode=episode, reward=reward, length=length, ended=ended, outcome="win" if ended else None)


class Scripted:
    """Sends rollouts as given, and adds one to every weight at each update."""

    facts: Mapping[str, str] = {"engine": "a script"}

    def __init__(self, *rollouts: Sequence[EpisodePart]) -> None:
        self._rollouts = list(rollouts)
        self.started_at: int | None = None
        self.scheduled: list[ScheduledValues] = []
        self.is_closed = False

    def start(self, policy: ActorCriticPolicy, *, env_steps: int) -> None:
        self.started_at = env_steps

    def collect_rollout(self, must_stop: Callable[[], bool]) -> Sequence[EpisodePart]:
        return self._rollouts.pop(0)

    def update(self, scheduled: ScheduledValues) -> Mapping[str, float]:
        self.scheduled.append(scheduled)
        return dict.fromkeys(("train/policy_gradient_loss", "train/value_loss", "train/entropy_loss"), -0.5)

    def copy_weights_to(self, policy: ActorCriticPolicy) -> None:
        with torch.no_grad():
            for weight in policy.parameters():
                weight.fill_(float(len(self.scheduled)))

    def close(self) -> None:
        self.is_closed = True


ROLLOUT = (part("a", 3, ended=True), part("b", 2, ended=True), part("c", 3))
NEXT = (part("c", 4, ended=True), part("d", 4))


@pytest.fixture
def run(make_config: Callable[..., RunConfig], tmp_path: Path) -> Callable[..., tuple[Result, ListRecorder]]:
    def learn(
        workers: Scripted,
        recorder: ListRecorder | None = None,
        learning_rate: float | str = 1e-3,
        score: ScoreEvaluation | None = None,
        pause_at: float | None = None,
        **budget: int,
    ) -> tuple[Result, ListRecorder]:
        recorder = recorder or ListRecorder()
        config = make_config(
            agent={"n_steps": 8, "batch_size": 8, "learning_rate": learning_rate},
            evaluation=EvaluationConfig(enabled=False),
            **budget,
        )
        config = config.model_copy(update={"score_evaluation": score})
        result = train(
            config, recorder, checkpoint_folder=tmp_path, tensorboard_folder=None, workers=workers, pause_at=pause_at
        )
        return result, recorder

    return learn


def test_episodes_are_put_together_and_numbered_as_they_arrive(run: Callable[..., Any]) -> None:
    workers = Scripted(ROLLOUT, NEXT)
    result, recorder = run(workers, total_timesteps=16)
    assert [(each.episode, each.env_steps, each.length, each.reward) for each in recorder.episodes] == [
        (1, 3, 3, 1.0),
        (2, 5, 2, 1.0),
        (3, 12, 7, 2.0),
    ]
    assert {each.outcome for each in recorder.episodes} == {Outcome.WIN}
    assert [update.env_steps for update in recorder.updates] == [8, 16]
    assert (result.status, result.env_steps, workers.started_at) == (RunStatus.COMPLETED, 16, 0)
    assert workers.is_closed
    assert recorder.facts["engine"] == "a script"


def test_what_was_learnt_is_in_the_checkpoint(run: Callable[..., Any]) -> None:
    _, recorder = run(Scripted(ROLLOUT, NEXT), total_timesteps=16)
    model = MaskablePPO.load(recorder.checkpoints[-1].uri)
    assert {float(weight.detach().mean()) for weight in model.policy.parameters()} == {2.0}
    assert (model.n_steps, model.batch_size, model.num_timesteps) == (8, 8, 16)


def test_rates_follow_their_schedules(run: Callable[..., Any]) -> None:
    workers = Scripted(ROLLOUT, NEXT)
    run(workers, total_timesteps=16, learning_rate="linear_0.1")
    assert [values.learning_rate for values in workers.scheduled] == pytest.approx([0.05, 0.0])


def test_an_episode_budget_ends_in_midst_of_a_rollout_and_learns_nothing_from_it(run: Callable[..., Any]) -> None:
    workers = Scripted(ROLLOUT, NEXT)
    result, recorder = run(workers, episodes=3)
    assert (result.status, result.episodes, result.env_steps) == (RunStatus.COMPLETED, 3, 12)
    assert len(recorder.updates) == 1
    assert recorder.checkpoints[-1].env_steps == 8


def test_a_step_cap_ends_the_run_at_that_very_step(run: Callable[..., Any]) -> None:
    result, recorder = run(Scripted(ROLLOUT, NEXT), episodes=100, total_timesteps=11)
    assert (result.env_steps, result.episodes) == (11, 2)
    result, recorder = run(Scripted(ROLLOUT, NEXT), episodes=100, total_timesteps=12)
    assert (result.env_steps, result.episodes) == (12, 3)
    assert len(recorder.updates) == 1


def test_a_run_that_is_asked_to_stop_plays_no_further_rollout(run: Callable[..., Any]) -> None:
    class Stops(ListRecorder):
        def add_update(self, update: Any) -> None:
            super().add_update(update)
            self.stop_requested = True

    workers = Scripted(ROLLOUT)
    result, recorder = run(workers, Stops(), total_timesteps=800)
    assert (result.status, result.env_steps, len(recorder.updates)) == (RunStatus.STOPPED, 8, 1)
    assert recorder.checkpoints[-1].env_steps == 8


def test_a_run_pauses_and_is_evaluated_for_its_score(run: Callable[..., Any]) -> None:
    score = ScoreEvaluation(at=(0.5, 1.0), episodes=2)
    result, recorder = run(Scripted(ROLLOUT), score=score, pause_at=0.5, total_timesteps=16)
    assert (result.status, result.env_steps, result.checkpoint.env_steps) == (RunStatus.PAUSED, 8, 8)
    assert [each.env_steps for each in recorder.evaluations] == [8]
    result, recorder = run(Scripted(ROLLOUT, NEXT), score=score, episodes=3)
    assert (result.status, [each.env_steps for each in recorder.evaluations]) == (RunStatus.COMPLETED, [8, 12])


def test_a_reward_that_is_no_number_ends_the_run(run: Callable[..., Any]) -> None:
    workers = Scripted((part("a", 3, reward=float("nan")), part("b", 5)))
    with pytest.raises(DivergedError, match="before env step 3, in episode 1, before update 1"):
        run(workers, total_timesteps=16)
    assert workers.is_closed
