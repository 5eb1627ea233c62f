"""A run that pauses at a share of its budget, and the evaluations for its score on the way."""

from dataclasses import asdict
from pathlib import Path

import pytest

from rlsweep.config.run import Mode, ScoreEvaluation
from rlsweep.config.training import EnvironmentSpec
from rlsweep.runs import EvaluationKind, RunStatus
from rlsweep.training.evaluation import Evaluator
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

SCRIPTED = EnvironmentSpec(id="Scripted-v0", kwargs={"length": 8})


class StopsInEvaluation(ListRecorder):
    """Asks to stop during the so manieth evaluation for the score; `evaluating` counts them."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.evaluating = 0
        self._number = number

    def look(self) -> None:
        """Called before each evaluation for the score."""
        self.evaluating += 1
        self.stop_requested = self.evaluating == self._number


@pytest.fixture
def scored(make_config):
    """A run of 30 episodes of 8 env steps that is evaluated at half and at its end; four episodes a rollout."""

    def make(*, mode=Mode.SMOKE, **given):
        config = make_config(environment=SCRIPTED, mode=mode, **({"episodes": 30} | given))
        return config.model_copy(update={"score_evaluation": ScoreEvaluation(at=(0.5, 1.0), episodes=3)})

    return make


@pytest.fixture
def into(tmp_path):
    """Train into a folder of this test."""

    def into(config, recorder=None, *, folder="run", **given):
        recorder = recorder or ListRecorder()
        result = train(config, recorder, checkpoint_folder=tmp_path / folder, tensorboard_folder=None, **given)
        return result, recorder

    return into


def scores(recorder: ListRecorder) -> list[tuple[int, int]]:
    return [(each.env_steps, each.episodes) for each in recorder.evaluations if each.kind is EvaluationKind.SCORE]


def test_a_smoke_run_is_evaluated_for_its_score_too(scored, into):
    result, recorder = into(scored())
    # the first update after 15 episodes comes after 16; the 30th ends within a rollout
    assert scores(recorder) == [(128, 3), (240, 3)]
    assert (result.status, result.episodes, result.env_steps) == (RunStatus.COMPLETED, 30, 240)
    assert {each.kind for each in recorder.evaluations} == {EvaluationKind.SCORE}
    assert not any(each.is_best for each in recorder.evaluations)


def test_the_score_has_seeds_of_its_own(make_config, into):
    config = make_config(total_timesteps=320, evaluation={"every_rollouts": 5, "episodes": 20})
    config = config.model_copy(update={"score_evaluation": ScoreEvaluation(at=(0.5, 1.0), episodes=20)})
    _, recorder = into(config)
    periodic, score = (
        [each for each in recorder.evaluations if each.kind is kind]
        for kind in (EvaluationKind.PERIODIC, EvaluationKind.SCORE)
    )
    assert [each.env_steps for each in periodic] == [each.env_steps for each in score] == [160, 320]
    assert all(one.mean_reward != other.mean_reward for one, other in zip(periodic, score, strict=True))


@pytest.mark.parametrize(
    ("budget", "pause_at", "env_steps"),
    [
        ({"episodes": 30}, 0.5, 128),
        ({"episodes": 30}, 0.9, 224),
        ({"episodes": None, "total_timesteps": 320}, 0.3, 96),
        ({"episodes": 30, "total_timesteps": 320}, 0.5, 128),
    ],
)
def test_a_run_pauses_after_the_first_update_with_which_the_share_is_reached(scored, into, budget, pause_at, env_steps):
    result, _ = into(scored(**budget), pause_at=pause_at)
    assert (result.status, result.env_steps, result.checkpoint.env_steps) == (RunStatus.PAUSED, env_steps, env_steps)


def test_a_run_whose_budget_is_spent_at_its_pause_is_completed(scored, into):
    result, recorder = into(scored(episodes=None, total_timesteps=64), pause_at=0.6)
    assert (result.status, result.env_steps) == (RunStatus.COMPLETED, 64)
    assert scores(recorder) == [(32, 3), (64, 3)]


def test_a_run_that_was_killed_after_it_reached_its_pause_pauses_without_training(scored, into):
    first, whole = into(scored(), pause_at=0.5)
    checkpoint = Path(first.checkpoint.uri)
    again, recorder = into(scored(), pause_at=0.5, resume_from=checkpoint, attempt=2)
    assert (again.status, again.env_steps, again.updates) == (RunStatus.PAUSED, first.env_steps, first.updates)
    assert (recorder.episodes, recorder.updates, recorder.evaluations) == ([], [], [])
    end, rest = into(scored(), resume_from=Path(again.checkpoint.uri), attempt=3)
    assert (end.status, scores(whole) + scores(rest)) == (RunStatus.COMPLETED, [(128, 3), (240, 3)])


@pytest.mark.parametrize("number", [1, 2], ids=["after an update", "at the end, within a rollout"])
def test_a_stop_during_the_evaluation_repeats_it(scored, into, monkeypatch: pytest.MonkeyPatch, number: int):
    evaluate = Evaluator.evaluate

    def looked(self, *arguments, kind, on_step, **given):
        if isinstance(recorder, StopsInEvaluation):
            recorder.look()
        return evaluate(self, *arguments, kind=kind, on_step=on_step, **given)

    config = scored()
    recorder: ListRecorder = StopsInEvaluation(number)
    monkeypatch.setattr(Evaluator, "evaluate", looked)
    stopped, _ = into(config, recorder)
    assert stopped.status is RunStatus.STOPPED
    assert len(scores(recorder)) == number - 1
    first = recorder
    recorder = ListRecorder()
    end, _ = into(config, recorder, resume_from=Path(stopped.checkpoint.uri), attempt=2)
    assert end.status is RunStatus.COMPLETED
    whole, in_one = into(config, recorder=ListRecorder(), folder="whole")
    assert end.env_steps == whole.env_steps
    rows = {each.env_steps: asdict(each) for each in (*first.evaluations, *recorder.evaluations)}
    assert list(rows.values()) == [asdict(each) for each in in_one.evaluations]
    updates = {each.update: each.policy_loss for each in (*first.updates, *recorder.updates)}
    assert updates == {each.update: each.policy_loss for each in in_one.updates}
