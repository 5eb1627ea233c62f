"""What a tournament shows: ratings with intervals, ranks, results by seat, and who beat whom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from uuid import UUID

import numpy as np

from rlsweep.analysis.bradley_terry import METHOD, Ratings, Z, fit
from rlsweep.analysis.intervals import estimate as estimate_of
from rlsweep.analysis.intervals import holm, p_values_of_pairs
from rlsweep.analysis.ranking import FAMILY_ERROR, tie_groups
from rlsweep.analysis.wording import percent, plural
from rlsweep.reports.tournament_counts import Counts, counts_of
from rlsweep.store import tournaments
from rlsweep.store.database import Database
from rlsweep.tournament_records import Player, Tournament

MOST_NAMED = 5
"""Names in a sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeatResults:
    """Games of a player on one seat. share: points of its games, where a draw is half a point; None without a game."""

    wins: int
    draws: int
    losses: int
    share: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A player, or a config over the checkpoints of its seeds.

    rank: 1 + the number of others in better groups; those of one group are not told apart from its best. None for a
        fixed opponent
    players: numbers of its players
    rating, low, high: Elo with its 95% interval, which is None for the mean of a single seed
    first, second: as who moves first and second
    against: results against each other standing, in order; wins, draws and losses; None against itself
    """

    name: str
    rank: int | None
    is_fixed: bool
    players: tuple[int, ...]
    rating: float
    low: float | None
    high: float | None
    wins: int
    draws: int
    losses: int
    first: SeatResults
    second: SeatResults
    against: tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TournamentResults:
    """What a tournament shows so far.

    environment: id of the game; terms: how it was played, as a sentence
    games, planned: on record, and of the whole tournament
    headline: what it tells, as sentences; notes: how ratings and intervals are made
    advantage, advantage_low, advantage_high: of moving first, in Elo, with its 95% interval
    configs: the configs over their seeds, best first; empty where each has one player
    standings: the players, best first
    """

    id: UUID
    created_at: datetime
    environment: str
    terms: str
    games: int
    planned: int
    headline: str
    notes: tuple[str, ...]
    advantage: float | None
    advantage_low: float | None
    advantage_high: float | None
    configs: tuple[Standing, ...]
    standings: tuple[Standing, ...]

    @property
    def is_complete(self) -> bool:
        """Whether all games are on record."""
        return self.games == self.planned


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """A standing before it is placed. value: its rating; low, high: its interval."""

    name: str
    is_fixed: bool
    players: tuple[int, ...]
    value: float
    low: float | None
    high: float | None


def results_of(database: Database, tournament: Tournament) -> TournamentResults:
    """What the games on record show."""
    counts = counts_of(len(tournament.players), tournaments.counts_by_pair(database, tournament.id))
    rated = _rate(counts)
    single = [_of_player(player, rated) for player in tournament.players]
    p_values = rated.p_values
    standings = _placed(single, counts, lambda one, other: float(p_values[one, other]))
    configs = _config_standings(tournament.players, rated, counts)
    half = Z * rated.advantage_sd
    has_games = counts.total > 0
    return TournamentResults(
        id=tournament.id,
        created_at=tournament.created_at,
        environment=str(tournament.environment["id"]),
        terms=_terms(tournament),
        games=counts.total,
        planned=tournament.planned,
        headline=_headline(configs, standings, counts, rated),
        notes=_notes(tournament, has_configs=bool(configs)),
        advantage=rated.advantage if has_games else None,
        advantage_low=rated.advantage - half if has_games else None,
        advantage_high=rated.advantage + half if has_games else None,
        configs=configs,
        standings=standings,
    )


def _rate(counts: Counts) -> Ratings:
    first, second = np.nonzero(counts.games)
    points = counts.wins[first, second] + counts.draws[first, second] / 2
    return fit(counts.players, first, second, points.astype(float), counts.games[first, second].astype(float))


def _of_player(player: Player, rated: Ratings) -> _Entry:
    value, half = float(rated.ratings[player.number]), float(rated.half_widths[player.number])
    return _Entry(
        name=player.name,
        is_fixed=player.is_fixed,
        players=(player.number,),
        value=value,
        low=value - half,
        high=value + half,
    )


def _config_standings(players: Sequence[Player], rated: Ratings, counts: Counts) -> tuple[Standing, ...]:
    """The configs over their seeds; none where each has one player."""
    grouped: dict[tuple[str, bool], list[int]] = {}
    for player in players:
        grouped.setdefault((player.config, player.is_fixed), []).append(player.number)
    if len(grouped) == len(players):
        return ()
    entries = []
    for (name, is_fixed), numbers in grouped.items():
        if is_fixed:
            entries.append(_of_player(players[numbers[0]], rated))
            continue
        over_seeds = estimate_of([float(rated.ratings[number]) for number in numbers])
        assert over_seeds is not None
        interval = over_seeds.interval
        entries.append(
            _Entry(
                name=name,
                is_fixed=False,
                players=tuple(numbers),
                value=over_seeds.mean,
                low=None if interval is None else interval.low,
                high=None if interval is None else interval.high,
            )
        )
    ratings = [[float(rated.ratings[number]) for number in entry.players] for entry in entries]
    p_values = p_values_of_pairs(ratings)
    return _placed(entries, counts, lambda one, other: float(p_values[one, other]))


def _placed(entries: Sequence[_Entry], counts: Counts, p_value: Callable[[int, int], float]) -> tuple[Standing, ...]:
    """Best first, with ranks; every pair is compared, with Holm's correction over all of them."""
    order = sorted(range(len(entries)), key=lambda place: -entries[place].value)
    ranked = [place for place in order if not entries[place].is_fixed]
    pairs = list(combinations(ranked, 2))
    adjusted = holm([p_value(one, other) for one, other in pairs])
    groups = tie_groups(ranked, {pair for pair, value in zip(pairs, adjusted, strict=True) if value < FAMILY_ERROR})
    ranks: dict[int, int] = {}
    better = 0
    for group in groups:
        ranks |= dict.fromkeys(group, better + 1)
        better += len(group)
    ordered = [entries[place] for place in order]
    grouped = counts.grouped([entry.players for entry in ordered])
    against = grouped.on_both_seats().tolist()
    return tuple(
        _standing(entry, row, ranks.get(place), grouped, against[row])
        for row, (place, entry) in enumerate(zip(order, ordered, strict=True))
    )


def _standing(entry: _Entry, row: int, rank: int | None, counts: Counts, against: list[list[int]]) -> Standing:
    """The entry in row `row` of `counts`; against: its wins, draws and losses against each row."""
    first = _seat(counts.wins[row].sum(), counts.draws[row].sum(), counts.losses[row].sum())
    second = _seat(counts.losses[:, row].sum(), counts.draws[:, row].sum(), counts.wins[:, row].sum())
    return Standing(
        name=entry.name,
        rank=rank,
        is_fixed=entry.is_fixed,
        players=entry.players,
        rating=entry.value,
        low=entry.low,
        high=entry.high,
        wins=first.wins + second.wins,
        draws=first.draws + second.draws,
        losses=first.losses + second.losses,
        first=first,
        second=second,
        against=tuple(
            None if column == row else (wins, draws, losses) for column, (wins, draws, losses) in enumerate(against)
        ),
    )


def _seat(wins: int, draws: int, losses: int) -> SeatResults:
    games = wins + draws + losses
    share = float((wins + draws / 2) / games) if games else None
    return SeatResults(wins=int(wins), draws=int(draws), losses=int(losses), share=share)


def _terms(tournament: Tournament) -> str:
    how = "Policies play their most probable action" if tournament.deterministic else "Policies draw their actions"
    openings = f", after {plural(tournament.openings, 'random move')}" if tournament.openings else ""
    return f"{plural(tournament.games, 'game')} a pair, half on either seat. {how}{openings}; seed {tournament.seed}."


def _headline(configs: Sequence[Standing], standings: Sequence[Standing], counts: Counts, rated: Ratings) -> str:
    """Which config and which checkpoint is told apart, and what the first move is worth."""
    if counts.total == 0:
        return "No game is on record yet."
    sentences = [_best(standings, "checkpoint")]
    if configs:
        tied = sum(standing.rank == 1 for standing in configs) > 1
        sentences.insert(0, _best(configs, "config"))
        sentences.insert(1, "More seeds would tell them apart, not more games." if tied else "")
    share = counts.first_share
    if share is not None:
        low, high = rated.advantage - Z * rated.advantage_sd, rated.advantage + Z * rated.advantage_sd
        unsure = " (that may be chance)" if low < 0 < high else ""
        sentences.append(f"Who moves first gets {percent(share)} of the points{unsure}.")
    return " ".join(sentence for sentence in sentences if sentence)


def _best(standings: Sequence[Standing], noun: str) -> str:
    """Who is first, alone or with others; nothing where there is nobody to compare with."""
    ranked = [standing for standing in standings if standing.rank is not None]
    top = [standing.name for standing in ranked if standing.rank == 1]
    if len(ranked) < 2:
        return ""
    if len(top) == 1:
        return f"{top[0]} is better than every other {noun}."
    named = ", ".join(top[:MOST_NAMED]) + (" and others" if len(top) > MOST_NAMED else "")
    return f"The first {plural(len(top), noun)} are not told apart: {named}."


def _notes(tournament: Tournament, *, has_configs: bool) -> tuple[str, ...]:
    notes = [
        "Elo: 0 is the mean of all players, 100 more score 64%. Draws count half a win.",
        f"95% intervals of players: {METHOD}.",
        f"Those of one rank are not told apart: all pairs are compared at {percent(FAMILY_ERROR)}, corrected by Holm.",
    ]
    if has_configs:
        notes.insert(2, "A config's rating is the mean over its seeds; its 95% interval is Student's t over them.")
    elif len({player.config for player in tournament.players if not player.is_fixed}) > 1:
        notes.append("One checkpoint a config: the ratings say little of other seeds.")
    return tuple(notes)
