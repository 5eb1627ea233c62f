"""A tournament on record without training: its games are real, of players that move at random."""

from collections.abc import Sequence

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.matches import make_fixed_opponent, make_two_player_game, play_slice
from rlsweep.runs import TrainingRun
from rlsweep.store import tournaments
from rlsweep.store.database import Database
from rlsweep.tournament_records import Player, Tournament, TournamentTerms
from rlsweep.tournaments.playing import slices_left

GAME = EnvironmentSpec(id="open_spiel/tic_tac_toe")


def record_tournament(database: Database, runs: Sequence[TrainingRun], *, games: int = 20) -> Tournament:
    """Let these runs play at random, with `random` itself as one more player; one config name a run's short name."""
    players = [
        Player(
            number=number,
            name=run.label,
            config=run.config_short_name,
            seed=run.seed,
            run_id=run.id,
            checkpoint=f"/nowhere/{run.id}.zip",
            sha256=str(run.id),
            env_steps=run.env_steps,
        )
        for number, run in enumerate(runs)
    ]
    fixed = {"name": "random", "config": "random", "seed": None, "run_id": None}
    players.append(Player(number=len(players), checkpoint=None, sha256=None, env_steps=None, **fixed))
    terms = TournamentTerms(
        environment=GAME.model_dump(mode="json"),
        games=games,
        seed=0,
        deterministic=False,
        openings=0,
        max_moves=None,
    )
    tournament = tournaments.create(database, terms, players)
    game, mover = make_two_player_game(GAME), make_fixed_opponent(GAME, "random")
    for part in slices_left(games, len(players), []):
        tournaments.add_slice(database, tournament.id, play_slice(game, (mover, mover), terms, part))
    return tournament
