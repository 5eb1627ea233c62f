"""What is wrong with training: the same findings on the page, in the terminal, as JSON and in Python."""

import json
from typing import Any

import httpx
import pytest

import rlsweep
from rlsweep.cli import main
from rlsweep.jsonable import jsonable
from rlsweep.settings import Settings
from rlsweep.store.database import Database
from tests.helpers.doctored_sweep import record_doctored

pytestmark = pytest.mark.integration

COLLAPSED = (
    "Entropy collapsed at update 2 and reward never recovered: lower learning_rate, raise ent_coef or set target_kl."
)


def test_findings_are_the_same_on_the_page_in_the_terminal_and_in_python(
    web: httpx.Client, database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    record_doctored(
        database,
        "doctored",
        {
            "base": [("apart", "cartpole_0"), ("apart", "cartpole_1")],
            "high": [("sick", "learning_rate_0.1"), ("healthy", "cartpole_100")],
            "nan": [("sick", "learning_rate_1e30"), ("sick", "learning_rate_1e30")],
        },
    )
    answer = web.get("/api/sweeps/doctored/diagnosis")
    shown = answer.json()
    assert (
        web.get("/api/sweeps/doctored/diagnosis", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    )
    assert [(config["name"], len(config["findings"])) for config in shown["configs"]] == [
        ("high", 1),
        ("nan", 1),
        ("base", 0),
    ]
    (finding,) = shown["configs"][0]["findings"]
    assert (finding["text"], finding["seeds"], finding["since"]) == (f"1 of 2 seeds: {COLLAPSED}", [0], 2)
    assert shown["summary"] == "Something is wrong with the training of 2 of 3 configs."
    assert "fewer than the 8 updates" in shown["configs"][1]["note"]
    assert len(shown["configs"][2]["strips"]) == len(shown["metrics"]) == 6
    sweep = rlsweep.sweep("doctored", settings=settings)
    assert jsonable(sweep.diagnosis()) == shown

    report = web.get("/api/sweeps/doctored/report").json()
    assert {health["name"]: health["findings"] for health in report["training_health"]} == {
        config["name"]: config["findings"] for config in shown["configs"] if config["findings"]
    }
    sick = shown["configs"][0]["runs"][0]
    run = web.get(f"/api/training-runs/{sick['run_id']}/diagnosis").json()
    assert (run["summary"], run["findings"]) == ("Something is wrong with this run's training.", sick["findings"])
    assert jsonable(rlsweep.run(sick["run_id"], settings=settings).diagnosis()) == run
    _is_printed(database, "doctored", ["Training health", "! high: 1 of 2 seeds: Entropy collapsed"], capsys)


def test_a_sweep_without_findings_says_nothing_in_the_terminal(
    web: httpx.Client, database: Database, record_sweep: Any, course: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    record_sweep({None: course(), "short": course(updates=3)}, seeds=1)
    assert main(["report", "night"], {"RLSWEEP_DATABASE_URL": database.url}) == 0
    assert "Training health" not in capsys.readouterr().out
    notes = {config["name"]: config["note"] for config in web.get("/api/sweeps/night/diagnosis").json()["configs"]}
    assert notes == {
        "ppo_agent_v1": None,
        "ppo_agent_short": "It has fewer than the 8 updates that the rules need.",
    }
    assert web.get("/api/sweeps/nowhere/diagnosis").status_code == 404
    assert web.get("/api/training-runs/00000000/diagnosis").status_code == 404


def _is_printed(database: Database, sweep: str, texts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", sweep], {"RLSWEEP_DATABASE_URL": database.url}) == 0
    printed = capsys.readouterr().out
    for text in texts:
        assert text in printed
    assert main(["report", sweep, "--json"], {"RLSWEEP_DATABASE_URL": database.url}) == 0
    assert json.loads(capsys.readouterr().out)["training_health"][0]["name"] == "high"
