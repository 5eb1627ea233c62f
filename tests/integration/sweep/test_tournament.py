"""A tournament as Ray tasks: the same games as in this process, and a command that goes on."""

import json
from pathlib import Path
from typing import Any

import pytest

from rlsweep.store import tournaments
from rlsweep.tournaments.entrants import packed_policies
from rlsweep.tournaments.playing import Field, Hall, spec_of

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("ray head")]


def test_ray_plays_the_same_games_as_this_process(rlsweep: Any, ray_head: dict[str, str]) -> None:
    rlsweep.agents("a", "b")
    for variant in "ab":
        config = ("--agent-config", f"tiny_sweep_{variant}.yaml", "--set", "environment=open_spiel/tic_tac_toe")
        rlsweep.look("train", *config, "--total-timesteps", "64", "--mode", "smoke")
    runs = [str(run) for (run,) in rlsweep.rows("select id from training_runs order by created_at")]
    done = rlsweep.drive("tournament", *runs, "--games", "60", **ray_head)
    assert "tic_tac_toe, 60 games" in done.stdout
    assert "Rank" in done.stdout
    (found,) = rlsweep.rows("select id from tournaments")
    with rlsweep.open() as database:
        tournament = tournaments.get(database, found[0])
        played = tournaments.slices(database, tournament.id)
        field = Field(
            terms=tournament,
            players=tournament.players,
            policies=packed_policies(spec_of(tournament), tournament.players),
            folder=Path.cwd(),
        )
        hall = Hall(field)
        assert [part.first_game for part in played] == [0, 20, 40]
        assert all(
            (part.results, part.lengths) == ((again := hall.play(part)).results, again.lengths) for part in played
        )
    shown = json.loads(rlsweep.look("tournament", "--resume", str(found[0])[:8], "--json").stdout)
    assert (shown["games"], shown["planned"]) == (60, 60)
