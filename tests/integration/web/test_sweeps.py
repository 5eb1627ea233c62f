"""Sweeps, and the report, which says what `rlsweep report --json` says."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from rlsweep.analysis.progress import total_share_done
from rlsweep.cli import main
from rlsweep.runs import NewRun
from rlsweep.store import sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.store.overview import overview
from rlsweep.sweep_records import NewSweep
from tests.helpers.grid import record_grid, rising
from tests.helpers.recorded_population import COPIES, record_population

pytestmark = pytest.mark.integration

ENDS, SLOPES = (0.45, 0.69, 0.77, 0.84, 0.5, 0.74, 0.3, 0.66), (0.3, 0.3, 0.15, 0.5, 0.2, 0.3, 0.3, 0.2)
CLOSE = [rising(to, by=by) for to, by in zip(ENDS, SLOPES, strict=True)]
"""Three of eight configs are near the best."""


def test_the_list(
    web: httpx.Client,
    database: Database,
    record_sweep: Any,
    course: Any,
    new_sweep: Callable[..., NewSweep],
    new_run: Any,
) -> None:
    record_sweep({None: course(), "bad": course(error="ValueError: no")}, seeds=2, name="night")
    with database.connect() as connection:
        connection.execute("update training_runs set episodes = 100 where status = 'failed'")
    for number in range(4):
        config = {"agent": {}, "budget": {"episodes": 10, "total_timesteps": None}}
        sweeps.create(database, new_sweep(name=f"day%{number}"), [new_run(config=config)])
    answer = web.get("/api/sweeps").json()
    assert [each["name"] for each in answer["sweeps"]] == ["day%3", "day%2", "day%1", "day%0", "night"]
    night = answer["sweeps"][-1]
    assert night["runs_by_status"] == {"completed": 2, "failed": 2}
    assert (night["runs"], night["episodes"], night["status"]) == (4, 1000, "failed")
    assert night["done_by_status"] == {"completed": 2, "failed": 0.5}
    assert night["progress"] == 2.5 / 4, "failed and stopped runs count by what they trained, as in `status`"
    seen = overview(database, UUID(night["id"]))
    assert night["progress"] == pytest.approx(total_share_done(seen))
    assert night["environment"] == "open_spiel/connect_four"
    assert (answer["sweeps"][0]["progress"], answer["total"], answer["next_cursor"]) == (0.0, 5, None)
    assert [each["name"] for each in web.get("/api/sweeps?status=failed").json()["sweeps"]] == ["night"]
    assert web.get("/api/sweeps?q=Y%25").json()["total"] == 4
    seen, cursor = [], None
    while True:
        page = web.get("/api/sweeps", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [each["name"] for each in page["sweeps"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ["day%3", "day%2", "day%1", "day%0", "night"]
    assert web.get("/api/sweeps?cursor=nonsense").status_code == 422


def test_one_sweep_by_name_and_by_id(web: httpx.Client, database: Database, record_sweep: Any, course: Any) -> None:
    sweep = record_sweep({None: course()}, seeds=2)
    for reference in ("night", "latest", str(sweep.id), str(sweep.id)[:8]):
        shown = web.get(f"/api/sweeps/{reference}").json()
        assert shown["id"] == str(sweep.id)
    assert shown["run_ids"] == [str(run_id) for run_id in training_runs.ids_of_sweep(database, sweep.id)]
    assert (shown["patterns"], shown["seeds"], shown["overrides"]) == (["config/agents/*.yaml"], [0, 1], [])
    assert (shown["driver"], shown["driver_lost"], shown["eta_seconds"]) == (None, False, None)
    missing = web.get("/api/sweeps/nigth")
    assert missing.status_code == 404
    assert "Did you mean night?" in missing.json()["error"]["message"]
    assert web.get("/api/sweeps/nigth/report").status_code == 404


def test_a_driver_that_fell_silent_is_told(
    web: httpx.Client, database: Database, new_sweep: Callable[..., NewSweep], new_run: Callable[..., NewRun]
) -> None:
    sweep = sweeps.create(
        database,
        new_sweep(name="lost"),
        [new_run(config={"agent": {}, "budget": {"episodes": 9, "total_timesteps": None}})],
    )
    sweeps.take_lease(database, sweep.id, "here:1")
    assert web.get("/api/sweeps/lost").json()["driver_lost"] is False
    with database.connect() as connection:
        connection.execute("update sweeps set heartbeat_at = now() - interval '1 hour'")
    assert web.get("/api/sweeps/lost").json()["driver_lost"] is True


def test_the_report_is_what_the_command_says(
    web: httpx.Client, database: Database, record_sweep: Any, course: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    record_sweep({None: course(win_rate=0.8), "lr_high": course(win_rate=0.97, learning_rate=1e-3)})
    assert main(["report", "night", "--json"], {"RLSWEEP_DATABASE_URL": database.url}) == 0
    printed = capsys.readouterr().out
    answer = web.get("/api/sweeps/night/report")
    shown = json.loads(printed)
    assert web.get("/api/sweeps/night/importance").json() == shown.pop("importance")
    assert answer.json() == shown
    best = answer.json()["configs"][0]
    assert (best["name"], best["rank"], best["score_estimate"]["seeds"]) == ("ppo_agent_lr_high", 1, 3)
    etag = answer.headers["etag"]
    assert web.get("/api/sweeps/night/report", headers={"If-None-Match": etag}).status_code == 304


def test_any_runs_are_compared_by_the_same_code(
    web: httpx.Client, database: Database, record_sweep: Any, course: Any
) -> None:
    sweep = record_sweep({None: course(win_rate=0.8), "lr_high": course(win_rate=0.97, learning_rate=1e-3)})
    ids = [str(run_id) for run_id in training_runs.ids_of_sweep(database, sweep.id)]
    compared = compared_in_one_group(web, ids)
    report = web.get("/api/sweeps/night/report").json()
    assert compared["configs"] == report["configs"]
    for key, least, most in (("score_win_rate", 0, 1), ("win_rate", 0, 1), ("score_estimate", -1, 1), ("last", -1, 1)):
        ends = [each[key]["interval"] for each in report["configs"]]
        assert all(least <= end["low"] < end["high"] <= most for end in ends), key
    assert compared["findings"] == report["findings"]
    assert (compared["id"], compared["name"], compared["status"]) == (None, None, "completed")
    assert (compared["mode"], compared["environment"]) == ("smoke", "open_spiel/connect_four")
    assert compared["next_steps"][0]["command"].startswith("rlsweep train --agent-config")
    other = record_sweep({None: course(win_rate=0.9)}, name="set", seeds=1, overrides=("gamma=0.5",))
    chosen = [str(run_id) for run_id in training_runs.ids_of_sweep(database, other.id)]
    (step,) = compared_in_one_group(web, chosen)["next_steps"]
    assert "--set gamma=0.5" in step["command"]
    one = compared_in_one_group(web, ids[:1])
    assert [config["name"] for config in one["configs"]] == ["ppo_agent_v1"]
    assert web.get("/api/compare").status_code == 422


def compared_in_one_group(web: httpx.Client, ids: list[str]) -> dict[str, Any]:
    """The comparison of runs of one environment, opponent and budget."""
    compared = web.get("/api/compare", params={"run": ids}).json()
    (group,) = compared["groups"]
    assert (sorted(group["run_ids"]), compared["differences"]) == (sorted(ids), [])
    found: dict[str, Any] = group["comparison"]
    return found


def test_only_runs_of_one_environment_opponent_and_budget_are_compared(
    web: httpx.Client, database: Database, record_sweep: Any, course: Any
) -> None:
    courses = {None: course(win_rate=0.5), "good": course(win_rate=0.95)}
    sweeps_of = {name: record_sweep(courses, name=name).id for name in ("plain", "poles", "mcts", "long")}
    ids = {name: [str(run.id) for run in training_runs.of_sweep(database, of)] for name, of in sweeps_of.items()}
    changes = {
        "poles": ("{training,environment,id}", '"CartPole-v1"'),
        "mcts": ("{training,environment,opponent}", '"mcts:50"'),
        "long": ("{budget,episodes}", "800"),
    }
    with database.connect() as connection:
        for name, (path, value) in changes.items():
            connection.execute(
                "update training_runs set config = jsonb_set(config, %s, %s) where sweep_id = %s",
                (path, value, sweeps_of[name]),
            )
    compared = web.get("/api/compare", params={"run": [run_id for each in ids.values() for run_id in each]}).json()
    assert [group["run_ids"] for group in compared["groups"]] == list(ids.values())
    assert [group["setting"] for group in compared["groups"]] == [
        "open_spiel/connect_four, opponent random, 400 episodes a run",
        "CartPole-v1, opponent random, 400 episodes a run",
        "open_spiel/connect_four, opponent mcts:50, 400 episodes a run",
        "open_spiel/connect_four, opponent random, 800 episodes a run",
    ]
    four = "open_spiel/connect_four"
    assert {each["key"]: each["values"] for each in compared["differences"]} == {
        "environment.id": [four, "CartPole-v1", four, four],
        "environment.opponent": ["random", "random", "mcts:50", "random"],
        "budget": ["400 episodes", "400 episodes", "400 episodes", "800 episodes"],
    }
    for group in compared["groups"]:
        assert [config["rank"] for config in group["comparison"]["configs"]] == [1, 2]
        assert len(group["comparison"]["next_steps"]) == 1


def test_one_file_under_other_values_is_another_config(
    web: httpx.Client, database: Database, record_sweep: Any, course: Any
) -> None:
    ids = []
    for number, rate in enumerate((1e-3, 2e-3)):
        sweep = record_sweep({"lr": course(learning_rate=rate)}, seeds=2, name=f"night-{number}")
        ids += [str(run_id) for run_id in training_runs.ids_of_sweep(database, sweep.id)]
    for answer in (compared_in_one_group(web, ids), web.get("/api/bands", params={"run": ids}).json()):
        names = [config["name"] for config in answer["configs"]]
        assert len(set(names)) == 2
        assert all(re.fullmatch(r"ppo_agent_lr \([0-9a-f]{7}\)", name) for name in names)


def test_metrics_and_health(web: httpx.Client, password_server: Database, serving: Any) -> None:
    names = [metric["name"] for metric in web.get("/api/metrics").json()["metrics"]]
    assert {"reward", "win_rate", "approx_kl", "eval_mean_reward"} <= set(names)
    with serving(password_server) as client:
        health = client.get("/api/health").json()
    assert health["status"] == "ok"
    assert "s3cret" not in health["database"]


def test_what_a_budget_buys_is_what_the_command_says(
    web: httpx.Client, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    record_grid(database, "close", CLOSE, seeds=4, noise=0.09, base=0)
    assert main(["report", "close", "--budget", "--json"], {"RLSWEEP_DATABASE_URL": database.url}) == 0
    printed = json.loads(capsys.readouterr().out)
    prospects = web.get("/api/sweeps/close/prospects").json()
    assert prospects == printed["prospects"]
    assert [way["name"] for way in prospects["ways"]] == ["More seeds", "Fewer configs", "A longer budget"]
    more, fewer, longer = prospects["ways"]
    assert re.fullmatch(r"rlsweep race close --cap [\d.]+", more["command"])
    assert more["chance"][0] == 0
    assert more["chance"][-1] > 0.8
    assert "/configs/c6.yaml" not in fewer["command"]
    assert "--total-timesteps 1000 --objective training_reward" in fewer["command"]
    assert "--total-timesteps 2000 --objective training_reward" in longer["command"]
    for way in prospects["ways"]:
        assert way["text"].startswith(way["name"])
        assert all(
            low <= chance <= high for low, chance, high in zip(way["low"], way["chance"], way["high"], strict=True)
        )
    assert main(["report", "close", "--budget"], {"RLSWEEP_DATABASE_URL": database.url}) == 0
    shown = capsys.readouterr().out
    for way in prospects["ways"]:
        assert way["command"] in shown
    shorter = web.get("/api/sweeps/close/shorter").json()
    assert shorter == printed["shorter_sweep"]
    assert len(shorter["shares"]) == 10
    assert sorted(config["places"][-1] for config in shorter["configs"]) == list(range(1, 9))
    assert shorter["configs"][-1]["name"] == "raced_c6"
    for sentence in shorter["sentences"]:
        assert sentence.split(".")[0] in " ".join(shown.split())
    for name, curves, seeds, reason in (
        ("once", CLOSE, 1, "Too few configs have a second seed"),
        ("two", CLOSE[:2], 3, "With 2 configs no risk can be stated."),
        ("clear", [rising(0.3), rising(0.9), rising(0.4)], 3, "The answer is safe"),
    ):
        record_grid(database, name, curves, seeds=seeds, noise=0.01)
        said = web.get(f"/api/sweeps/{name}/prospects").json()
        assert (said["ways"], reason in said["text"]) == ([], True), name
    once = web.get("/api/sweeps/once/shorter").json()
    assert (once["configs"], once["flag"]) == ([], None)
    clear = web.get("/api/sweeps/clear/shorter").json()
    assert clear["flag"] == "--total-timesteps 500"  # ten policy updates
    assert clear["sentences"][-1].startswith("A sweep with --total-timesteps 500 would have said the same")


def test_the_genealogy_of_a_population(web: httpx.Client, database: Database, record_sweep: Any, course: Any) -> None:
    record_sweep({None: course()}, seeds=1, name="plain")
    assert web.get("/api/sweeps/plain/lineage").json() == {"population": None}
    variants = {variant: course(win_rate=0.5 if variant else 0.95) for variant in (None, *"bcdef")}
    interval = record_population(database, record_sweep(variants, seeds=1, name="population"))
    report = web.get("/api/sweeps/population/report").json()
    assert not any("--seeds" in finding for finding in report["findings"]), "a member has one seed of its own"
    assert report["card"]["against"] is None, "members share no seed"
    assert [config["path"] for config in report["configs"]] == [None] * 6, "no file has the schedule of a copy"
    found = web.get("/api/sweeps/population/lineage").json()["population"]
    assert (found["interval"], found["best"], found["best_by"]) == (interval, 1, "its score since the last interval")
    assert [(each["number"], each["name"], each["copies"]) for each in found["members"]][:2] == [
        (1, "ppo_agent_v1", 1),
        (2, "ppo_agent_b", 1),
    ]
    assert [(each["env_steps"] // interval, each["member"], each["source"]) for each in found["copies"]] == [
        copy[:3] for copy in sorted(COPIES, key=lambda each: each[:2])
    ]
    assert found["copies"][1]["changes"]["gamma"] == {"before": 0.99, "after": 0.95}
    assert found["copies"][1]["score"] == 16.0
    assert [each["member"] for each in found["lineage"]] == [1, 4, 3, 1]

    with database.connect() as connection:  # while a member trains, the last interval says which is best
        connection.execute(
            "update training_runs set status = 'running', end_reason = null where config_short_name = 'ppo_agent_b'"
        )
    running = web.get("/api/sweeps/population/lineage").json()["population"]
    assert (running["best"], running["best_by"]) == (6, "its score at the last interval")
    assert [each["member"] for each in running["lineage"]] == [2, 6]


def test_the_card_of_a_sweep_says_what_held_out_seeds_show(web: httpx.Client, record_sweep: Any, course: Any) -> None:
    def check(name: str) -> list[str]:
        card = web.get(f"/api/sweeps/{name}/report").json()["card"]
        return [line["text"] for line in card["lines"] if line["heading"] == "CHECK"]

    good, base = course(win_rate=0.9, learning_rate=1e-3), course(win_rate=0.6)
    chosen = record_sweep({None: base, "high": good}, name="night")
    assert check("night") == []
    record_sweep({"high": good, None: base}, name="checking", confirms=chosen.id)
    (own,) = check("checking")
    assert own.startswith("ppo_agent_high: ")
    assert "on 3 new seeds" in own
    assert check("night") == [f"{own} These seeds are in sweep checking."], "though the card was kept before"
