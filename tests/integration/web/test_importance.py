"""Which hyperparameters moved the score: over HTTP as the command prints it, with the search space."""

import json

import httpx
import pytest
from psycopg.types.json import Json

from rlsweep.cli.app import main
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep
from tests.helpers.grid import record_grid, rising

pytestmark = pytest.mark.integration

SPACE = {
    "source": "space.yaml", "base": "/configs/base.yaml", "sampler": "sobol", "configs": 14, "seed": 0,
    "space": {"learning_rate": {"log": [1e-4, 1e-2]}, "gamma": {"choice": [0.9, 0.99], "when": "n_epochs > 2"}},
    "constraints": ["batch_size <= n_steps"],
}  # fmt: skip
CONFIGS = 14


def record_drawn(database: Database, name: str, configs: int = CONFIGS) -> Sweep:
    """The learning rate makes the score; gamma alternates, and does nothing."""
    sweep = record_grid(database, name, [rising(0.2 + 0.05 * place) for place in range(configs)], seeds=2)
    with database.connect() as connection:
        connection.execute("update sweeps set space = %s where id = %s", (Json(SPACE), sweep.id))
        connection.execute(
            "update training_runs set config = jsonb_set(config, '{agent,gamma}', "
            "to_jsonb(case when substring(config_short_name from '[0-9]+$')::integer %% 2 = 0 then 0.9 else 0.99 end)) "
            "where sweep_id = %s",
            (sweep.id,),
        )
    return sweep


def test_what_matters_is_what_the_command_says(
    web: httpx.Client, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    record_drawn(database, "drawn")
    environ = {"RLSWEEP_DATABASE_URL": database.url}
    assert main(["report", "drawn", "--json"], environ) == 0
    printed = json.loads(capsys.readouterr().out)
    found = web.get("/api/sweeps/drawn/importance").json()
    assert found == printed["importance"]
    with pytest.MonkeyPatch.context() as patch:  # what was computed for one browser is there for the next
        patch.setattr("rlsweep.web.api.importance.importance", lambda *_: pytest.fail("computed again"))
        assert web.get("/api/sweeps/drawn/importance").json() == found
    rate, gamma = found["keys"]
    assert (rate["key"], rate["exceeds_random"], gamma["key"], gamma["exceeds_random"]) == (
        "learning_rate",
        True,
        "gamma",
        False,
    )
    assert rate["low"] <= rate["share"] <= rate["high"]
    assert rate["share"] > 0.5 > gamma["share"]
    assert gamma["low"] < found["nothing"]
    assert found["text"].startswith("learning_rate moved the score most: it explains ")
    assert "gamma explains no more than a key of random values" in found["text"]

    scores = {config["name"]: config["score"] for config in printed["configs"]}
    assert len(found["beliefs"]) == CONFIGS
    for belief in found["beliefs"]:
        assert belief["low"] < belief["mean"] < belief["high"]
        assert belief["mean"] == pytest.approx(scores[belief["config"]])

    space = printed["search_space"]
    assert space == web.get("/api/sweeps/drawn/report").json()["search_space"]
    assert [each["drawn"] for each in space["keys"]] == ["0.0001 to 0.01, log-uniform", "one of 0.9, 0.99"]
    assert main(["report", "drawn"], environ) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for text in (found["text"], found["how"], space["text"], "gamma: one of 0.9, 0.99, where n_epochs > 2"):
        assert text in shown
    assert "Every config fulfils batch_size <= n_steps." in shown


def test_of_a_value_that_changes_the_last_one_counts(web: httpx.Client, database: Database) -> None:
    record_drawn(database, "plain")
    record_drawn(database, "changing")
    with database.connect() as connection:
        connection.execute(
            "update training_runs set config = jsonb_set(config, '{agent,learning_rate}', "
            "jsonb_build_object('0', 0.5, '1000', config #> '{agent,learning_rate}')) "
            "where sweep_id = (select id from sweeps where name = 'changing')"
        )
    plain, changing = (web.get(f"/api/sweeps/{name}/importance").json() for name in ("plain", "changing"))
    assert changing["keys"] == plain["keys"]
    assert changing["how"] == f"{plain['how']} Of a key that changes while a config trains, the last value is taken."


def test_of_few_configs_it_cannot_be_known(web: httpx.Client, database: Database) -> None:
    record_drawn(database, "few", configs=11)
    found = web.get("/api/sweeps/few/importance").json()
    assert (found["keys"], found["nothing"], len(found["beliefs"])) == ([], None, 11)
    assert found["text"].startswith("11 configs cannot show which of 2 hyperparameters moved the score")
    record_grid(database, "alike", [rising(0.5)])
    assert "same hyperparameters" in web.get("/api/sweeps/alike/importance").json()["text"]
    with database.connect() as connection:
        connection.execute("update sweeps set status = 'running', finished_at = null where name = 'few'")
    assert "still trains" in web.get("/api/sweeps/few/importance").json()["text"]


def test_scores_are_those_of_the_schedulers_objective(web: httpx.Client, database: Database) -> None:
    sweep = record_drawn(database, "halved", configs=3)
    with database.connect() as connection:
        connection.execute(
            "insert into schedulers (sweep_id, kind, objective, settings) values (%s, 'asha', 'episode_length', '{}')",
            (sweep.id,),
        )
    beliefs = web.get("/api/sweeps/halved/importance").json()["beliefs"]
    assert [belief["mean"] for belief in beliefs] == [10.0] * 3  # env steps of every episode
    assert "episode length" in web.get("/api/sweeps/halved/shorter").json()["scored_by"]
    with database.connect() as connection:
        connection.execute("update schedulers set kind = 'pbt'")
        connection.execute("update sweeps set status = 'stopped' where name = 'halved'")
    population = web.get("/api/sweeps/halved/importance").json()
    assert "copy each other's weights" in population["text"]
    assert (population["keys"], population["beliefs"]) == ([], [])
