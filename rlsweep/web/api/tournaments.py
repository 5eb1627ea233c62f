"""Tournaments: their results by sweep, and games to step through."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from rlsweep.reports.tournament_games import PairGames, SweepTournaments, pair_games, sweep_tournaments
from rlsweep.store import sweeps, tournaments
from rlsweep.web.parameters import database_of
from rlsweep.web.responses import json_response

router = APIRouter(tags=["tournaments"])

Number = Annotated[int, Path(ge=0, le=100_000, description="Number of a player, as the results have it.")]


@router.get("/sweeps/{sweep}/tournaments", response_model=SweepTournaments, summary="The tournaments of a sweep")
def of_sweep(
    request: Request,
    sweep: str,
    tournament: Annotated[
        str, Query(max_length=36, description="Id of the one whose results are given; the newest without it.")
    ] = "",
) -> Response:
    """The tournaments in which its runs played, newest first, and what one of them shows."""
    database = database_of(request)
    found = sweeps.get(database, sweep)
    return json_response(request, sweep_tournaments(database, found.id, tournament or None))


@router.get(
    "/tournaments/{tournament}/games/{one}/{two}", response_model=PairGames, summary="Games of a pair, move by move"
)
def games(request: Request, tournament: str, one: Number, two: Number) -> Response:
    """One game on either seat, with the position before each move where the game can write it."""
    database = database_of(request)
    return json_response(request, pair_games(database, tournaments.get(database, tournament), one, two))
