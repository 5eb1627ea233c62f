"""Tournaments: what a sweep's page asks for, and games move by move; what deletion leaves of them."""

from typing import Any

import httpx
import pytest

from rlsweep.reports.tournament import results_of
from rlsweep.store import deletion, sweeps, tournaments, training_runs
from rlsweep.store.database import Database
from tests.helpers.tournaments import record_tournament

pytestmark = pytest.mark.integration


def test_results_and_games_of_a_sweep(web: httpx.Client, database: Database, record_sweep: Any, course: Any) -> None:
    sweep = record_sweep({None: course(), "high": course()}, seeds=2)
    assert web.get("/api/sweeps/night/tournaments").json() == {"tournaments": [], "shown": None}
    runs = training_runs.of_sweep(database, sweep.id)
    older = record_tournament(database, runs[:1], games=2)
    newer = record_tournament(database, runs, games=20)

    answer = web.get("/api/sweeps/night/tournaments").json()
    assert [each["id"] for each in answer["tournaments"]] == [str(newer.id), str(older.id)]
    assert answer["tournaments"][0]["title"] == "5 players, 20 games a pair, stochastic"
    shown = answer["shown"]
    assert (shown["id"], shown["games"], shown["planned"]) == (str(newer.id), 200, 200)
    assert [len(shown["configs"]), len(shown["standings"])] == [3, 5]
    check_sums(shown)
    other = web.get("/api/sweeps/night/tournaments", params={"tournament": str(older.id)}).json()["shown"]
    assert (other["id"], other["games"], other["configs"]) == (str(older.id), 2, [])
    assert web.get("/api/sweeps/night/tournaments?tournament=nonsense").status_code == 404

    names = {player.number: player.name for player in newer.players}
    first, second = web.get(f"/api/tournaments/{newer.id}/games/3/0").json()["games"]
    assert [first["first"], first["second"]] == [names[0], names[3]] == [second["second"], second["first"]]
    moves, boards = first["game"]["moves"], first["game"]["boards"]
    assert len(boards) == len(moves) + 1
    assert [move["seat"] for move in moves] == [index % 2 for index in range(len(moves))]
    assert (boards[0], boards[-1].count(".")) == ("...\n...\n...", 9 - len(moves))
    assert first["result"].endswith(f" after {len(moves)} moves")
    for path in ("0/0", "0/9"):
        assert web.get(f"/api/tournaments/{newer.id}/games/{path}").status_code == 404
    assert web.get(f"/api/tournaments/{newer.id}/games/0/nonsense").status_code == 422
    assert web.get("/api/tournaments/nonsense/games/0/1").status_code == 404

    deletion.finish(database, runs[:1], sweep_id=None)
    assert [each.id for each in tournaments.of_sweep(database, sweep.id)] == [newer.id], "no run of the older is left"
    assert results_of(database, newer).games == 200
    deletion.finish(database, runs[1:], sweep_id=sweep.id)
    with database.connect() as connection:
        assert connection.execute("select count(*) as left from tournament_slices").fetchone() == {"left": 0}
    assert sweeps.list_recent(database, 1) == []


def check_sums(shown: dict[str, Any]) -> None:
    """Each result stands in the matrix twice, and in both seats; a config's games are those against others."""
    for level, games_of_one in (("standings", 80), ("configs", None)):
        rows = shown[level]
        for place, row in enumerate(rows):
            assert row["against"][place] is None
            for other, cell in enumerate(row["against"]):
                assert cell is None or cell == rows[other]["against"][place][::-1]
            sums = [sum(cell[kind] for cell in row["against"] if cell) for kind in range(3)]
            assert sums == [row["wins"], row["draws"], row["losses"]]
            for kind in ("wins", "draws", "losses"):
                assert row[kind] == row["first"][kind] + row["second"][kind]
            assert games_of_one is None or sum(sums) == games_of_one
        ratings = [row["rating"] for row in rows]
        assert ratings == sorted(ratings, reverse=True)
        assert [row["rank"] for row in rows if row["is_fixed"]] == [None]
    assert abs(sum(row["rating"] for row in shown["standings"])) < 1e-6
    assert all(row["low"] < row["rating"] < row["high"] for row in shown["standings"])
    by_seat = [sum(row[seat]["wins"] for row in shown["standings"]) for seat in ("first", "second")]
    assert by_seat[0] > by_seat[1], "in tic-tac-toe at random, moving first helps"
    assert shown["advantage"] > 0
