"""Trained policies: load one as an SB3 model, or play it and count."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rlsweep.api.arguments import GivenBase, GivenEnvironment, GivenOverrides, plan_options
from rlsweep.api.arguments import agent_config as agent_config_of
from rlsweep.api.opening import database_of
from rlsweep.api.plan import PlanOptions
from rlsweep.api.runs import Run
from rlsweep.attempts.process_exits import log_exit, report_exits
from rlsweep.attempts.resuming import checkpoint_path, run_of_file
from rlsweep.checkpoint_format import BEST_NAME
from rlsweep.config.run import Mode, RunConfig
from rlsweep.errors import CheckpointError, InputError, NotFoundError, before_start
from rlsweep.planning.plan import make_run
from rlsweep.runs import TrainingRun
from rlsweep.settings import Settings
from rlsweep.storage import Location, local_copy, locate
from rlsweep.store import curves, training_runs

if TYPE_CHECKING:
    from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

    from rlsweep.training.evaluate import EvaluationSummary

PolicyReference = Run | UUID | str | Path
"""A run, its id or the start of it, or a checkpoint's path or URI."""


class Which(StrEnum):
    """Which checkpoint of a run: the one that it would go on from, or that of its best evaluation."""

    LATEST = "latest"
    BEST = "best"


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyFile:
    """A checkpoint, and the run that it was found by; None for one that was named by its path."""

    run: TrainingRun | None
    location: Location


def find_policy(reference: PolicyReference, which: Which, settings: Settings) -> PolicyFile:
    """The checkpoint that a reference names; `which` is for references to runs.

    Raises NotFoundError, UnreachableError.
    """
    if not isinstance(reference, Run | UUID):
        path = checkpoint_path(str(reference))
        if path is not None:
            return PolicyFile(run=None, location=path)
    database = database_of(settings)
    run = training_runs.get(database, reference.id if isinstance(reference, Run) else str(reference))
    if which is Which.BEST:
        uris = [checkpoint.uri for checkpoint in curves.checkpoints_of(database, run.id)]
        uri = next((uri for uri in uris if uri.endswith(f"/{BEST_NAME}")), None)
        if uri is None:
            raise NotFoundError(f"{run.label} has no best checkpoint: it was not evaluated. Take the latest one.")
    else:
        last = training_runs.latest_checkpoint(database, run.id)
        if last is None:
            raise NotFoundError(f"{run.label} has no checkpoint yet: it is {run.status}.")
        uri = last.uri
    return PolicyFile(run=run, location=locate(uri))


def load_policy(
    run_or_path: PolicyReference,
    *,
    checkpoint: Which | str = Which.LATEST,
    seed: int = 0,
    trust: bool = False,
    settings: Settings | None = None,
) -> "OnPolicyAlgorithm":
    """The SB3 model of a run, or of a checkpoint by its path or URI, to play with.

    `model.get_env()` is an environment as it was trained in, with the observations normalised where they were, so that
    `model.predict` takes what it gives. To train it on, use `rlsweep.train`.

    checkpoint: of a run, "latest" or "best" (of its evaluations); seed: other seeds play other episodes
    trust: load a file that is on no run's record although its normaliser's statistics, a pickle, can run any code

    Raises NotFoundError, CheckpointError, UntrustedFileError, EnvironmentSpecError, or UnreachableError where the
    database or the storage does not answer.

    >>> import rlsweep
    >>> from sb3_contrib.common.maskable.utils import get_action_masks
    >>> model = rlsweep.load_policy(trained)  # a Run, its id, or the path of one of its checkpoints
    >>> env = model.get_env()
    >>> observation = env.reset()
    >>> action, _ = model.predict(observation, action_masks=get_action_masks(env), deterministic=True)
    >>> observation, reward, done, info = env.step(action)
    """
    from rlsweep.training import policy

    settings = settings or Settings.from_environ()
    found = find_policy(run_or_path, Which(checkpoint), settings)
    with before_start(), local_copy(found.location) as file:
        return policy.load_policy(file, seed=seed, is_trusted=lambda: trust or _is_on_record(file, settings))


def evaluate(
    run_or_path: PolicyReference,
    *,
    episodes: int = 100,
    opponent: str | None = None,
    checkpoint: Which | str = Which.LATEST,
    seed: int = 0,
    trust: bool = False,
    agent_config: Run | str | Path | Mapping[str, Any] | None = None,
    environment: GivenEnvironment = None,
    base_config: GivenBase = None,
    overrides: GivenOverrides = (),
    settings: Settings | None = None,
) -> "EvaluationSummary":
    """Play a trained policy, deterministic and masked, and count: mean reward, its 95% interval, wins.

    episodes: how many to play
    opponent: random, mcts, mcts:SIMULATIONS, or a checkpoint's path or URI; None takes that of the run's evaluations
    checkpoint, seed, trust: as `load_policy` has them
    agent_config, environment, base_config, overrides: as `train` has them, for a zip of stock SB3: its algorithm and
        network, and its environment

    Raises what `load_policy` raises, but InputError for a checkpoint that cannot be played; DivergedError where a
    reward is NaN or infinite.

    >>> import rlsweep
    >>> rlsweep.evaluate(trained, episodes=20).episodes
    20
    """
    settings = settings or Settings.from_environ()
    options = plan_options(environment, base_config, overrides, Mode.FULL, None, None)
    given = given_config(None if agent_config is None else agent_config_of(agent_config), options)
    found = find_policy(run_or_path, Which(checkpoint), settings)
    return play_policy(
        found, given=given, episodes=episodes, opponent=opponent, seed=seed, trust=trust, settings=settings
    )


def given_config(agent_config: Path | Mapping[str, Any] | None, options: PlanOptions) -> RunConfig | None:
    """The config that is given for a zip of stock SB3; None where none is. Raises ConfigError, InputError."""
    if agent_config is not None:
        return make_run(
            agent_config,
            base_config=options.base_config,
            overrides=options.overrides,
            mode=Mode.FULL,
            episodes=None,
            total_timesteps=None,
        ).config
    if options.base_config is not None or options.overrides:
        raise InputError(
            "--base-config and --set are for a zip of stock SB3, which has no config of its own; add --agent-config "
            "CONFIG for its algorithm and network, or leave them out."
        )
    return None


def play_policy(
    policy: PolicyFile,
    *,
    given: RunConfig | None,
    episodes: int,
    opponent: str | None,
    seed: int,
    trust: bool,
    settings: Settings,
) -> "EvaluationSummary":
    """As `evaluate`, of a checkpoint that was found."""
    from rlsweep.training.evaluate import evaluate as play

    # an evaluation leaves nothing behind
    with before_start(), report_exits(log_exit), local_copy(policy.location) as file:
        try:
            return play(
                file,
                episodes=episodes,
                seed=seed,
                given=given,
                opponent=opponent,
                is_trusted=lambda: trust or _is_on_record(file, settings),
            )
        except CheckpointError as exc:
            raise InputError(str(exc)) from exc


def _is_on_record(file: Path, settings: Settings) -> bool:
    return run_of_file(database_of(settings), file) is not None
