"""Tournaments: their terms and players, and the games on record."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from rlsweep.errors import NotFoundError
from rlsweep.store.database import Connection, Database
from rlsweep.store.queries import load
from rlsweep.store.records import ambiguous, id_range
from rlsweep.tournament_records import (
    DRAWN,
    FIRST_WINS,
    SECOND_WINS,
    Move,
    PlayedSlice,
    Player,
    RecordedGame,
    Tournament,
    TournamentTerms,
)

_SQL = load("tournaments")
_TERMS = tuple(field.name for field in fields(TournamentTerms))
_PLAYER = tuple(field.name for field in fields(Player))


@dataclass(frozen=True, kw_only=True, slots=True)
class PairCounts:
    """Games of a pair. one_first: wins, draws, losses of `one` where it moved first; two_first: the same of `two`."""

    one: int
    two: int
    one_first: tuple[int, int, int]
    two_first: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class GameOnRecord:
    """A game to step through. result: FIRST_WINS, DRAWN or SECOND_WINS; first, second: numbers of players."""

    first: int
    second: int
    result: int
    game: RecordedGame


def find(database: Database, terms: TournamentTerms, players: Sequence[Player]) -> Tournament | None:
    """The tournament with these terms and players; None if there is none on record."""
    with database.readonly() as connection:
        row = connection.execute(_SQL["get_by_key"], {"key": _key(terms, players)}).fetchone()
        return None if row is None else _read(connection, [row])[0]


def create(database: Database, terms: TournamentTerms, players: Sequence[Player]) -> Tournament:
    """Put a tournament on record; one with these terms and players that is there already is returned as it is."""
    key = _key(terms, players)
    with database.connect() as connection:
        values = {**{name: getattr(terms, name) for name in _TERMS}, "key": key}
        created = connection.execute(
            _SQL["insert_tournament"], {**values, "environment": Jsonb(terms.environment)}
        ).fetchone()
        if created is not None:
            for player in players:
                connection.execute(_SQL["insert_player"], {**asdict(player), "tournament_id": created["id"]})
        return _read(connection, connection.execute(_SQL["get_by_key"], {"key": key}).fetchall())[0]


def get(database: Database, reference: str | UUID) -> Tournament:
    """Find a tournament by its id or a unique start of its id (4 hex digits or more). Raises NotFoundError."""
    wanted = str(reference)
    bounds = id_range(wanted)
    found: list[Tournament] = []
    if bounds is not None:
        with database.readonly() as connection:
            rows = connection.execute(_SQL["list_in_id_range"], {"low": bounds[0], "high": bounds[1]}).fetchall()
            found = _read(connection, rows)
    if not found:
        raise NotFoundError(
            f"Tournament not found: {wanted!r}. `rlsweep tournament` prints the id of each one that it plays."
        )
    if len(found) > 1:
        raise ambiguous("Tournament", wanted, [tournament.id for tournament in found])
    return found[0]


def of_sweep(database: Database, sweep_id: UUID) -> list[Tournament]:
    """The tournaments with a player from the sweep, the newest first."""
    with database.readonly() as connection:
        return _read(connection, connection.execute(_SQL["list_of_sweep"], {"sweep_id": sweep_id}).fetchall())


def add_slice(database: Database, tournament_id: UUID, played: PlayedSlice) -> None:
    """Put the games of a slice on record; once they are there, this changes nothing."""
    values = {
        "tournament_id": tournament_id,
        "one": played.one,
        "two": played.two,
        "first_game": played.first_game,
        "results": list(played.results),
        "one_first": _counted(played, 0),
        "two_first": _counted(played, 1),
        "lengths": list(played.lengths),
        "shown": Jsonb([asdict(game) for game in played.shown]),
        "seconds": played.seconds,
    }
    with database.connect() as connection:
        connection.execute(_SQL["insert_slice"], values)


def slices(database: Database, tournament_id: UUID) -> list[PlayedSlice]:
    """The games on record, by pair and number, without those to step through."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_slices"], {"tournament_id": tournament_id}).fetchall()
    return [
        PlayedSlice(
            **row | {"results": tuple(row["results"]), "lengths": tuple(row["lengths"])},
            games=len(row["results"]),
            shown=(),
        )
        for row in rows
    ]


def counts_by_pair(database: Database, tournament_id: UUID) -> list[PairCounts]:
    """Wins, draws and losses of each pair that has a game on record."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["count_by_pair"], {"tournament_id": tournament_id}).fetchall()
    return [PairCounts(**row) for row in rows]


def games_on_record(database: Database, ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many games of each tournament are on record."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["count_games"], {"ids": list(ids)}).fetchall()
    return dict.fromkeys(ids, 0) | {row["tournament_id"]: int(row["games"]) for row in rows}


def shown_games(database: Database, tournament_id: UUID, one: int, two: int) -> list[GameOnRecord]:
    """The games of a pair to step through, one on either seat; none before they were played. one < two."""
    values = {"tournament_id": tournament_id, "one": one, "two": two}
    with database.readonly() as connection:
        row = connection.execute(_SQL["get_shown"], values).fetchone()
    if row is None:
        return []
    seats = ((one, two), (two, one))
    return [
        GameOnRecord(first=first, second=second, result=result, game=_recorded(game))
        for (first, second), result, game in zip(seats, row["results"], row["shown"], strict=True)
    ]


def _counted(played: PlayedSlice, parity: int) -> list[int]:
    """Wins, draws and losses of whoever moved first in the games of even (0) or odd (1) number."""
    results = [result for number, result in enumerate(played.results, start=played.first_game) if number % 2 == parity]
    return [results.count(kind) for kind in (FIRST_WINS, DRAWN, SECOND_WINS)]


def _key(terms: TournamentTerms, players: Sequence[Player]) -> str:
    """The same for the same games: names do not count."""
    who = [player.sha256 or player.name for player in players]
    return hashlib.sha256(json.dumps([asdict(terms), who], sort_keys=True).encode()).hexdigest()


def _read(connection: Connection, rows: Sequence[DictRow]) -> list[Tournament]:
    players: dict[UUID, list[Player]] = {row["id"]: [] for row in rows}
    for row in connection.execute(_SQL["list_players"], {"ids": list(players)}):
        players[row["tournament_id"]].append(Player(**{name: row[name] for name in _PLAYER}))
    return [Tournament(**row, players=tuple(players[row["id"]])) for row in rows]


def _recorded(record: dict[str, Any]) -> RecordedGame:
    return RecordedGame(moves=tuple(Move(**move) for move in record["moves"]), boards=tuple(record["boards"]))
