"""The edges stay light: asking for help, or for a plan, loads neither torch nor Ray."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import rlsweep
from rlsweep.cli.app import app

AGENTS = Path(__file__).parents[3] / "config" / "agents"

TELL_IMPORTS = """
import atexit, sys
heavy = ("torch", "ray", "stable_baselines3", "gymnasium", "pyspiel", "psycopg", "pyarrow", "scipy", "optuna")
atexit.register(lambda: print("HEAVY", [name for name in heavy if name in sys.modules], file=sys.stderr))
sys.argv = ["rlsweep", *sys.argv[1:]]
from rlsweep.cli import main
sys.exit(main())
"""


def commands() -> dict[str, Any]:
    """Every command, groups included, by the words that call it."""
    found = {"": typer.main.get_command(app)}
    pending = [("", found[""])]
    while pending:
        words, group = pending.pop()
        below = {f"{words} {name}".strip(): command for name, command in getattr(group, "commands", {}).items()}
        found |= below
        pending += below.items()
    return found


def test_there_are_commands_to_test() -> None:
    assert {"", "plan", "submit", "train", "eval", "runs", "db", "db shell"} <= set(commands())


@pytest.mark.parametrize("words", sorted(commands()))
def test_every_command_explains_itself(words: str) -> None:
    shown = CliRunner().invoke(app, [*words.split(), "--help"], terminal_width=80, prog_name="rlsweep")
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert lines[0].startswith(f"Usage: rlsweep {words}".rstrip())
    assert max(map(len, lines)) <= 80
    command = commands()[words]
    assert command.help
    assert [parameter.name for parameter in command.params if not parameter.help] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["submit", "--help"],
        ["plan", str(AGENTS / "ppo_agent_sweep_lr_high.yaml"), "--episodes", "1", "--json"],
    ],
    ids=["help", "version", "submit help", "plan"],
)
def test_neither_torch_nor_ray_is_imported(arguments: list[str], tmp_path: Path) -> None:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("RLSWEEP_")}
    done = subprocess.run(
        [sys.executable, "-c", TELL_IMPORTS, *arguments],
        env=environ | {"RLSWEEP_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "HEAVY []"
    assert not (tmp_path / "home").exists()


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"rlsweep {rlsweep.__version__}\n"


def test_a_bare_command_shows_its_help() -> None:
    assert "Commands:" in CliRunner().invoke(app, []).output
