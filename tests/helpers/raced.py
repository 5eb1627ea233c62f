"""A race whose runs are not trained: scores are drawn, and everything else is on record as trials would write it."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from math import ceil
from uuid import UUID

import numpy as np

from rlsweep import runs
from rlsweep.config.agent import AgentConfig
from rlsweep.config.differences import hyperparameter_hash
from rlsweep.config.run import Budget, Mode, RunConfig, ScoreEvaluation
from rlsweep.config.training import TrainingConfig
from rlsweep.driver.decided_runs import DecidedRuns
from rlsweep.driver.race import RaceRule
from rlsweep.driver.run_source import RunSource
from rlsweep.race_records import Race, RaceTerms, Statistic
from rlsweep.runs import EndReason, Episode, Evaluation, EvaluationKind, NewRun, RunStatus, TrainingRun, Update
from rlsweep.store import races, recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.recording import Batch, Progress
from rlsweep.sweep_records import NewSweep, Sweep

STEPS = 1000
UPDATE = 100
EPISODES = 100
LENGTH = 10.0
START = 0.1
DRIVER = "host:1.00"

TERMS = RaceTerms(
    objective="evaluation_reward",
    statistic=Statistic.MEAN,
    tolerance=0.03,
    tolerance_is_share=False,
    confidence=0.95,
    cap=0.5,
    max_hours=None,
    rung=0.5,
    score_episodes=EPISODES,
    planned_run_steps=STEPS + 2 * EPISODES * LENGTH,
    planned_rung_steps=STEPS / 2 + EPISODES * LENGTH,
)

Score = Callable[[int, int, bool], float | None]
"""Score of (config, seed), in full or at the rung; None: the run fails on the way."""

ScoreAt = Callable[[int, int, float], float | None]
"""Score of (config, seed) at a share of the budget; None: the run fails on the way there."""


def planned_run(config: int, seed: int) -> NewRun:
    agent = AgentConfig(
        agent_id="raced", name="raced", algorithm="MaskablePPO", version=1, sweep_variant=f"c{config}", n_steps=UPDATE,
        learning_rate=1e-4 * (config + 1),
    )  # fmt: skip
    run = RunConfig(
        agent=agent,
        training=TrainingConfig.model_validate({"environment": {"id": "CartPole-v1"}}),
        mode=Mode.SMOKE,
        budget=Budget(total_timesteps=STEPS),
        seed=seed,
        score_evaluation=ScoreEvaluation(at=(0.5, 1.0), episodes=EPISODES),
    )
    return NewRun(
        trial_key=f"{config}-{seed}",
        agent_id="raced",
        algorithm=agent.algorithm,
        version=1,
        sweep_variant=f"c{config}",
        config_name="raced",
        config_short_name=f"raced_c{config}",
        config_path=f"/configs/c{config}.yaml",
        config=run.to_record(),
        config_hash=hyperparameter_hash(agent),
        seed=seed,
        pause_at=TERMS.rung,
    )


def create_race(database: Database, name: str, configs: int, terms: RaceTerms = TERMS) -> Race:
    """Put a race on record, and give this process its lease."""
    runs = [planned_run(config, 0) for config in range(configs)]
    created = sweeps.create(database, new_sweep(name), runs, race=terms)
    sweeps.take_lease(database, created.id, DRIVER)
    return race_of(database, created)


def new_sweep(name: str) -> NewSweep:
    return NewSweep(
        name=name,
        patterns=("/configs/*.yaml",),
        mode="smoke",
        budget=runs.Budget(total_timesteps=STEPS),
        seeds=(0,),
        base_config={"environment": {"id": "CartPole-v1"}},
        base_config_path=None,
        overrides=(),
        git_commit=None,
        git_dirty=None,
        versions={},
    )


def race_of(database: Database, sweep: Sweep) -> Race:
    found = races.find(database, sweep.id)
    assert found is not None
    return found


def run_race(
    database: Database,
    race: Race,
    score: Score,
    *,
    slots: int = 2,
    most_runs: int | None = None,
    order: Sequence[int] = (),
) -> list[UUID]:
    """Drive the race with simulated trials; return the runs in the order in which they were given.

    most_runs: end as a killed driver does, after so many runs have ended
    order: which of the runs in flight ends next, by place; else the one that began first
    """
    source = DecidedRuns(database, RaceRule(database, race), driver=DRIVER, slots=slots, on_scheduled=lambda _: None)
    return train_all(database, source, score, slots=slots, most_runs=most_runs, order=order)


def train_all(
    database: Database,
    source: RunSource,
    score: Score,
    *,
    slots: int,
    most_runs: int | None = None,
    order: Sequence[int] = (),
) -> list[UUID]:
    """As `run_race`, with whatever gives the runs."""
    return give_all(source, partial(train, database, score=score), slots=slots, most_runs=most_runs, order=order)


def give_all(
    source: RunSource,
    train_run: Callable[[UUID], None],
    *,
    slots: int,
    most_runs: int | None = None,
    order: Sequence[int] = (),
) -> list[UUID]:
    """Train all runs that the source gives, as `run_race` does."""
    given: list[UUID] = []
    flying: deque[UUID] = deque()
    which = deque(order)
    while not source.is_exhausted or flying:
        while len(flying) < slots and (run_id := source.take()) is not None:
            given.append(run_id)
            flying.append(run_id)
        if not flying:
            assert source.is_exhausted, "nothing trains, and the race is not over"
            break
        place = (which.popleft() if which else 0) % len(flying)
        flying.rotate(-place)
        ended = flying.popleft()
        flying.rotate(place)
        train_run(ended)
        source.has_ended(ended)
        if most_runs is not None and (most_runs := most_runs - 1) <= 0:
            break
    return given


def train(database: Database, run_id: UUID, score: Score) -> None:
    """What a worker writes: up to the rung or to the end."""
    train_to_pause(database, run_id, lambda config, seed, share: score(config, seed, share == 1.0), (0.5, 1.0))


def train_to_pause(database: Database, run_id: UUID, score: ScoreAt, shares: Sequence[float]) -> None:
    """As `train_run`, with scores by the number of a config that `planned_run` made."""

    def by_number(run: TrainingRun, share: float) -> float | None:
        return score(int(run.config_short_name.rpartition("_c")[2]), run.seed, share)

    train_run(database, run_id, by_number, shares)


def train_run(
    database: Database, run_id: UUID, score: Callable[[TrainingRun, float], float | None], shares: Sequence[float]
) -> None:
    """What a worker writes: up to the run's pause or its end, with a score evaluation at each of these shares."""
    run = transitions.begin_attempt(database, run_id, {})
    assert run is not None
    done, until = run.env_steps, STEPS if run.pause_at is None else step_at(run.pause_at)
    evaluations = []
    for share in shares:
        if not done < step_at(share) <= until:
            continue
        value = score(run, share)
        if value is None:
            transitions.finish(database, run_id, run.attempt, EndReason.DIVERGED, "DivergedError: NaN")
            return
        evaluations.append(_evaluation(step_at(share), value))
    episodes = [_episode(step) for step in range(done + 10, until + 1, 10)]
    updates = [_update(step) for step in range(done + UPDATE, until + 1, UPDATE)]
    progress = Progress(episodes=until // 10, updates=until // UPDATE, env_steps=until)
    batch = Batch(
        progress=progress, episodes=episodes, updates=updates, evaluations=evaluations, began_at_env_steps=done
    )
    recording.flush(database, run_id, run.attempt, batch)
    reason = EndReason.COMPLETED if run.pause_at is None else EndReason.PAUSED
    transitions.finish(database, run_id, run.attempt, reason)


def step_at(share: float) -> int:
    """Env steps of the first update with which a share of the budget is reached."""
    return ceil(share * STEPS / UPDATE) * UPDATE


def drawn(truth: Sequence[float], *, noise: float, seed: int) -> Score:
    """Scores with equal seed variance; what the rung shows is some of the final score, and noise."""

    def score(config: int, run_seed: int, in_full: bool) -> float:
        rng = np.random.default_rng((seed, config, run_seed))
        full = truth[config] + noise * rng.standard_normal()
        return float(full if in_full else START + 0.7 * (full - START) + noise * rng.standard_normal())

    return score


def statuses(database: Database, race: Race) -> dict[RunStatus, int]:
    runs = training_runs.of_sweep(database, race.sweep_id)
    return {status: sum(run.status is status for run in runs) for status in RunStatus}


def _evaluation(env_steps: int, reward: float) -> Evaluation:
    return Evaluation(
        env_steps=env_steps,
        episodes=EPISODES,
        mean_reward=reward,
        reward_sd=0.1,
        mean_length=LENGTH,
        win_rate=None,
        is_best=False,
        kind=EvaluationKind.SCORE,
    )


def _episode(env_steps: int) -> Episode:
    number = env_steps // 10
    return Episode(episode=number, env_steps=env_steps, reward=START, length=10, outcome=None, seconds=number / 10)


def _update(env_steps: int) -> Update:
    return Update(
        update=env_steps // UPDATE,
        env_steps=env_steps,
        policy_loss=0.0,
        value_loss=0.0,
        entropy=0.5,
        approx_kl=0.01,
        clip_fraction=0.1,
        explained_variance=0.5,
        gradient_steps=40,
        learning_rate=1e-3,
        steps_per_second=100.0,
    )
