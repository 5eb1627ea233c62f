"""What commands print at 60, 80 and 120 columns: no figure is cut, no heading is broken, no line is too long."""

import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from rlsweep.cli.inspection import _run_rows, _sweep_rows
from rlsweep.cli.planning import print_forecast
from rlsweep.config.run import Mode
from rlsweep.planning.estimate import Estimate
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.plan import make_plan
from rlsweep.reports.importance import HOW, Importance, KeyImportance
from rlsweep.reports.importance_rendering import render_importance, render_space
from rlsweep.reports.layout import Column, laid_out
from rlsweep.reports.progress import progress_table
from rlsweep.reports.run_scores import RunScore
from rlsweep.reports.search_space import shown_space
from rlsweep.reports.tournament import SeatResults, Standing, TournamentResults
from rlsweep.reports.tournament_text import render_tournament
from rlsweep.runs import RunStatus
from rlsweep.sweep_records import Overview, SweepStatus
from tests.helpers.runs import run

WIDTHS = pytest.mark.parametrize("width", [60, 80, 120])

AGENT = "agent_id: ppo_agent\nname: A\nalgorithm: PPO\nversion: 1\n"
VARIANT = (
    "gamma: 0.995\nlearning_rate: 0.003\nn_steps: 128\nbatch_size: 32\nn_epochs: 3\nnetwork: {net_arch: [64, 64]}\n"
)


def printed(width: int, *parts: Any) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width)
    for part in parts:
        console.print(part)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def is_whole(lines: Sequence[str], words: Sequence[str]) -> bool:
    """Whether nothing is cut, and each of the words stands on one line."""
    return "…" not in "".join(lines) and all(any(word in line for line in lines) for word in words)


@WIDTHS
@pytest.mark.parametrize("copied", [False, True])
def test_a_plan_is_readable_with_a_variant_that_was_only_copied(tmp_path: Path, width: int, copied: bool) -> None:
    files = {"ppo_agent_v1": AGENT, "ppo_agent_sweep_other": f"{AGENT}sweep_variant: other\n{VARIANT}"}
    if copied:
        files["a_copy_with_a_long_name_in_which_nothing_was_changed"] = AGENT
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    plan = make_plan(
        [str(tmp_path)], base_config=None, mode=Mode.SMOKE, episodes=None, total_timesteps=9, seeds=1, with_base=False
    )
    expected = Estimate(
        env_steps=(12_345, 24_690),
        nominal_env_steps=12_345,
        updates=(111, 222),
        peak_memory_bytes=345_000_000,
        checkpoint_bytes=1,
        seconds=(200.0, 4000.0),
        gpu=None,
    )
    out = io.StringIO()
    print_forecast(Forecast(plan=plan, estimates=(expected,) * len(files), warnings=()), Console(file=out, width=width))
    lines = out.getvalue().splitlines()
    figures = ["12,345–24,690", "111–222", "345 MB", "3 min 20 s–1 h 6 min", "0.995", "[64, 64]"]
    headings = ["learning_rate", "gamma", "n_steps", "n_epochs", "net_arch", "env steps", "updates", "memory", "time"]
    assert is_whole(lines, [*figures, *headings, "ppo_agent_other"])
    assert all(len(line) <= width for line in lines if not re.match(r"\S+ \(|\d trials?:", line))


@WIDTHS
def test_progress_cuts_no_figure(width: int) -> None:
    name = "ppo_agent_learning_rate_high"
    runs = [
        run(of_steps=200_000, env_steps=112_345, steps_per_second=1_234.0, mean_reward=-171.86, config_short_name=name),
        run(RunStatus.STOPPED, of_steps=200_000, attempt=0, config_short_name=name, seed=1),
    ]
    lines = printed(width, progress_table(Overview.of_all(runs), width=width))
    assert is_whole(lines, ["112,345/200,000", "-172", "1 min 11 s", "not started", f"{name} seed 0", "last 100"])
    assert max(map(len, lines)) <= width


def test_on_a_low_screen_paragraphs_leave_room_for_the_total() -> None:
    runs = [run(of_steps=200_000, env_steps=100, config_short_name="a" * 40, seed=seed) for seed in range(20)]
    lines = printed(60, progress_table(Overview.of_all(runs), width=60, rows=12))
    assert lines[-2] == "and 16 more"
    assert len(lines) <= 12 + 2


@WIDTHS
def test_lists_of_runs_and_sweeps_cut_no_figure(width: int) -> None:
    name = "ppo_agent_learning_rate_high"
    runs = [run(env_steps=2_112_345, episodes=12_345, config_short_name=name, seed=seed) for seed in (0, 1)]
    for definitions in (["evaluation reward"] * 2, ["evaluation reward", "training reward, mean of the last fifth"]):
        scores = {
            each.id: RunScore(value=489.67, definition=text, win_rate=0.5)
            for each, text in zip(runs, definitions, strict=True)
        }
        columns, rows = _run_rows(runs, scores, is_mixed=definitions[0] != definitions[1])
        lines = printed(width, *laid_out(columns, rows, width))
        assert is_whole(lines, [name, "2,112,345", "12,345", "490", "50%", str(runs[0].id)[:8]])
        assert max(map(len, lines)) <= width
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    sweep = SimpleNamespace(
        name="ppo_agent-1130-065811-confirm",
        status=SweepStatus.FAILED,
        mode="smoke",
        created_at=moment,
        finished_at=moment + timedelta(hours=3, minutes=4),
        tags=(),
    )
    counts = {RunStatus.COMPLETED: 100, RunStatus.FAILED: 12, RunStatus.STOPPED: 3}
    listed: Any = [SimpleNamespace(sweep=sweep, runs_by_status=counts)]
    lines = printed(width, *laid_out(*_sweep_rows(listed), width))
    assert is_whole(lines, [sweep.name, "100 completed, 12 failed, 3 stopped", "3 h 4 min"])
    assert max(map(len, lines)) <= width


def test_a_table_that_fits_exactly_is_a_table_and_drops_columns_before_it_becomes_paragraphs() -> None:
    columns = [Column("name"), Column("a\nreward"), Column("empty"), Column("spared", is_extra=True)]
    rows = [("first", "12", "–", "7"), ("second", "3,456", "–", "8")]
    full = len("second reward empty spared")
    assert printed(full, *laid_out(columns, rows, full))[1:3] == [
        "name   reward empty spared",
        "first      12     –      7",
    ]
    assert printed(40, *laid_out(columns, rows, full - 1))[1] == "name   reward spared"
    assert printed(40, *laid_out(columns, rows, 14))[1] == "name   reward"
    assert printed(40, *laid_out(columns, rows, 12)) == [
        "first", "    a reward 12, spared 7", "second", "    a reward 3,456, spared 8",
    ]  # fmt: skip
    halves = printed(40, *laid_out([*columns[:2], Column("other")], [("first", "12", "7")], 14, most_tables=2))
    assert [line for line in halves if line.startswith("name")] == ["name  reward", "name  other"]


def a_tournament(players: int) -> TournamentResults:
    """Results of players with long names; each beats those after it more often."""

    def seat(wins: int) -> SeatResults:
        return SeatResults(wins=wins, draws=1, losses=9 - wins, share=(wins + 0.5) / 10)

    standings = tuple(
        Standing(
            name=f"connect_four_ppo_lr_{3 - place}e-4 seed {place}",
            rank=place + 1,
            is_fixed=False,
            players=(place,),
            rating=120.0 - 80 * place,
            low=90.0 - 80 * place,
            high=150.0 - 80 * place,
            wins=12 - place,
            draws=2,
            losses=6 + place,
            first=seat(7 - place),
            second=seat(5 - place),
            against=tuple(None if other == place else (7, 1, 2) for other in range(players)),
        )
        for place in range(players)
    )
    return TournamentResults(
        id=UUID(int=7 << 100),
        created_at=datetime.now(UTC),
        environment="open_spiel/connect_four",
        terms="20 games a pair, half on either seat. Policies draw their actions; seed 0.",
        games=60,
        planned=60,
        headline="connect_four_ppo_lr_3e-4 seed 0 is better than every other checkpoint.",
        notes=("Elo: 0 is the mean of all players, 100 more score 64%. Draws count half a win.",),
        advantage=30.0,
        advantage_low=-5.0,
        advantage_high=65.0,
        configs=(),
        standings=standings,
    )


@WIDTHS
def test_a_tournament_is_readable(width: int) -> None:
    results, out = a_tournament(3), io.StringIO()
    render_tournament(results, Console(file=out, width=width), matrix=False)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert all(len(line) <= width for line in lines)
    figures = ["+120", "+90 to +150", "12-2-6", "75%", "55%", *(each.name for each in results.standings)]
    assert is_whole(lines, figures)
    assert any("Share of the points of the row's player" in line for line in lines)
    out = io.StringIO()
    many = a_tournament(3 * width // 10)
    render_tournament(many, Console(file=out, width=width), matrix=False)
    assert "Share of the points" not in out.getvalue(), "a matrix that does not fit is left out"


@WIDTHS
def test_what_matters_and_a_search_space_are_readable(width: int) -> None:
    long = "network.features_extractor_kwargs"
    keys = tuple(
        KeyImportance(key=key, share=share, low=share / 2, high=1.0, exceeds_random=share > 0.5, inseparable=())
        for key, share in (("learning_rate", 0.87), (long, 0.04))
    )
    text = f"learning_rate moved the score most. {long} explains no more than a key of random values."
    found = Importance(text=text, keys=keys, nothing=0.1, how=HOW, beliefs=())
    entries = {"learning_rate": {"log": [1e-5, 0.01]}, long: {"choice": [{"a": 1}], "when": "n_epochs > 10"}}
    space = shown_space(
        {"source": "config/sweeps/a_space_with_a_long_name.yaml", "base": None, "sampler": "sobol", "seed": 0}
        | {"space": entries, "constraints": ["batch_size <= n_steps * n_envs"]},
        configs=16,
    )
    assert space is not None
    out = io.StringIO()
    console = Console(file=out, width=width)
    render_space(space, console)
    render_importance(found, console)
    lines = out.getvalue().splitlines()
    assert is_whole(lines, ["87%", "44% to 100%", long, "1e-05 to 0.01,", "batch_size <="])
    assert all(len(line.rstrip()) <= width for line in lines)
