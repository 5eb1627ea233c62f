"""Blocks of flags: what a user gives reaches the dataclass, and commands that share a block share its flags."""

from dataclasses import fields
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from rlsweep.api.plan import PlanOptions
from rlsweep.cli.app import app
from rlsweep.cli.flag_blocks import _BLOCKS, with_flag_blocks
from rlsweep.places.options import DrivingOptions


def parsed(*arguments: str) -> tuple[PlanOptions, DrivingOptions]:
    """What a command with two blocks is called with."""
    called: list[Any] = []

    def command(plan: PlanOptions, name: str = "none", driving: DrivingOptions = DrivingOptions()) -> None:  # noqa: B008
        called.append((plan, driving))

    one = typer.Typer()
    one.command()(with_flag_blocks(command))
    done = CliRunner().invoke(one, [*arguments])
    assert done.exit_code == 0, done.output
    return called[0]  # type: ignore[no-any-return]


def test_without_flags_blocks_have_their_own_defaults() -> None:
    assert parsed() == (PlanOptions(), DrivingOptions())


def test_flags_reach_their_blocks() -> None:
    plan, driving = parsed("--set", "gamma=0.9", "--set", "seed=3", "--seeds", "2", "--detach", "--cpus-per-trial", "2")
    assert plan == PlanOptions(overrides=("gamma=0.9", "seed=3"), seeds=2)
    assert driving == DrivingOptions(detach=True, cpus_per_trial=2.0)


@pytest.mark.parametrize("block", _BLOCKS)
def test_every_field_has_a_flag(block: Any) -> None:
    assert [field.name for field in fields(block)] == list(_BLOCKS[block])


@pytest.mark.parametrize("command", ["submit", "resume", "retry"])
def test_commands_that_drive_take_the_same_flags(command: str) -> None:
    found: Any = typer.main.get_command(app)
    names = [parameter.name for parameter in found.commands[command].params]
    driving = [field.name for field in fields(DrivingOptions)]
    start = names.index(driving[0])
    assert names[start : start + len(driving)] == driving


@pytest.mark.parametrize("command", ["submit", "plan", "serve"])
def test_help_shows_no_type_of_python_for_what_may_be_given_several_times(command: str) -> None:
    assert "list[" not in CliRunner().invoke(app, [command, "--help"]).output


def test_the_help_of_a_race_does_not_offer_the_seeds_that_it_refuses() -> None:
    assert "--seeds" in CliRunner().invoke(app, ["submit", "--help"]).output
    assert "--seeds" not in CliRunner().invoke(app, ["race", "--help"]).output
    refused = CliRunner().invoke(app, ["race", "config/agents/*.yaml", "--seeds", "3"])
    assert "--seeds 3: a race gives each config as many seeds as help." in str(refused.exception)
