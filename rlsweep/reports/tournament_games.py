"""What the page of a sweep shows of tournaments: which ones there are, and games to step through."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from rlsweep.analysis.wording import plural
from rlsweep.errors import NotFoundError
from rlsweep.reports.tournament import Standing, TournamentResults, results_of
from rlsweep.store import tournaments
from rlsweep.store.database import Database
from rlsweep.tournament_records import DRAWN, FIRST_WINS, RecordedGame, Tournament

MOST_CROSSED = 40
"""Rows and columns of the matrix on a page; of 160 players it would have 25,600 cells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TournamentRow:
    """A tournament to choose. title: what tells it apart from the sweep's others; games, planned: as in its results."""

    id: UUID
    created_at: datetime
    title: str
    games: int
    planned: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepTournaments:
    """The tournaments of a sweep, newest first.

    shown: what one of them shows, with `against` of the first MOST_CROSSED alone; None where there is none
    """

    tournaments: tuple[TournamentRow, ...]
    shown: TournamentResults | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownGame:
    """A game to step through. first, second: names of the players; result: in words, with its number of moves."""

    first: str
    second: str
    result: str
    game: RecordedGame


@dataclass(frozen=True, kw_only=True, slots=True)
class PairGames:
    """The recorded games of a pair, one on either seat."""

    games: tuple[ShownGame, ...]


def sweep_tournaments(database: Database, sweep_id: UUID, chosen: str | None) -> SweepTournaments:
    """The tournaments of the sweep, and the results of the chosen one, by default the newest.

    Raises NotFoundError if the chosen one is none of them.
    """
    found = tournaments.of_sweep(database, sweep_id)
    if not found:
        return SweepTournaments(tournaments=(), shown=None)
    shown = found[0] if chosen is None else next((each for each in found if str(each.id) == chosen), None)
    if shown is None:
        raise NotFoundError(f"This sweep has no tournament {chosen!r}. Leave the parameter out for the newest one.")
    games = tournaments.games_on_record(database, [each.id for each in found])
    return SweepTournaments(
        tournaments=tuple(
            TournamentRow(
                id=each.id,
                created_at=each.created_at,
                title=_title(each),
                games=games[each.id],
                planned=each.planned,
            )
            for each in found
        ),
        shown=_short(results_of(database, shown)),
    )


def pair_games(database: Database, tournament: Tournament, one: int, two: int) -> PairGames:
    """The recorded games of two players; none before they were played. Raises NotFoundError for numbers of no pair."""
    names = {player.number: player.name for player in tournament.players}
    if one == two or one not in names or two not in names:
        raise NotFoundError(f"Tournament {tournament.id} has no players {one} and {two}. Take numbers of its results.")
    return PairGames(
        games=tuple(
            ShownGame(
                first=names[each.first],
                second=names[each.second],
                result=_result(names[each.first], names[each.second], each.result, len(each.game.moves)),
                game=each.game,
            )
            for each in tournaments.shown_games(database, tournament.id, min(one, two), max(one, two))
        )
    )


def _short(results: TournamentResults) -> TournamentResults:
    """The same for a page: who beat whom among the first MOST_CROSSED alone."""
    return replace(results, configs=_crossed(results.configs), standings=_crossed(results.standings))


def _crossed(standings: Sequence[Standing]) -> tuple[Standing, ...]:
    return tuple(
        replace(standing, against=standing.against[:MOST_CROSSED] if row < MOST_CROSSED else ())
        for row, standing in enumerate(standings)
    )


def _result(first: str, second: str, result: int, moves: int) -> str:
    ended = "Drawn" if result == DRAWN else f"{first if result == FIRST_WINS else second} wins"
    return f"{ended} after {plural(moves, 'move')}"


def _title(tournament: Tournament) -> str:
    how = "deterministic" if tournament.deterministic else "stochastic"
    return f"{plural(len(tournament.players), 'player')}, {plural(tournament.games, 'game')} a pair, {how}"
