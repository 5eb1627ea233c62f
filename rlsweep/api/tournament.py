"""Policies that play each other: `rlsweep.tournament`."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from rlsweep.analysis.wording import plural
from rlsweep.api.observers import make_observer
from rlsweep.api.opening import database_of
from rlsweep.api.references import find_sweep_or_run
from rlsweep.api.runs import Run
from rlsweep.api.settling import settle_all_abandoned
from rlsweep.api.sweeps import Sweep
from rlsweep.api.tournament_options import DEFAULT_GAMES, TournamentOptions
from rlsweep.errors import InputError, after_start, before_start
from rlsweep.places.observer import SweepObserver
from rlsweep.settings import Settings
from rlsweep.tournament_records import PlayedSlice, Player, Slice, Tournament, TournamentTerms

if TYPE_CHECKING:
    from rlsweep.cluster.session import RayOptions
    from rlsweep.reports.tournament import TournamentResults
    from rlsweep.store.database import Database
    from rlsweep.tournaments.playing import Field

ShowGames = AbstractContextManager[Callable[[int], None]]
"""Gives a function that is told how many games are on record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TournamentOutcome:
    """What is on record once a tournament has ended or was interrupted."""

    results: "TournamentResults"
    is_interrupted: bool


def tournament(
    players: Sweep | Run | UUID | str | Sequence[Sweep | Run | UUID | str] = "latest",
    *,
    games: int = DEFAULT_GAMES,
    best: bool = False,
    opponents: Sequence[str] = (),
    deterministic: bool = False,
    openings: int | None = None,
    seed: int = 0,
    address: str | None = None,
    progress: bool = True,
    settings: Settings | None = None,
) -> "TournamentResults":
    """Let the final checkpoints of a two-player game play each other on both seats; return ratings and results.

    players: sweeps, whose completed runs play, and runs; by handle, id or name
    games: of each pair of players, half of them on either seat
    best: of each config of a sweep only the run with the best score
    opponents: fixed ones that play along: "random", "mcts", "mcts:SIMULATIONS"
    deterministic: policies play their most probable action after `openings` random moves (4); else they draw it
    seed: equal arguments give equal games
    address: of a Ray cluster, "auto" or "HEAD:6379" on one of its nodes; None for a Ray of this process

    Games are on record as they end, and equal arguments go on with what is on record. A KeyboardInterrupt is raised
    again once the games so far are on record. Raises InputError, with nothing started, for what cannot be played.
    """
    settings = settings or Settings.from_environ()
    given = [players] if isinstance(players, Sweep | Run | UUID | str) else list(players)
    options = TournamentOptions(
        games=games,
        best=best,
        opponents=tuple(opponents),
        deterministic=deterministic,
        openings=openings,
        seed=seed,
    )
    outcome = begin_tournament(
        [str(each.id if isinstance(each, Sweep | Run) else each) for each in given],
        options,
        address=address,
        settings=settings,
        observer=make_observer(progress=progress),
    )
    if outcome.is_interrupted:
        raise KeyboardInterrupt
    return outcome.results


def begin_tournament(
    references: Sequence[str],
    options: TournamentOptions,
    *,
    address: str | None,
    settings: Settings,
    observer: SweepObserver,
    show: Callable[[int], ShowGames] | None = None,
) -> TournamentOutcome:
    """As `tournament`; of equal references and options, the games that are not on record yet.

    show: makes the display of progress, given the number of all games
    """
    from rlsweep.store import tournaments
    from rlsweep.tournaments.entrants import entrants

    options.check()
    ray = _ray_options(address)
    database = database_of(settings)
    settle_all_abandoned(database)
    chosen = [find_sweep_or_run(database, reference) for reference in references]
    found = entrants(database, chosen, options.opponents, best=options.best)
    if found.left_out:
        observer.warning(f"{found.left_out} runs did not complete and do not play.")
    terms = TournamentTerms(
        environment=found.spec.model_dump(mode="json"),
        games=options.games,
        seed=options.seed,
        deterministic=options.deterministic,
        openings=options.random_moves,
        max_moves=found.max_moves,
    )
    known = tournaments.find(database, terms, found.players)
    return _Games(database, terms, found.players, known, observer).play(ray, show)


def resume_tournament(
    reference: str,
    *,
    address: str | None,
    settings: Settings,
    observer: SweepObserver,
    show: Callable[[int], ShowGames] | None = None,
) -> TournamentOutcome:
    """Play the games of a tournament that are not on record. Raises NotFoundError, and otherwise as `tournament`."""
    from rlsweep.store import tournaments

    ray = _ray_options(address)
    database = database_of(settings)
    known = tournaments.get(database, reference)
    return _Games(database, known, known.players, known, observer).play(ray, show)


class _Games:
    """The games of a tournament that are left. known: its record; None if it is not on record yet."""

    def __init__(
        self,
        database: "Database",
        terms: TournamentTerms,
        players: Sequence[Player],
        known: Tournament | None,
        observer: SweepObserver,
    ) -> None:
        self._database = database
        self._terms = terms
        self._players = tuple(players)
        self._known = known
        self._observer = observer

    def play(self, ray: "RayOptions", show: Callable[[int], ShowGames] | None) -> TournamentOutcome:
        """Play them; a tournament is put on record once Ray and the policies are ready."""
        from rlsweep.cluster.session import RaySession
        from rlsweep.store import tournaments
        from rlsweep.tournaments.entrants import packed_policies
        from rlsweep.tournaments.playing import Field, slices_left, spec_of

        on_record = [] if self._known is None else tournaments.slices(self._database, self._known.id)
        left = slices_left(self._terms.games, len(self._players), on_record)
        if self._known is not None and not left:
            return self._outcome(self._known, is_interrupted=False)
        games = sum(part.games for part in left)
        done = sum(part.games for part in on_record)
        going_on = f" ({done:,} are on record)" if done else ""
        with before_start():
            policies = packed_policies(spec_of(self._terms), self._players)
        field = Field(terms=self._terms, players=self._players, policies=policies, folder=Path.cwd())
        players = plural(len(self._players), "player")
        self._observer.message(f"{players}, {plural(games, 'game')} to play{going_on}. Starting Ray.")
        with RaySession(replace(ray, most_cpus=len(left))) as session:
            session.ready()
            tournament = self._known or tournaments.create(self._database, self._terms, self._players)
            with after_start():
                return self._play_left(tournament, field, left, show)

    def _play_left(
        self, tournament: Tournament, field: "Field", left: Sequence[Slice], show: Callable[[int], ShowGames] | None
    ) -> TournamentOutcome:
        from rlsweep.places.interrupts import on_interrupt
        from rlsweep.store import tournaments
        from rlsweep.tournaments.playing import play_on_ray

        done = tournament.planned - sum(part.games for part in left)
        display = nullcontext(lambda _: None) if show is None else show(tournament.planned)
        with on_interrupt(lambda: None) as interrupted, display as tell:

            def record(played: PlayedSlice) -> None:
                nonlocal done
                tournaments.add_slice(self._database, tournament.id, played)
                done += played.games
                tell(done)

            play_on_ray(field, left, record, interrupted.is_set)
        return self._outcome(tournament, is_interrupted=interrupted.is_set() and done < tournament.planned)

    def _outcome(self, tournament: Tournament, *, is_interrupted: bool) -> TournamentOutcome:
        from rlsweep.reports.tournament import results_of

        return TournamentOutcome(results=results_of(self._database, tournament), is_interrupted=is_interrupted)


def _ray_options(address: str | None) -> "RayOptions":
    """How Ray is started or joined. Raises InputError for an address where this process cannot play."""
    from rlsweep.cluster.address import Reach, read_address
    from rlsweep.cluster.session import RayOptions

    where = read_address(address)
    if where is not None and where.reach is Reach.JOBS:
        raise InputError(
            f"{where.text}: rlsweep tournament must run on a node of the cluster. Run it there, with --address auto."
        )
    return RayOptions(
        address=None if where is None else where.text or None,
        preload=("rlsweep.tournaments.playing",),
        preload_with_ray=(),
    )
