"""The record of a run's config: what is left out of it, and what it refuses."""

import pytest
from pydantic import ValidationError

from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig, ScoreEvaluation
from rlsweep.config.training import EvaluationConfig, TrainingConfig


def config(score: ScoreEvaluation | None = None, *, mode: Mode = Mode.SMOKE, enabled: bool = True) -> RunConfig:
    return RunConfig(
        agent=AgentConfig(agent_id="a", name="A", algorithm="MaskablePPO", version=1),
        training=TrainingConfig(n_envs=2, evaluation=EvaluationConfig(enabled=enabled)),
        mode=mode,
        budget=Budget(total_timesteps=1000),
        seed=0,
        score_evaluation=score,
    )


def test_what_a_run_does_not_have_is_left_out_of_its_record():
    assert not {"schedule_budget", "score_evaluation"} & config().to_record().keys()
    scored = config(ScoreEvaluation(at=(0.5, 1.0), episodes=20))
    assert scored.to_record()["score_evaluation"] == {"at": [0.5, 1.0], "episodes": 20}
    assert RunConfig.from_record(scored.to_record()) == scored
    assert RunConfig.from_record(config().to_record()).score_evaluation is None


@pytest.mark.parametrize("at", [(), (0.0,), (1.5,), (0.5, 0.5), (1.0, 0.5), (float("nan"),)])
def test_shares_that_are_no_part_of_the_budget_or_out_of_order_are_refused(at):
    with pytest.raises(ValidationError):
        ScoreEvaluation(at=at, episodes=1)


@pytest.mark.parametrize(
    ("mode", "enabled", "scored", "instances"),
    [
        (Mode.SMOKE, True, False, 2),
        (Mode.SMOKE, True, True, 3),
        (Mode.FULL, True, False, 3),
        (Mode.FULL, True, True, 3),
        (Mode.FULL, False, True, 3),
        (Mode.FULL, False, False, 2),
    ],
)
def test_evaluations_of_both_kinds_share_an_instance_of_the_environment(mode, enabled, scored, instances):
    score = ScoreEvaluation(at=(1.0,), episodes=1) if scored else None
    assert config(score, mode=mode, enabled=enabled).environment_instances == instances
