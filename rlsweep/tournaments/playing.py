"""The games of a tournament as Ray tasks: one task for some games of a pair, which are on record once it has ended."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from rlsweep.cluster.working_folder import enter
from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.dense_policy import unpack
from rlsweep.envs.matches import DensePlayer, make_fixed_opponent, make_two_player_game, play_slice
from rlsweep.envs.positions import Opponent
from rlsweep.errors import RlsweepError
from rlsweep.tournament_records import PlayedSlice, Player, Slice, TournamentTerms

SLICE_GAMES = 20
"""Games of one task: 20 ms for dense policies, some seconds with a search. Even, so that every slice has as many games
on either seat."""

QUEUED_PER_CPU = 4
"""Tasks that wait for a CPU, so that none is idle while the driver writes."""

WATCH_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """All that is needed to play any slice of a tournament: neither database nor checkpoints.

    policies: of the players with a checkpoint, as `entrants.packed_policies` has them
    folder: where the user typed the command; games are made there if it exists on the worker's node
    """

    terms: TournamentTerms
    players: tuple[Player, ...]
    policies: bytes
    folder: Path


class Hall:
    """A game and the players of a field, to play slices in this process.

    Raises EnvironmentSpecError where the game cannot be made here.
    """

    def __init__(self, field: Field) -> None:
        enter(field.folder)
        spec = spec_of(field.terms)
        self._terms = field.terms
        self._game = make_two_player_game(spec)
        self._players: dict[int, Opponent[Any]] = {
            note["number"]: DensePlayer(policy, deterministic=field.terms.deterministic)
            for policy, note in unpack(field.policies)
        }
        for player in field.players:
            if player.is_fixed:
                self._players[player.number] = make_fixed_opponent(spec, player.name)

    def play(self, part: Slice) -> PlayedSlice:
        """Play some games of a pair. Raises EnvironmentStateError if the game fails."""
        return play_slice(self._game, (self._players[part.one], self._players[part.two]), self._terms, part)


def spec_of(terms: TournamentTerms) -> EnvironmentSpec:
    """The game of a tournament."""
    return EnvironmentSpec.model_validate_json(json.dumps(terms.environment))


def slices_left(games: int, players: int, on_record: Iterable[Slice]) -> list[Slice]:
    """The games that are not on record: first some of every pair, so that ratings are of use before the end.

    games: of each pair; players: how many
    """
    done = {(part.one, part.two, part.first_game) for part in on_record}
    return [
        Slice(one=one, two=two, first_game=first, games=min(SLICE_GAMES, games - first))
        for first in range(0, games, SLICE_GAMES)
        for one, two in combinations(range(players), 2)
        if (one, two, first) not in done
    ]


def play_on_ray(
    field: Field, parts: Sequence[Slice], record: Callable[[PlayedSlice], None], is_to_stop: Callable[[], bool]
) -> None:
    """Play slices on the Ray that this process has joined; `record` gets each one as soon as it was played.

    is_to_stop: asked every WATCH_SECONDS; slices that are not done then are lost

    Raises what the games and `record` raise, and RlsweepError if Ray lost a task for good.
    """
    import ray
    from ray.exceptions import RayError, RayTaskError

    cpus = math.floor(ray.cluster_resources().get("CPU", 1))
    shared = ray.put(field)
    task = ray.remote(num_cpus=1)(_play)
    left = iter(parts)
    pending: list[Any] = [task.remote([shared], part) for part in _some(left, max(1, cpus) * QUEUED_PER_CPU)]
    try:
        while pending and not is_to_stop():
            ended, pending = ray.wait(pending, num_returns=1, timeout=WATCH_SECONDS)
            for played in ended:
                record(ray.get(played))
            pending += [task.remote([shared], part) for part in _some(left, len(ended))]
    except RayTaskError as error:
        if isinstance(error.cause, RlsweepError):
            raise error.cause from error
        raise
    except RayError as error:
        raise RlsweepError(f"Ray could not play the games: {error}. The games so far are on record.") from error


def _some(parts: Iterator[Slice], most: int) -> Iterator[Slice]:
    for _, part in zip(range(most), parts, strict=False):
        yield part


_halls: dict[Any, Hall] = {}


def _play(shared: list[Any], part: Slice) -> PlayedSlice:
    """The task. A worker makes game and players once; `shared` is a list, so that Ray hands on the reference in it."""
    import ray

    (reference,) = shared
    if reference not in _halls:
        _halls.clear()
        _halls[reference] = Hall(ray.get(reference))
    return _halls[reference].play(part)
