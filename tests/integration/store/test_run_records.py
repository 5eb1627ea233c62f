"""The view behind what lists, pages and commands show of a run."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from rlsweep.runs import Budget, EndReason, RunSummary, TrainingRun
from rlsweep.store import listing, recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.listing import Filters
from rlsweep.store.listing_order import Order

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


def listed(database: Database) -> tuple[RunSummary, ...]:
    return listing.list_page(database, Order(), Filters(), 50).runs


def test_a_list_shows_the_same_of_a_run_as_its_own_record(database: Database, new_sweep: Make, new_run: Make) -> None:
    config = {
        "mode": "full",
        "training": {"environment": {"id": "leduc_poker"}},
        "budget": {"episodes": 20, "total_timesteps": None},
    }
    sweep = sweeps.create(database, new_sweep(name="night"), [new_run(config=config)])
    (run,) = training_runs.of_sweep(database, sweep.id)
    assert (run.sweep_name, run.mode, run.environment) == ("night", "full", "leduc_poker")
    assert run.budget == Budget(episodes=20)
    (row,) = listed(database)
    assert type(row) is RunSummary
    assert row == RunSummary(**{field.name: getattr(run, field.name) for field in fields(RunSummary)})


def test_the_view_has_a_column_for_every_field(database: Database) -> None:
    with database.readonly() as connection:
        columns = {column.name for column in connection.execute("select * from run_records").description or ()}
    in_several = {"budget": {"budget_episodes", "budget_total_timesteps"}}
    in_several["actor"] = {"actor_cluster", "actor_id", "actor_node", "actor_pid"}
    shown = set[str]().union(*(in_several.get(field.name, {field.name}) for field in fields(TrainingRun)))
    assert columns - shown == {"position"}
    assert shown <= columns


@pytest.mark.parametrize(
    ("budget", "episodes", "env_steps", "end", "progress"),
    [
        ({"episodes": 20, "total_timesteps": None}, 5, 900, None, 0.25),
        ({"episodes": None, "total_timesteps": 1000}, 5, 900, None, 0.9),
        ({"episodes": 20, "total_timesteps": 1000}, 5, 900, None, 0.9),
        ({"episodes": 20, "total_timesteps": 1000}, 5, 1016, None, 1.0),
        ({"episodes": 20, "total_timesteps": None}, 5, 900, EndReason.STOPPED, 0.25),
        ({"episodes": 20, "total_timesteps": None}, 5, 900, EndReason.COMPLETED, 1.0),
        ({}, 5, 900, None, None),
        ({}, 5, 900, EndReason.COMPLETED, 1.0),
    ],
)
def test_progress_is_the_larger_spent_part_of_the_budget(
    database: Database,
    new_run: Make,
    budget: dict[str, int | None],
    episodes: int,
    env_steps: int,
    end: EndReason | None,
    progress: float | None,
) -> None:
    run = transitions.create_single(database, new_run(config={"budget": budget}))
    transitions.begin_attempt(database, run.id, {})
    done = recording.Progress(episodes=episodes, updates=0, env_steps=env_steps)
    recording.flush(database, run.id, 1, recording.Batch(progress=done))
    if end is not None:
        transitions.finish(database, run.id, 1, end)
    assert training_runs.get(database, run.id).progress == progress


@pytest.mark.parametrize(
    ("text", "last_line"),
    [
        ("ValueError: no", "ValueError: no"),
        ("Traceback (most recent call last):\n  File x\nValueError: no\n\n  \n", "ValueError: no"),
        ("a\r\n  DivergedError: the loss is NaN \r\n", "DivergedError: the loss is NaN"),
        ("a\n" + "x" * 5000, "x" * 2000),
        (" \n\n", None),
        (None, None),
    ],
)
def test_an_error_is_its_last_line_and_its_text_is_kept(
    database: Database, new_run: Make, text: str | None, last_line: str | None
) -> None:
    run = transitions.create_single(database, new_run())
    transitions.begin_attempt(database, run.id, {})
    ended = transitions.finish(database, run.id, 1, EndReason.FAILED, text)
    assert (ended.error, ended.error_text) == (last_line, text)
