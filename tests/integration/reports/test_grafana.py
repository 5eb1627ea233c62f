"""The Grafana dashboard: every query is run, as Grafana would, on a recorded sweep and as the role that only reads.

Grafana itself is not run. `Expander` does what Grafana 11 does to a query before the database sees it; that the panels
then draw what their queries return is checked by shape alone.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from rlsweep.runs import EndReason, NewRun, TrainingRun
from rlsweep.store import recording, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("grafana")]

FOLDER = Path(__file__).parents[3] / "dashboards" / "grafana"
DASHBOARD = json.loads((FOLDER / "rlsweep.json").read_text())
RAYS = json.loads((FOLDER / "rlsweep-ray.json").read_text())
PANELS = {panel["id"]: panel for panel in DASHBOARD["panels"] if panel["type"] != "row"}
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
QUERIED = {name: variable for name, variable in VARIABLES.items() if variable["type"] == "query"}

INTERVAL = timedelta(seconds=10)
NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}
TYPES = NUMBERS | {"bool", "text", "timestamptz"}
ROLE = "rlsweep_reader"
HOSTILE = "o'brien\"; drop table sweeps --"

Reader = psycopg.Connection[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Expander:
    """From a panel's `rawSql` to SQL.

    variables: what is chosen, several values or one; an `All` that has a value of its own is a Raw, put in as it is
    """

    variables: dict[str, "list[str] | str | Raw"]
    start: datetime
    end: datetime

    def expand(self, sql: str) -> str:
        sql = re.sub(r"\$\{(\w+)(?::(\w+))?\}", lambda found: self._variable(found[1], found[2]), sql)
        sql = sql.replace("$__interval_ms", str(round(INTERVAL.total_seconds() * 1000)))
        sql = sql.replace("$__interval", f"{INTERVAL.total_seconds():.0f}s")
        sql = sql.replace("$__unixEpochFrom()", str(int(self.start.timestamp())))
        sql = sql.replace("$__unixEpochTo()", str(int(self.end.timestamp())))
        # as in Grafana, an argument cannot hold a closing parenthesis
        sql = re.sub(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)", lambda found: self._macro(found[1], found[2]), sql)
        assert "$" not in sql, f"left over: {sql}"
        return sql

    def _variable(self, name: str, form: str | None) -> str:
        assert form == "sqlstring", f"${{{name}}} would reach the database without quotes"
        chosen = self.variables[name]
        if isinstance(chosen, Raw):
            return chosen.sql
        values = [chosen] if isinstance(chosen, str) else chosen
        return ",".join("'" + value.replace("'", "''") + "'" for value in values)

    def _macro(self, name: str, arguments: str) -> str:
        start, end = (f"'{moment.astimezone(UTC).isoformat()}'" for moment in (self.start, self.end))
        match name:
            case "__timeFrom":
                return start
            case "__timeTo":
                return end
            case "__timeFilter":
                return f"{arguments.strip()} BETWEEN {start} AND {end}"
        raise AssertionError(f"an unknown macro: $${name}")


@dataclass(frozen=True)
class Raw:
    sql: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    columns: dict[str, str]
    rows: list[dict[str, Any]]

    def of(self, column: str) -> list[Any]:
        return [row[column] for row in self.rows]


class Grafana:
    """What one viewer sees: the whole dashboard with these choices, over these hours."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        now = datetime.now(UTC)
        self.expander = Expander(variables={}, start=now - timedelta(hours=6), end=now + timedelta(seconds=5))
        self.choose(**{name: self._first(variable) for name, variable in QUERIED.items()})

    def choose(self, **chosen: "list[str] | str | Raw") -> None:
        self.expander = replace(self.expander, variables=self.expander.variables | chosen)

    def options(self, variable: dict[str, Any]) -> list[str]:
        answer = self.run(variable["query"])
        assert set(answer.columns) == {"__text", "__value"} or len(answer.columns) == 1
        return answer.of("__value" if "__value" in answer.columns else next(iter(answer.columns)))

    def _first(self, variable: dict[str, Any]) -> "list[str] | str | Raw":
        """What is chosen when the dashboard is opened: all, or the first."""
        if not variable["includeAll"]:
            return self.options(variable)[0]
        return Raw(variable["allValue"]) if "allValue" in variable else self.options(variable)

    def look(self, panel: dict[str, Any]) -> Answer:
        (target,) = panel["targets"]
        return self.run(target["rawSql"])

    def look_at(self, title: str) -> Answer:
        (panel,) = (panel for panel in PANELS.values() if panel["title"] == title)
        return self.look(panel)

    def run(self, sql: str) -> Answer:
        cursor = self._reader.execute(self.expander.expand(sql))
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        assert len(set(names)) == len(names), "two columns of one name"
        columns = {column.name: column.type_display for column in cursor.description}
        rows = [
            {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
            for row in cursor
        ]
        return Answer(columns=columns, rows=rows)


@pytest.fixture(scope="module")
def as_reader(embedded_database: Database) -> Iterator[Callable[[Database], AbstractContextManager[Reader]]]:
    """Connects to a database as the role of reader.sql, which is run twice; the role is the whole server's."""

    @contextmanager
    def connect(database: Database) -> Iterator[Reader]:
        for _ in range(2):
            with database.connect() as connection:
                connection.execute((FOLDER / "reader.sql").read_bytes())
        url = make_conninfo(database.url, user=ROLE)
        with psycopg.connect(url, autocommit=True, row_factory=dict_row) as reader:
            yield reader

    yield connect
    with embedded_database.connect() as connection:
        connection.execute(f"drop role {ROLE}")


@pytest.fixture(scope="module")
def recorded(
    as_reader: Callable[[Database], AbstractContextManager[Reader]],
    embedded_database: Database,
    copy_of: Callable[[Database], AbstractContextManager[Database]],
    record_into: Callable[..., Sweep],
    course: Any,
) -> Iterator[tuple[Sweep, Reader]]:
    """An hour ago: a sweep with a config that failed, and two runs of no sweep, one of which fell silent."""
    with copy_of(embedded_database) as database:
        sweep = record_into(
            database,
            {
                None: course(win_rate=0.7),
                "lr_high": course(learning_rate=1e-3),
                "lr_broken": course(
                    error="Traceback\n  File x\nDivergedError: the loss is NaN\n", failure=EndReason.DIVERGED
                ),
            },
        )
        first = training_runs.of_sweep(database, sweep.id)[0]
        single = replace(_planned(first), trial_key=None, agent_id=HOSTILE)
        silent, _pending = (transitions.create_single(database, single) for _ in range(2))
        transitions.begin_attempt(database, silent.id, {})
        with database.connect() as connection:
            connection.execute(
                "insert into evaluations (run_id, env_steps, attempt, episodes, mean_reward, reward_sd, mean_length, "
                "win_rate, is_best) select %s, steps, 1, 20, 0.5, 0.1, 9, 0.7, true "
                "from unnest(array[1000, 2000]) as steps",
                (first.id,),
            )
            connection.execute(
                "update training_runs set created_at = created_at - interval '1 hour', "
                "started_at = started_at - interval '1 hour', ended_at = ended_at - interval '1 hour', "
                "heartbeat_at = heartbeat_at - interval '1 hour'"
            )
            connection.execute("analyze")
        with as_reader(database) as reader:
            yield sweep, reader


def _planned(run: TrainingRun) -> NewRun:
    return NewRun(**{field.name: getattr(run, field.name) for field in fields(NewRun)})


@pytest.mark.parametrize("number", PANELS, ids=lambda number: f"{number}-{PANELS[number]['title']}")
def test_every_panel_gets_what_it_draws(recorded: tuple[Sweep, Reader], number: int) -> None:
    panel = PANELS[number]
    answer = Grafana(recorded[1]).look(panel)
    assert answer.rows, "the recorded sweep has something for every panel"
    assert set(answer.columns.values()) <= TYPES, "no type that Grafana shows as text of its own making"
    (target,) = panel["targets"]
    match panel["type"]:
        case "timeseries":
            assert target["format"] == "time_series"
            columns = dict(answer.columns)
            assert columns.pop("time") == "timestamptz"
            assert answer.of("time") == sorted(answer.of("time")), "or Grafana refuses to make series of it"
            if "metric" in columns:
                assert columns.pop("metric") == "text"
                assert len({(row["time"], row["metric"]) for row in answer.rows}) == len(answer.rows)
            assert set(columns.values()) <= NUMBERS
            assert len(columns) == 1
        case "trend":
            matrix, conversion = (step["options"] for step in panel["transformations"])
            wide = rf"{matrix['rowField']}\{matrix['columnField']}"
            assert {panel["options"]["xField"], *(each["targetField"] for each in conversion["conversions"])} == {wide}
            assert list(answer.columns) == [matrix["rowField"], matrix["columnField"], matrix["valueField"]]
            assert [kind in NUMBERS for kind in answer.columns.values()] == [True, False, True]
            steps = answer.of("env_steps")
            assert steps == sorted(steps), "the x of a trend ascends"
            assert len({(row["env_steps"], row["config"]) for row in answer.rows}) == len(answer.rows)
            assert all(override["matcher"]["options"] == wide for override in panel["fieldConfig"]["overrides"])
        case "stat":
            assert len(answer.rows) == 1
            assert set(answer.columns.values()) <= NUMBERS
        case "table":
            assert target["format"] == "table"
    if panel["type"] != "trend":
        named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
        linked = set(re.findall(r"\$\{__data\.fields\.(\w+)\}", json.dumps(panel)))
        assert (named - {"pending", "running", "paused", "completed", "stopped", "failed"}) | linked <= set(
            answer.columns
        )


@pytest.mark.parametrize("number", PANELS, ids=lambda number: f"{number}-{PANELS[number]['title']}")
def test_every_query_bears_any_choice(recorded: tuple[Sweep, Reader], number: int) -> None:
    grafana = Grafana(recorded[1])
    for sweep in grafana.options(VARIABLES["sweep"]):
        for agents in ([agent] for agent in grafana.options(VARIABLES["agent"])):
            grafana.choose(sweep=sweep, agent=agents, status=["failed", "running"])
            grafana.look(PANELS[number])


def test_an_empty_database_is_no_error(
    database: Database, as_reader: Callable[[Database], AbstractContextManager[Reader]]
) -> None:
    with as_reader(database) as reader:
        grafana = Grafana(reader)
        assert grafana.expander.variables["sweep"] == "none"
        for panel in PANELS.values():
            answer = grafana.look(panel)
            assert panel["type"] != "stat" or len(answer.rows) == 1
        assert set(grafana.look_at("Runs by status").of("runs")) == {0}


def test_the_figures_are_those_on_record(recorded: tuple[Sweep, Reader]) -> None:
    sweep, reader = recorded
    grafana = Grafana(reader)
    assert grafana.options(VARIABLES["sweep"]) == [str(sweep.id), "none"]
    assert grafana.options(VARIABLES["agent"]) == [HOSTILE, "ppo_agent"]

    counts = {"completed": 6, "failed": 3, "paused": 0, "pending": 1, "running": 1, "stopped": 0}
    over_time = grafana.look_at("Runs by status")
    assert {row["metric"]: row["runs"] for row in over_time.rows[-6:]} == counts
    assert set(over_time.of("runs")[:6]) == {0}

    seconds = INTERVAL.total_seconds()
    assert sum(grafana.look_at("Env steps per second").of("env steps/s")) * seconds == pytest.approx(6 * 400 * 10)
    assert sum(grafana.look_at("Episodes recorded per second").of("episodes/s")) * seconds == pytest.approx(6 * 400)

    runs = grafana.look_at("Configs")
    assert dict(zip(runs.of("config"), runs.of("failed"), strict=True))["ppo_agent_lr_broken"] == 3
    rewards = grafana.look_at("Episode reward")
    assert set(rewards.of("config")) == {"ppo_agent_v1", "ppo_agent_lr_high"}
    assert max(rewards.of("env_steps")) >= max(grafana.look_at("Runs").of("env steps"))
    late = [row for row in grafana.look_at("Win rate").rows if row["env_steps"] > 3800]
    for config, low, high in (("ppo_agent_v1", 0.5, 0.8), ("ppo_agent_lr_high", 0.75, 1.0)):
        values = [row["value"] for row in late if row["config"] == config]
        assert low < sum(values) / len(values) < high

    assert grafana.look_at("Failed runs").of("error") == ["DivergedError: the loss is NaN"] * 3
    (silent,) = grafana.look_at("Silent runs, one by one").rows
    assert 3500 < silent["silent for"] < 3900
    assert grafana.look_at("Silent runs").rows == [{"silent": 1}]


def test_what_is_now_is_told_of_runs_that_give_signs_of_life(
    database: Database, as_reader: Callable[[Database], AbstractContextManager[Reader]], new_run: Callable[..., NewRun]
) -> None:
    for speed in (50.0, 25.0):
        run = transitions.begin_attempt(database, transitions.create_single(database, new_run()).id, {})
        assert run is not None
        progress = recording.Progress(episodes=1, updates=1, env_steps=64, steps_per_second=speed)
        recording.flush(database, run.id, run.attempt, recording.Batch(progress=progress))
    with as_reader(database) as reader:
        grafana = Grafana(reader)
        assert grafana.look_at("Env steps per second, now").rows == [{"env steps/s": 75}]
        assert grafana.look_at("Silent runs").rows == [{"silent": 0}]
        (now,) = grafana.look_at("Runs by status, now").rows
        assert now == dict.fromkeys(now, 0) | {"running": 2}
        with database.connect() as connection:
            connection.execute(
                "update training_runs set heartbeat_at = heartbeat_at - interval '1 minute' where id = %s", (run.id,)
            )
        assert grafana.look_at("Env steps per second, now").rows == [{"env steps/s": 50}]
        assert grafana.look_at("Silent runs").rows == [{"silent": 1}]


def test_the_role_only_reads(
    database: Database, as_reader: Callable[[Database], AbstractContextManager[Reader]]
) -> None:
    with as_reader(database) as reader:
        reader.execute("set default_transaction_read_only = off")
        for statement in ("delete from episodes", "update sweeps set name = ''", "create table mine (id integer)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement)
        with database.connect() as connection:
            connection.execute("create table of_a_later_version (id integer)")
        reader.execute("select from of_a_later_version")
        assert reader.execute("show statement_timeout").fetchone() == {"statement_timeout": "30s"}


def test_unknown_macros_and_unquoted_variables_fail() -> None:
    expander = Expander(variables={"sweep": "x"}, start=datetime.now(UTC), end=datetime.now(UTC))
    for sql in ("$__timeGruop(at, '1m')", "${sweep}", "${sweep:raw}", "$sweep"):
        with pytest.raises(AssertionError):
            expander.expand(f"select {sql}")


@pytest.mark.parametrize("dashboard", [DASHBOARD, RAYS], ids=["tables", "ray"])
def test_panels_have_their_own_ids_and_places(dashboard: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in _rows(place)):
            assert cell not in taken, f"{panel['title']} lies on {taken[cell]}"
            taken[cell] = panel["title"]


def _rows(place: dict[str, int]) -> range:
    return range(place["y"], place["y"] + place["h"])


def test_what_is_referred_to_exists() -> None:
    text = json.dumps(DASHBOARD)
    used = set(re.findall(r"\$\{(\w+)", text)) | set(re.findall(r"\$(\w+)", text))
    assert {name for name in used if not name.startswith("__")} == set(VARIABLES), "each is used, and none is missing"
    for part in (*PANELS.values(), *QUERIED.values(), *(panel["targets"][0] for panel in PANELS.values())):
        assert part["datasource"] == {"type": VARIABLES["datasource"]["query"], "uid": "${datasource}"}
    for panel in PANELS.values():
        assert panel["type"] in {"stat", "table", "timeseries", "trend"}
    pages = set(re.findall(r"/training(/\w+)?/\$\{__data\.fields\.", text))
    assert pages == {"/runs", "/sweeps"}


def test_what_ray_tells_is_asked_of_prometheus() -> None:
    """That the metrics are those that drivers export is shown where a Ray is, in tests/integration/sweep."""
    source, sweep = RAYS["templating"]["list"]
    assert (source["name"], source["query"]) == ("datasource", "prometheus")
    for part in (sweep, *RAYS["panels"], *(panel["targets"][0] for panel in RAYS["panels"])):
        assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for panel in RAYS["panels"]:
        (target,) = panel["targets"]
        metrics = re.findall(r"ray_rlsweep_\w+(?=(\{.*?\}))", target["expr"])
        assert metrics
        assert all('sweep=~"$sweep"' in labels for labels in metrics), "the chosen sweeps, not all"
        assert target["instant"] == (panel["type"] == "stat")
    (provisioned,) = yaml.safe_load((FOLDER / "provisioning" / "datasources" / "prometheus.yaml").read_text())[
        "datasources"
    ]
    assert (provisioned["type"], provisioned["url"]) == ("prometheus", "$RLSWEEP_PROMETHEUS_URL")


def test_provisioning_names_the_same_things() -> None:
    source, provider = (
        yaml.safe_load((FOLDER / "provisioning" / kind / "rlsweep.yaml").read_text())
        for kind in ("datasources", "dashboards")
    )
    (database,) = source["datasources"]
    assert (database["type"], database["user"]) == (VARIABLES["datasource"]["query"], ROLE)
    assert database["secureJsonData"] == {"password": "$RLSWEEP_READER_PASSWORD"}, "no password lies in a file"
    assert provider["providers"][0]["type"] == "file"


def test_the_readme_makes_the_role(database: Database, as_reader: Callable[..., Any]) -> None:
    readme = (FOLDER.parent / "README.md").read_text()
    command, _ = re.findall(r"^```bash\n(.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = os.environ | {"RLSWEEP_DATABASE_URL": database.url, "PATH": path}
    subprocess.run(["bash", "-euc", command], cwd=FOLDER.parents[1], env=environ, check=True, timeout=60)
    with psycopg.connect(make_conninfo(database.url, user=ROLE)) as reader:
        reader.execute("select from sweeps")
    for linked in re.findall(r"\]\(([^)]+)\)", readme):
        assert (FOLDER.parent / linked).exists(), linked
