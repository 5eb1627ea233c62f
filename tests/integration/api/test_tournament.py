"""Tournaments without Ray: what is refused before anything starts, and going on with what is on record."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest

import rlsweep
from rlsweep.api.runs import Run
from rlsweep.errors import InputError
from rlsweep.runs import EndReason
from rlsweep.store import sweeps, tournaments, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.tournament_records import PlayedSlice
from rlsweep.tournaments import playing

pytestmark = pytest.mark.integration

GAME = "environment=open_spiel/tic_tac_toe"


class NoRay:
    """In place of a Ray session."""

    def __init__(self, _: Any) -> None: ...

    def __enter__(self) -> "NoRay":
        return self

    def __exit__(self, *_: object) -> None: ...

    def ready(self) -> None: ...


@pytest.fixture
def played_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Games are played in this process; the number of games of each call. Its first item cuts the first call short."""
    counts: list[int] = []

    def play(field: Any, parts: Any, record: Callable[[PlayedSlice], None], is_to_stop: Callable[[], bool]) -> None:
        hall = playing.Hall(field)
        counts.append(sum(part.games for part in parts))
        for part in parts:
            record(hall.play(part))

    monkeypatch.setattr("rlsweep.cluster.session.RaySession", NoRay)
    monkeypatch.setattr(playing, "play_on_ray", play)
    return counts


def test_two_trained_policies_play_and_lost_games_are_played_again(
    database: Database, train_run: Callable[..., Run], played_here: list[int]
) -> None:
    runs = [train_run(GAME, f"seed={seed}") for seed in (0, 1)]
    results = rlsweep.tournament(runs, games=60, opponents=["random"], progress=False)
    assert (results.games, results.planned, results.is_complete) == (180, 180, True)
    assert [standing.is_fixed for standing in results.standings].count(True) == 1
    on_record = recorded(database, results.id)
    assert [len(each) for each in on_record.values()] == [20] * 9

    with database.connect() as connection:
        connection.execute("delete from tournament_slices where first_game = 20 or (one, two) = (0, 2)")
    assert recorded(database, results.id) != on_record
    again = rlsweep.tournament(runs, games=60, opponents=["random"], progress=False)
    assert again.id == results.id
    assert recorded(database, results.id) == on_record, "the same games"
    assert rlsweep.tournament(runs, games=60, opponents=["random"], progress=False) == again
    assert played_here == [180, 100], "only what was missing, and nothing once all was there"

    other = rlsweep.tournament(runs, games=60, opponents=["random"], seed=1, progress=False)
    assert other.id != results.id
    assert set(recorded(database, other.id).values()) != set(on_record.values())
    with (
        pytest.MonkeyPatch.context() as patch,
        refused("seed 0: Opponent checkpoint .* its network has cnn, .*can be played. Leave that run out."),
    ):
        cannot = ValueError("its network has cnn, and only dense layers can be played")
        patch.setattr("rlsweep.envs.checkpoint_opponent.dense_policy", Mock(side_effect=cannot))
        rlsweep.tournament(runs, games=4, progress=False)
    with refused("is not the file on record"):
        (database_uri,) = {each.checkpoint for each in tournaments.get(database, other.id).players if each.seed == 0}
        with open(str(database_uri), "ab") as file:
            file.write(b"x")
        rlsweep.tournament(runs, games=2, progress=False)


def recorded(database: Database, tournament_id: UUID) -> dict[tuple[int, int, int], tuple[int, ...]]:
    return {(part.one, part.two, part.first_game): part.results for part in tournaments.slices(database, tournament_id)}


@contextmanager
def refused(said: str) -> Iterator[None]:
    with pytest.raises(InputError, match=said) as caught:
        yield
    assert caught.value.exit_code == 2


def test_what_cannot_be_played_is_refused_before_anything_starts(
    database: Database, record_sweep: Any, course: Any, new_sweep: Any, new_run: Any
) -> None:
    night = record_sweep({None: course(), "broken": course(error="ValueError: no")}, seeds=1)
    connect_four = next(run for run in training_runs.of_sweep(database, night.id) if run.error is None)
    cart_pole = completed(database, new_sweep, new_run, connect_four.config, {"id": "CartPole-v1"})
    checkers = completed(database, new_sweep, new_run, connect_four.config, {"id": "open_spiel/checkers"})
    alone = "A tournament needs two players, and night has one completed run (1 did not complete)"
    for players, options, said in (
        (night.id, {}, alone.replace("(", r"\(").replace(")", r"\)")),
        (night.id, {"games": 3}, "--games 3: .* Write an even number"),
        (night.id, {"games": 0}, "--games 0"),
        (night.id, {"deterministic": True, "openings": 0}, "two deterministic policies repeat one game"),
        (night.id, {"opponents": ["stockfish"]}, "--opponent stockfish: write random, mcts or"),
        (night.id, {"address": "http://head:8265"}, "must run on a node of the cluster"),
        (
            [night.id, checkers],
            {},
            "plays open_spiel/connect_four and .* plays open_spiel/checkers, so they cannot meet",
        ),
        (cart_pole, {"opponents": ["random"]}, "is no game of two players against each other"),
        (night.id, {"opponents": ["random"]}, r"ppo_agent_v1 seed 0 \(\w+\) has no checkpoint and is completed"),
        ("nothing", {}, "Sweep not found"),
    ):
        with refused(said):
            rlsweep.tournament(players, progress=False, **options)
    with database.connect() as connection:
        assert connection.execute("select count(*) as all from tournaments").fetchone() == {"all": 0}


def completed(database: Database, new_sweep: Any, new_run: Any, config: Any, environment: dict[str, Any]) -> UUID:
    """A completed run with another environment."""
    training = {**config["training"], "environment": {**config["training"]["environment"], **environment}}
    sweep = sweeps.create(database, new_sweep(), [new_run(config={**config, "training": training})])
    (run,) = training_runs.of_sweep(database, sweep.id)
    begun = transitions.begin_attempt(database, run.id, {})
    assert begun is not None
    transitions.finish(database, run.id, begun.attempt, EndReason.COMPLETED, None)
    return run.id
