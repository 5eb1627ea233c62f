"""What is said about the schedules of a run that goes on with a larger budget."""

import re

import pytest

from rlsweep.attempts.schedules import schedule_warning
from rlsweep.config.agent import AgentConfig, PPOConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import TrainingConfig


def run_config(budget: Budget, *, kept: Budget | None = None, algorithm: str = "PPO", **agent: object) -> RunConfig:
    return RunConfig(
        agent=AgentConfig(agent_id="a", name="A", algorithm=algorithm, version=1).model_copy(update=agent),
        training=TrainingConfig(),
        mode=Mode.FULL,
        budget=budget,
        seed=0,
        schedule_budget=kept,
    )


SMALL, LARGE = Budget(total_timesteps=10_000), Budget(total_timesteps=40_000)
BOTH = {"learning_rate": "linear_0.4", "ppo": PPOConfig(clip_range="linear_0.8")}
CLIP = {"ppo": PPOConfig(clip_range="linear_0.8")}


@pytest.mark.parametrize(
    ("after", "agent", "env_steps", "said"),
    [
        (
            {"budget": LARGE},
            BOTH,
            5_000,
            "The larger budget stretches the linear schedules: learning_rate from 0.20 to 0.35, ppo.clip_range "
            "from 0.40 to 0.70, falling to 0 at 40,000 env steps. --keep-schedule (keep_schedule=True in Python) "
            "keeps those of 10,000 env steps.",
        ),
        ({"budget": LARGE}, BOTH, 10_000, "learning_rate from 0 to 0.30,"),
        (
            {"budget": Budget(episodes=20)},
            BOTH,
            5_000,
            "learning_rate from 0.20 to 0.20, .* falling to 0 at 20 episodes",
        ),
        (
            {"budget": LARGE, "kept": SMALL},
            BOTH,
            5_000,
            "learning_rate, ppo.clip_range: the linear schedules of 10,000 env steps end there and stay at 0, so "
            "nothing is learnt after that.",
        ),
        ({"budget": LARGE, "kept": SMALL}, BOTH, 10_000, "have ended and stay at 0, so nothing more is learnt"),
        ({"budget": LARGE, "kept": SMALL}, CLIP, 10_000, r"^ppo.clip_range: .* have ended and stay at 0\.$"),
    ],
)
def test_a_larger_budget_says_what_becomes_of_schedules(after, agent, env_steps, said):
    found = schedule_warning(run_config(SMALL, **agent), run_config(**after, **agent), episodes=10, env_steps=env_steps)
    assert found is not None
    assert found == said or re.search(said, found)


def test_without_a_schedule_or_a_larger_budget_there_is_nothing_to_say():
    def said(before, after):
        return schedule_warning(before, after, episodes=10, env_steps=5_000)

    assert said(run_config(SMALL), run_config(LARGE)) is None
    assert said(run_config(SMALL, **BOTH), run_config(SMALL, **BOTH)) is None
    a2c = {"algorithm": "A2C", **CLIP}  # A2C has no clip range
    assert said(run_config(SMALL, **a2c), run_config(LARGE, **a2c)) is None


def test_the_record_names_the_schedules_budget_where_it_is_kept():
    assert "schedule_budget" not in run_config(LARGE).to_record()
    kept = run_config(LARGE, kept=SMALL)
    assert RunConfig.from_record(kept.to_record()) == kept
    assert RunConfig.from_record(run_config(LARGE).to_record()).scheduled_over == LARGE
