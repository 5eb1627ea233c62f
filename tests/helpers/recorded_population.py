"""A population's record, as population-based training writes it, without training."""

from typing import Any

from psycopg.types.json import Jsonb

from rlsweep.scheduler_records import SchedulerKind, SchedulerTerms
from rlsweep.store import schedulers
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep

INTERVAL = 2_000
COPIES = [
    # interval, copy, source, what changed
    (1, 4, 1, [{"key": "learning_rate", "before": 1e-3, "after": 8e-4}]),
    (
        1,
        6,
        2,
        [{"key": "ppo.ent_coef", "before": 0.01, "after": 0.012}, {"key": "gamma", "before": 0.99, "after": 0.95}],
    ),
    (2, 3, 4, [{"key": "learning_rate", "before": 8e-4, "after": 6.4e-4}]),
    (2, 5, 4, []),
    (3, 1, 3, [{"key": "batch_size", "before": 64, "after": 128}]),
    (3, 2, 5, None),
]
"""Member 1 ends best: it descends from 3, from 4, and from what it was itself at the start."""


def record_population(database: Database, sweep: Sweep) -> None:
    """Make a sweep of six runs a population that has trained to its fourth interval."""
    settings = {"population": 6, "interval": INTERVAL, "intervals": 4, "share": 0.25, "resampled": 0.25, "seed": 0}
    terms = SchedulerTerms(kind=SchedulerKind.PBT, objective="training_reward", settings=settings)
    with database.connect() as connection:
        schedulers.insert_terms(connection, sweep.id, terms)
        for number in range(1, 4):
            values = {
                "sweep_id": sweep.id,
                "number": number,
                "record": Jsonb(_record(number)),
                "decision": Jsonb(_made(number)),
            }
            connection.execute(
                "insert into scheduler_decisions (sweep_id, number, free, record, decision)"
                " values (%(sweep_id)s, %(number)s, 2, %(record)s, %(decision)s)",
                values,
            )
        connection.execute("update training_runs set env_steps = %s where sweep_id = %s", (4 * INTERVAL, sweep.id))


def _record(interval: int) -> dict[str, Any]:
    return {
        "members": [
            {
                "number": member,
                "stage": "waiting",
                "interval": interval,
                "reached": [
                    {"interval": each, "score": 10.0 * each - member, "can_be_copied": True}
                    for each in range(1, interval + 1)
                ],
            }
            for member in range(1, 7)
        ]
    }


def _made(interval: int) -> dict[str, Any]:
    copies = {copy: (source, changes) for at, copy, source, changes in COPIES if at == interval}
    steps = []
    for member in range(1, 7):
        source, changes = copies.get(member, (None, None))
        step = {"member": member, "interval": interval, "source": source, "seed": 7 * member}
        steps.append(step if changes is None else {**step, "changes": changes})
    return {"steps": steps, "stop": None}
