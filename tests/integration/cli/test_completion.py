"""What the shell offers where a sweep or a run is to be named."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from rlsweep.cli.app import app
from rlsweep.settings import Settings
from rlsweep.store import training_runs
from rlsweep.store.database import Database
from rlsweep.store.opening import running_database

pytestmark = pytest.mark.integration

ENDS_AT_ONCE = "postgresql://nobody@127.0.0.1:1/none"

TELL_IMPORTS = """
import atexit, sys
heavy = ("torch", "ray", "stable_baselines3", "gymnasium", "pyarrow", "scipy", "numpy", "rich")
atexit.register(lambda: print("HEAVY", [name for name in heavy if name in sys.modules], file=sys.stderr))
sys.argv = ["rlsweep"]
from rlsweep.cli import main
sys.exit(main())
"""


def asked(line: str, **environ: str) -> dict[str, str]:
    """The variables with which bash asks what may stand at the end of this line."""
    return environ | {"_RLSWEEP_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}


def offered(line: str, **environ: str) -> list[str]:
    done = CliRunner().invoke(app, [], env=asked(line, **environ), prog_name="rlsweep")
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    return done.stdout.split()


def test_names_of_sweeps_and_ids_of_runs_are_offered(
    database: Database, record_sweep: Callable[..., Any], course: type[Any], tmp_path: Path
) -> None:
    night = record_sweep({None: course(error="oh")}, seeds=2, name="night")
    record_sweep({}, name="noon_%")
    url = {"RLSWEEP_DATABASE_URL": database.url}
    first, second = (str(run.id) for run in training_runs.of_sweep(database, night.id))
    for command in ("report", "status", "stop", "resume", "race", "tensorboard", "runs --sweep"):
        assert offered(f"rlsweep {command} n", **url) == ["noon_%", "night"], command
    assert offered("rlsweep report noon_", **url) == ["noon_%"]
    assert offered("rlsweep report x", **url) == []
    for command in ("show", "eval", "train --resume"):
        assert set(offered(f"rlsweep {command} ", **url)) == {first[:8], second[:8]}, command
    assert offered(f"rlsweep stop {first[:6]}", **url) == [first[:8]]
    assert offered(f"rlsweep show {first[:9]}", **url) == [first]
    file = tmp_path / "settings"
    file.write_text(f"RLSWEEP_DATABASE_URL={database.url}\n")
    assert offered(f"rlsweep --settings {file} report ni") == ["night"]


def test_the_embedded_server_is_asked_only_where_it_runs(embedded_database: Database, tmp_path: Path) -> None:
    home = Path(conninfo_to_dict(embedded_database.url)["host"]).parents[1]  # of HOME/postgres/data
    running = running_database(Settings(home=home, storage=home, database_url=None))
    assert running is not None
    with running.readonly() as connection:
        assert connection.execute("show data_directory").fetchone() == {"data_directory": f"{home}/postgres/data"}
    for environ in ({"RLSWEEP_HOME": str(tmp_path / "new")}, {"RLSWEEP_DATABASE_URL": ENDS_AT_ONCE}):
        assert offered("rlsweep report ", **environ) == []
        assert offered("rlsweep sweep ", **environ) != [], "a command of another tool is no error here"
    assert not (tmp_path / "new").exists()


def test_completion_is_light(database: Database) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RLSWEEP_")}
    done = subprocess.run(
        [sys.executable, "-c", TELL_IMPORTS],
        env=kept | asked("rlsweep show ", RLSWEEP_DATABASE_URL=database.url),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "HEAVY []\n")
