"""What the list of runs is sorted by."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, LiteralString

from rlsweep.config.differences import ADDED_KEYS
from rlsweep.config.stepped import may_change


class SortKey(StrEnum):
    """The columns by which the list can be sorted."""

    CONFIG_SHORT_NAME = "config_short_name"
    AGENT_ID = "agent_id"
    ALGORITHM = "algorithm"
    SWEEP = "sweep"
    ENVIRONMENT = "environment"
    SEED = "seed"
    STATUS = "status"
    STARTED_AT = "started_at"
    DURATION = "duration"
    EPISODES = "episodes"
    ENV_STEPS = "env_steps"
    MEAN_REWARD = "mean_reward"
    WIN_RATE = "win_rate"


@dataclass(frozen=True, slots=True)
class Key:
    """A sort key.

    expression: SQL of the sort key, equal to that of its index; type: SQL type of a cursor's value.

    can_miss: whether it may be null
    source: the tables it needs; no others, so that PostgreSQL can read it from an index only
    """

    expression: LiteralString
    type: LiteralString
    can_miss: bool = False
    source: LiteralString = "training_runs as run"


_KEYS = {
    SortKey.CONFIG_SHORT_NAME: Key("run.config_short_name", "text"),
    SortKey.AGENT_ID: Key("run.agent_id", "text"),
    SortKey.ALGORITHM: Key("run.algorithm", "text"),
    SortKey.SWEEP: Key(
        "sweeps.name",
        "text",
        can_miss=True,
        source="training_runs as run left join sweeps on sweeps.id = run.sweep_id",
    ),
    SortKey.ENVIRONMENT: Key("run.environment", "text", can_miss=True),
    SortKey.SEED: Key("run.seed", "bigint"),
    SortKey.STATUS: Key("run.status", "text"),
    SortKey.STARTED_AT: Key("coalesce(run.started_at, run.created_at)", "timestamptz"),
    SortKey.DURATION: Key(
        "extract(epoch from coalesce(run.ended_at, %(as_of)s) - run.started_at)", "numeric", can_miss=True
    ),
    SortKey.EPISODES: Key("run.episodes", "bigint"),
    SortKey.ENV_STEPS: Key("run.env_steps", "bigint"),
    SortKey.MEAN_REWARD: Key("run.mean_reward", "double precision", can_miss=True),
    SortKey.WIN_RATE: Key("run.win_rate", "double precision", can_miss=True),
}


# To read a value, PostgreSQL decompresses the config, which takes most of the time: `offset 0` keeps it from doing so
# again for each place where the key stands in the statement.
_HYPERPARAMETER = Key(
    "hyperparameter.value",
    "jsonb",
    can_miss=True,
    # the value of a key that an older version did not write is known, as in `flat_record`
    source="""training_runs as run
    cross join lateral (
        select nullif(coalesce(run.config #> %(path)s::text[], %(added)s::jsonb), 'null') as value offset 0
    ) as hyperparameter""",
)
_CHANGING = Key(
    "hyperparameter.value",
    "jsonb",
    can_miss=True,
    # of values by env step, the last one
    source="""training_runs as run
    cross join lateral (select run.config #> %(path)s::text[] as value offset 0) as recorded
    cross join lateral (
        select nullif(
            case jsonb_typeof(recorded.value)
                when 'object' then (
                    select given.value from jsonb_each(recorded.value) as given order by given.key::bigint desc limit 1
                )
                else recorded.value
            end,
            'null'
        ) as value
        offset 0
    ) as hyperparameter""",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hyperparameter:
    """A hyperparameter by its dotted key, as a column to sort by: texts, such as schedules, come before numbers."""

    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """Sort column and direction. Equal values are sorted by id; unknown values are always last."""

    key: SortKey | Hyperparameter = SortKey.STARTED_AT
    descending: bool = True


def key_of(order: Order) -> Key:
    """What an order sorts by in SQL."""
    if isinstance(order.key, Hyperparameter):
        return _CHANGING if may_change(order.key.key) else _HYPERPARAMETER
    return _KEYS[order.key]


def values_of(order: Order) -> dict[str, Any]:
    """The values of the placeholders of a hyperparameter's expression."""
    if not isinstance(order.key, Hyperparameter):
        return {}
    added = ADDED_KEYS.get(order.key.key)
    return {
        "path": ["agent", *order.key.key.split(".")],
        "added": None if added is None else json.dumps(added),
    }
