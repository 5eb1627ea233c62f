"""The short form of `make bench`: every kind of process that it runs, once, with next to nothing to do.

What differs from another by a number or a flag alone, such as a second engine or one env runner less, is left out.
They join a running Ray: tests of sweeps start one. That of RLlib shares one with the cases of
tests/integration/sweep/test_rllib.py.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import test_searched_game
import test_service
import test_web
import web_grid
import web_record
from rounds import printed
from search_methods import Size
from test_deciding import METHODS, draw, of_family
from test_engines import ratios
from test_learning_self_play import games
from test_many_trials import looking, many_trials, megabytes_at
from test_recording import ingest, recording_ratio
from test_samplers import METHODS as SEARCH_METHODS
from test_samplers import SHARES, of_function, search
from test_start import submit
from test_sweep_overhead import whole_processes
from test_zoo import played

from rlsweep.settings import Settings
from rlsweep.store.opening import open_database

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.mark.xdist_group("ray head")
def test_the_overhead_benchmark_runs_every_process(ray_head: dict[str, str]) -> None:
    seconds = whole_processes(trials=1, steps=64, rounds=1, engines=("fast",), slots=1, ray=ray_head)
    assert {name: len(values) for name, values in seconds.items()} == {
        "rlsweep submit, fast engine": 1,
        "hand-written Tune": 1,
        "plain loop": 1,
    }


@pytest.mark.xdist_group("ray head")
def test_the_benchmark_of_the_start_sees_a_first_step_an_end_and_all_processes(
    ray_head: dict[str, str], tmp_path: Path
) -> None:
    measured = submit(tmp_path, ray_head)
    assert measured.first_step > 0
    assert measured.end > 0
    assert measured.cpu > 1


def test_the_engine_benchmark_runs_both_engines() -> None:
    measured, ratio = ratios("connect_four", steps=64, rounds=2)
    assert [len(measured[engine][part]) for engine in ("stock", "fast") for part in ("collect", "update")] == [2] * 4
    assert len(ratio) == 2
    assert measured["peak_mb"] > 100


def test_the_learning_benchmark_gives_a_win_rate_for_each_seed() -> None:
    win_rates = printed("learning_runs.py", "connect_four", "fast", 256, 3, 2)
    assert win_rates.keys() == {"3", "4"}
    assert all(0 <= rate <= 1 for rate in win_rates.values())


def test_the_benchmark_of_self_play_plays_two_opponents(tmp_path: Path) -> None:
    played = games(tmp_path, steps=512, seed=0, episodes=3)
    assert [each.episodes for each in played.values()] == [3, 3]


def test_the_benchmark_of_rl_zoo_trains_with_what_is_pasted(tmp_path: Path) -> None:
    found = played("ppo_cartpole.yml", tmp_path, seed=0, steps=512, episodes=2)
    assert (found.episodes, found.mean_reward > 0) == (2, True)


def test_the_benchmark_of_training_history_asks_everything(home: Path) -> None:
    with open_database(Settings(home=home, storage=home, database_url=None)) as database:
        web_record.load(database, web_record.SHORT)
        web_grid.load(database, web_grid.SHORT)
        plans = test_web.plans(database)
    measured = test_web.measure(home, web_record.SHORT, rounds=1, list_requests=2, curve_requests=1)
    assert len(plans) == 2 * 13 + 5
    assert all(plan for pages in plans.values() for plan in pages)
    assert {"list, newest first", "curves of 16 long runs", "report of 16 long runs"} < set(measured.milliseconds)
    assert {f"grid, {name}" for name in test_web.PANELS} < set(measured.milliseconds)
    assert {"all lists (reach 100)", "all panels of the grid (reach 500)"} < set(test_web.table(measured))


def test_the_benchmark_of_recording_trains_with_and_without() -> None:
    seconds, ratio = recording_ratio(steps=512, rounds=1)
    assert set(seconds) == {"recorded", "not recorded"}
    assert len(ratio) == 1


def test_the_benchmark_of_ingest_loses_nothing() -> None:
    measured = ingest(trials=8, flushes=3, episodes=20, every_s=0.1)
    assert len(measured.milliseconds) == 8 * 3
    assert measured.recorded == 8 * 3 * 20
    assert measured.connections >= 1
    assert 1 <= measured.held <= 8


@pytest.mark.xdist_group("ray head")
def test_the_benchmark_of_many_trials_runs_and_looks_at_them(home: Path, ray_head: dict[str, str]) -> None:
    measured = many_trials(home, trials=20, bare_trials=4, bare_after=False, slots=1, ray=ray_head)
    assert measured["completed"] == 20
    assert measured["submission"].keys() == {"plan", "insert"}
    assert len(measured["bare"]) == 1
    assert 50 < megabytes_at(measured["megabytes"], 20) < 1000
    assert {len(seconds) for seconds in looking(home, rounds=1).values()} == {1}


def test_the_benchmark_of_the_service_starts_trials_with_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes run in tests/integration/sweep/test_service.py: a service, and `first_trial` in its home."""
    called: list[tuple[Path, str]] = []

    def run(home: Path, *arguments: str) -> str:
        called.append((home, arguments[0]))
        now = datetime.now(UTC)
        sweep = {"created_at": now.isoformat()}
        return json.dumps({"sweep": sweep, "runs": [{"started_at": (now + timedelta(seconds=1)).isoformat()}]})

    monkeypatch.setattr(test_service, "_run", run)
    measured = test_service.starts(rounds=2, pause_s=0.0, cpus=1)
    assert {name: len(rounds) for name, rounds in measured.items()} == {"with the service": 2, "without it": 2}
    assert all(0 < start.recorded < start.typed for rounds in measured.values() for start in rounds)
    its_home = called[0][0]
    assert [verb for home, verb in called if home == its_home] == ["up", *["submit", "status"] * 2, "down"]
    assert [verb for home, verb in called if home != its_home] == ["submit", "status"] * 2


def test_the_benchmark_of_races_picks_a_config_with_every_method() -> None:
    found = draw(of_family("spread", 2))
    assert found.keys() == METHODS.keys()
    assert all(0 <= pick.cost <= 1 for drawn in found.values() for _, pick in drawn)


def test_the_benchmark_of_samplers_searches_with_every_method() -> None:
    found = search(of_function("narrow"), 1, Size(configs=9, seeds=2))
    assert found.keys() == SEARCH_METHODS.keys()
    assert {scores.shape for scores in found.values()} == {(1, len(SHARES))}
    assert all(((scores > 0.1) & (scores < 1)).all() for scores in found.values())


@pytest.mark.xdist_group("ray head")
def test_the_benchmark_of_a_search_space_races_it_and_trains_its_pick(tmp_path: Path, ray_head: dict[str, str]) -> None:
    flags = ("--configs", "2", "--tolerance", "60%", "--cap", "1/5")
    searched = test_searched_game.search(tmp_path, *flags, steps=64, ray=ray_head)
    assert searched.configs == 2
    assert 0 < searched.share <= 0.5
    assert searched.file.is_file()
    (rate,) = test_searched_game.held_out(searched.file, steps=64, episodes=5, seeds=1)
    assert 0 <= rate <= 1
    gap = test_searched_game.difference([0.8, 0.81, 0.79], [0.8, 0.82, 0.78])
    assert gap.low < gap.bound < gap.mean < gap.high
