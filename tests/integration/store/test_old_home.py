"""A home that 53098ae wrote opens: its runs are listed and reported as before, and resume bit for bit."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import old_home
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rlsweep.runs import EndReason
from rlsweep.store import schema, training_runs
from rlsweep.store.database import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("old_home")]

EXPECTED = old_home.expected()
RESUMED: dict[str, dict[str, Any]] = EXPECTED["resumed"]
OLD_SCHEMA = 6

ITS_ARITHMETIC = """
import torch
from rlsweep.training.fast import towers
towers.ACTIVATIONS[torch.nn.Tanh] = towers.Activation(torch.tanh_, towers._tanh_backward)
towers.MOST_WEIGHTS = 0
"""
"""53098ae computed tanh, and the products of single samples, with torch: NumPy rounds other last bits."""

RUN_KEYS = (
    "id", "sweep_id", "agent_id", "algorithm", "config_name", "config_short_name", "config_hash", "seed", "status",
    "stop_requested", "attempt", "episodes", "updates", "env_steps", "mean_reward", "win_rate", "mean_length",
)  # fmt: skip
SWEEP_KEYS = ("id", "name", "patterns", "mode", "budget", "seeds", "status")
REPORT_KEYS = (
    "id", "name", "status", "mode", "budget", "environment", "runs", "episodes", "updates", "env_steps", "winner",
)  # fmt: skip
CONFIG_KEYS = (
    "name", "is_base", "differences", "rank", "tied_with", "score", "score_estimate", "episodes", "updates",
    "env_steps", "first", "last", "gain", "win_rate", "minimum", "episode_sd", "trend", "steps_to_90", "area",
)  # fmt: skip
SEED_KEYS = ("run_id", "seed", "status", "episodes", "updates", "env_steps", "first_reward", "last_reward", "win_rate")


@dataclass(frozen=True)
class Opened:
    """The home laid out for this module's tests, what the commands showed, and how runs were resumed after that.

    resumed: how `rlsweep train --resume` ended for each run, failed ones among them
    refused: how it ended for a trial that was completed
    """

    url: str
    home: Path
    shown: Mapping[str, Any]
    resumed: Mapping[str, old_home.Done]
    refused: old_home.Done


@pytest.fixture(scope="module")
def opened(
    embedded_database: Database,
    copy_of: Callable[[Database], AbstractContextManager[Database]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Opened]:
    empty = Database(make_conninfo(embedded_database.url, dbname="template0"))
    with copy_of(empty) as database:
        home = tmp_path_factory.mktemp("old") / "home"
        old_home.lay_out(database.url, home)
        assert schema.schema_version(database) == OLD_SCHEMA
        looks = {name: [*name.split(), "--json"] for name in EXPECTED["shown"]}
        resumes = {name: each["command"] for name, each in RESUMED.items()}
        commands = [*looks.values(), *resumes.values(), ["train", "--resume", completed_trial(database)]]
        done = old_home.run_commands(commands, database.url, home, first=ITS_ARITHMETIC)
        shown, resumed = done[: len(looks)], done[len(looks) : -1]
        assert {each.code for each in shown} == {0}, shown
        yield Opened(
            url=database.url,
            home=home,
            shown={name: json.loads(each.out) for name, each in zip(looks, shown, strict=True)},
            resumed=dict(zip(resumes, resumed, strict=True)),
            refused=done[-1],
        )


def completed_trial(database: Database) -> str:
    with psycopg.connect(database.url) as connection:
        query = "select id from training_runs where sweep_id is not null and status = 'completed' and attempt = 1"
        return str(connection.execute(query).fetchall()[0][0])


def of_keys(records: list[dict[str, Any]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{key: record[key] for key in keys} for record in records]


def test_the_schema_is_upgraded(opened: Opened) -> None:
    assert schema.schema_version(Database(opened.url)) == schema.migrations()[-1].version


def test_runs_and_sweeps_are_listed(opened: Opened) -> None:
    shown, expected = opened.shown, EXPECTED["shown"]
    assert of_keys(shown["runs"], RUN_KEYS) == of_keys(expected["runs"], RUN_KEYS)
    for found, wanted in zip(shown["sweeps"], expected["sweeps"], strict=True):
        assert found["runs_by_status"] == wanted["runs_by_status"]
        assert of_keys([found["sweep"]], SWEEP_KEYS) == of_keys([wanted["sweep"]], SWEEP_KEYS)


@pytest.mark.parametrize("look", [name for name in EXPECTED["shown"] if name.startswith("report")])
def test_sweeps_are_reported(opened: Opened, look: str) -> None:
    found, wanted = opened.shown[look], EXPECTED["shown"][look]
    assert of_keys([found], REPORT_KEYS) == of_keys([wanted], REPORT_KEYS)
    assert found["scored_by"]["definition"] == f"{wanted['ranked_by']}, mean of the last fifth"
    assert of_keys(found["configs"], CONFIG_KEYS) == of_keys(wanted["configs"], CONFIG_KEYS)
    for ours, theirs in zip(found["configs"], wanted["configs"], strict=True):
        assert ours["score_win_rate"] == theirs["last_win_rate"]
        assert of_keys(ours["seeds"], SEED_KEYS) == of_keys(theirs["seeds"], SEED_KEYS)
        assert [seed["score"] for seed in ours["seeds"]] == [seed["last_reward"] for seed in theirs["seeds"]]
    assert [each["verdict"]["kind"] for each in found["configs"]] == [
        each["verdict"]["kind"] for each in wanted["configs"]
    ]
    assert [each["run_id"] for each in found["failures"]] == [each["run_id"] for each in wanted["failures"]]


def test_what_decides_how_a_run_continues_is_carried_over(opened: Opened) -> None:
    runs = {run["id"]: run for run in opened.shown["runs"]}
    reasons = {name: runs[each["run_id"]]["end_reason"] for name, each in RESUMED.items()}
    assert reasons.pop("fast") == "completed"
    assert reasons.pop("diverged") == "diverged"
    assert reasons.pop("broken") == "failed"
    assert reasons.pop("lost") == "lost"
    assert [reasons.pop(name) for name in ("abandoned", "still_running")] == ["abandoned", "abandoned"]
    assert [reasons.pop(name) for name in ("begins_anew", "weights_waiting")] == [None, None]
    assert set(reasons.values()) == {"stopped"}
    assert [run["id"] for run in runs.values() if run["begins_anew"]] == [RESUMED["begins_anew"]["run_id"]]
    assert {run["id"]: run["weights_from"] for run in runs.values() if run["weights_from"]} == {
        RESUMED[name]["run_id"]: str(opened.home / "weights.zip") for name in ("weights_waiting", "weights_begun")
    }
    actors = [run["actor"] for run in runs.values() if run["sweep_id"] is not None and run["attempt"] > 0]
    assert actors
    assert all(actor["id"] == "a" * 32 and actor["pid"] == 4711 for actor in actors)
    assert not {"weights_from", "begins_anew", "ray"} & {key for run in runs.values() for key in run["metadata"]}


def test_a_run_that_diverged_is_known_as_such(opened: Opened) -> None:
    (odd,) = (each for each in opened.shown["report calibration"]["configs"] if each["name"] == "tiny_odd")
    assert odd["verdict"]["kind"] == "unstable"
    assert "NaN" in odd["verdict"]["reasons"][0]


def test_a_completed_trial_is_not_resumed(opened: Opened) -> None:
    assert opened.refused.code == 2
    assert "completed" in opened.refused.err


@pytest.mark.parametrize("name", RESUMED)
def test_a_run_resumes_bit_for_bit(opened: Opened, name: str) -> None:
    assert opened.resumed[name].code == 0, opened.resumed[name]
    wanted = RESUMED[name]
    run = training_runs.get(Database(opened.url), wanted["run_id"])
    assert (run.end_reason, run.begins_anew, run.actor) == (EndReason.COMPLETED, False, None)
    found = old_home.recorded(opened.url, wanted["run_id"])
    if old_home.arithmetic() == EXPECTED["arithmetic"]:
        assert found == {key: wanted[key] for key in found}
    else:
        until = wanted["from_env_steps"] + first_rollout(wanted)
        before, after = ([row for row in each["episodes"] if row[1] <= until] for each in (found, wanted))
        assert before == after
        assert found["env_steps"] == wanted["env_steps"]


def first_rollout(wanted: dict[str, Any]) -> int:
    """Env steps of a rollout, from those at the first two updates."""
    first, second = (update[1] for update in wanted["updates"][:2])
    return int(second - first)
