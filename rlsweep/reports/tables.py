"""What runs recorded, as Arrow tables: the export and the Python API give the same ones, with the columns below.

Each field of a table's schema carries a sentence of documentation, `table.field(name).metadata[b"doc"]`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa

from rlsweep.analysis.wording import hyperparameter
from rlsweep.config.differences import flat_hyperparameters
from rlsweep.config.run import RunConfig
from rlsweep.reports.run_scores import run_scores
from rlsweep.runs import Evaluation, Outcome, TrainingRun
from rlsweep.store.curves import DRAW, LOSS, WIN, EpisodeColumns, UpdateColumns, episodes_of, evaluations_of, updates_of
from rlsweep.store.database import Database

_OUTCOMES = {WIN: Outcome.WIN.value, DRAW: Outcome.DRAW.value, LOSS: Outcome.LOSS.value}
_TEXT, _WHOLE, _REAL, _MOMENT = pa.string(), pa.int64(), pa.float64(), pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name, its type, and what it holds, in which unit."""

    name: str
    kind: pa.DataType
    doc: str


_RUN_ID = Column("run_id", _TEXT, "id of the training run")
_WHO = (
    _RUN_ID,
    Column("config_short_name", _TEXT, "agent and variant, or agent and version"),
    Column("seed", _WHOLE, "seed of the run"),
)
_ENV_STEPS = Column("env_steps", _WHOLE, "env steps of the run so far, over all parallel environments")

RUN_COLUMNS = (
    _RUN_ID,
    Column("config_short_name", _TEXT, "agent and variant, or agent and version"),
    Column("config_name", _TEXT, "the agent config's name"),
    Column("config_path", _TEXT, "absolute path of the agent config; null for one that was drawn or given as a dict"),
    Column("agent_id", _TEXT, "the agent that the config is a version or a variant of"),
    Column("version", _WHOLE, "version of the agent"),
    Column("sweep_variant", _TEXT, "name of the variant; null for a base config"),
    Column("seed", _WHOLE, "seed of environment, policy, torch and NumPy"),
    Column("status", _TEXT, "pending, running, paused, completed, stopped or failed"),
    Column("end_reason", _TEXT, "completed, paused, stopped, abandoned, lost, diverged or failed; null before the end"),
    Column("pause_at", _REAL, "share of its budget at which it pauses, 0 to 1; null to train to its end"),
    Column("attempt", _WHOLE, "starts of the run so far; 0 before the first"),
    Column("episodes", _WHOLE, "finished episodes"),
    Column("updates", _WHOLE, "policy updates"),
    _ENV_STEPS,
    Column("score", _REAL, "score of the run, by score_definition; null without one"),
    Column("score_definition", _TEXT, "what the score is: which reward, over which part of the run"),
    Column("score_win_rate", _REAL, "share of wins in the episodes that are scored, 0 to 1; null without outcomes"),
    Column("mean_reward", _REAL, "mean reward of the last 100 episodes of training"),
    Column("win_rate", _REAL, "share of wins in the last 100 episodes of training, 0 to 1; null without outcomes"),
    Column("mean_length", _REAL, "mean env steps of the last 100 episodes of training"),
    Column("started_at", _MOMENT, "start of the first attempt"),
    Column("ended_at", _MOMENT, "end of the last attempt; null while it runs"),
    Column("error", _TEXT, "last line of the error; null without an error"),
    Column("note", _TEXT, "what was written about the run; empty without a note"),
    Column("tags", _TEXT, "tags of the run, joined by blanks; empty without tags"),
    Column("error_text", _TEXT, "error of a failed run, with its traceback if there is one; null without an error"),
)
"""Of `runs_table`, which adds a column of text for every hyperparameter, by its dotted key."""

EPISODE_COLUMNS = (
    *_WHO,
    Column("episode", _WHOLE, "1, 2, … within the run, in the order in which episodes ended"),
    Column("env_steps", _WHOLE, "env steps of the run when the episode ended, over all parallel environments"),
    Column("reward", _REAL, "undiscounted sum of the environment's own rewards"),
    Column("length", _WHOLE, "env steps of the episode"),
    Column("outcome", _TEXT, "win, draw or loss; null where the environment has no outcomes"),
    Column("seconds", _REAL, "seconds since the run started, pauses between attempts left out"),
)

UPDATE_COLUMNS = (
    *_WHO,
    Column("update", _WHOLE, "1, 2, … within the run"),
    Column("env_steps", _WHOLE, "env steps of the run when the rollout was complete"),
    Column("policy_loss", _REAL, "mean policy loss of the update; null where not finite"),
    Column("value_loss", _REAL, "mean value loss of the update; null where not finite"),
    Column("entropy", _REAL, "mean entropy of the action distribution, in nats"),
    Column("approx_kl", _REAL, "approximate KL divergence from the policy before, in nats; null for A2C"),
    Column("clip_fraction", _REAL, "share of samples whose ratio was clipped, 0 to 1; null for A2C"),
    Column("explained_variance", _REAL, "of the returns by the value function, at most 1"),
    Column("gradient_steps", _WHOLE, "optimizer steps of the update; null where an older version recorded it"),
    Column("learning_rate", _REAL, "learning rate of the update"),
    Column("steps_per_second", _REAL, "env steps over seconds since the update before, learning included"),
)

EVALUATION_COLUMNS = (
    *_WHO,
    Column("env_steps", _WHOLE, "env steps of the run when it was evaluated"),
    Column("episodes", _WHOLE, "episodes that were played"),
    Column("mean_reward", _REAL, "mean reward of these episodes"),
    Column("reward_sd", _REAL, "sample standard deviation of their rewards"),
    Column("mean_length", _REAL, "mean env steps of these episodes"),
    Column("win_rate", _REAL, "share of wins, 0 to 1; null where the environment has no outcomes"),
    Column("is_best", pa.bool_(), "whether it was the best periodic evaluation of the run so far"),
    Column("kind", _TEXT, "periodic, or score: with seeds of its own, to compare the run with others"),
)


def runs_table(database: Database, runs: Sequence[TrainingRun]) -> pa.Table:
    """A row a run: RUN_COLUMNS, then every hyperparameter by its dotted key, as text."""
    found = run_scores(database, runs)
    scores = [found.get(run.id) for run in runs]
    flat = [flat_hyperparameters(RunConfig.from_record(run.config).agent) for run in runs]
    keys = [
        Column(key, _TEXT, "hyperparameter, as text") for key in dict.fromkeys(key for each in flat for key in each)
    ]
    scored = {
        "score": [score and score.value for score in scores],
        "score_definition": [score and score.definition for score in scores],
        "score_win_rate": [score and score.win_rate for score in scores],
    }
    recorded = [column.name for column in RUN_COLUMNS[1:] if column.name not in scored]
    known = {name: [getattr(run, name) for run in runs] for name in recorded} | scored
    known |= {"tags": [" ".join(run.tags) for run in runs]}
    by_key = {key.name: [_text(each.get(key.name)) for each in flat] for key in keys}
    return pa.table({"run_id": [str(run.id) for run in runs], **known, **by_key}, schema=schema((*RUN_COLUMNS, *keys)))


def episodes_table(database: Database, runs: Sequence[TrainingRun]) -> pa.Table:
    """A row an episode, run after run in the order given: EPISODE_COLUMNS."""
    recorded = episodes_of(database, [run.id for run in runs])
    return _joined(EPISODE_COLUMNS, runs, lambda run: _episode_arrays(recorded[run.id]))


def updates_table(database: Database, runs: Sequence[TrainingRun]) -> pa.Table:
    """A row a policy update, run after run in the order given: UPDATE_COLUMNS."""
    recorded = updates_of(database, [run.id for run in runs])
    return _joined(UPDATE_COLUMNS, runs, lambda run: _arrays(recorded[run.id]))


def evaluations_table(database: Database, runs: Sequence[TrainingRun]) -> pa.Table:
    """A row an evaluation, run after run in the order given: EVALUATION_COLUMNS."""
    recorded = evaluations_of(database, [run.id for run in runs])
    return _joined(EVALUATION_COLUMNS, runs, lambda run: _evaluation_arrays(recorded[run.id]))


def schema(columns: Sequence[Column]) -> pa.Schema:
    """The columns as Arrow's schema, their documentation included."""
    return pa.schema([pa.field(column.name, column.kind, metadata={"doc": column.doc}) for column in columns])


def _joined(
    columns: Sequence[Column], runs: Sequence[TrainingRun], recorded: Callable[[TrainingRun], dict[str, Any]]
) -> pa.Table:
    """The runs' tables one under the other, each row with its run, config and seed."""
    declared = schema(columns)
    tables = []
    for run in runs:
        values = recorded(run)
        rows = len(next(iter(values.values())))
        who = {"run_id": str(run.id), "config_short_name": run.config_short_name, "seed": run.seed}
        labels = {name: pa.repeat(pa.scalar(value, declared.field(name).type), rows) for name, value in who.items()}
        tables.append(pa.table(labels | values, schema=declared))
    return pa.concat_tables(tables) if tables else declared.empty_table()


def _episode_arrays(columns: EpisodeColumns) -> dict[str, Any]:
    return _arrays(columns) | {"outcome": [_OUTCOMES.get(code) for code in columns.outcome.tolist()]}


def _evaluation_arrays(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    return {field.name: [getattr(each, field.name) for each in evaluations] for field in fields(Evaluation)}


def _arrays(columns: EpisodeColumns | UpdateColumns) -> dict[str, Any]:
    """Each column as an Arrow array, null where a float is not finite."""
    arrays = {}
    for field in fields(columns):
        values = getattr(columns, field.name)
        arrays[field.name] = pa.array(values, mask=~np.isfinite(values))
    return arrays


def _text(value: Any) -> str | None:
    return None if value is None else hyperparameter(value)
