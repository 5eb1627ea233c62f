"""Where each config of a race stands: what it scored, what of it trains now, and what its next full score costs."""

from dataclasses import dataclass
from itertools import count, islice

from rlsweep.deciding.records import Move, RaceRecord, RaceSettings, SeedScores


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigStanding:
    """One config.

    rung, full: its scores, one a seed, in the order of seeds; none below the starting level
    waiting: seeds that wait at the rung, and that nothing continues yet
    to_rung, to_end: how many of its seeds train now up to the rung, or to the end
    taken: the seeds that have a score or train now
    """

    rung: tuple[float, ...]
    full: tuple[float, ...]
    waiting: tuple[int, ...]
    to_rung: int
    to_end: int
    taken: frozenset[int]

    @property
    def is_untouched(self) -> bool:
        """Nothing of it was trained or trains now."""
        return not (self.rung or self.full or self.to_rung or self.to_end)

    @property
    def is_going_on(self) -> bool:
        """One of its seeds has reached the end or is on the way to it."""
        return bool(self.full) or self.to_end > 0

    def new_seed(self, skip: int = 0) -> int:
        """The first seed that is not taken, after skipping so many."""
        free = (seed for seed in count() if seed not in self.taken)
        return next(islice(free, skip, None))


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """All configs.

    start: the starting level
    to_draw: configs that the race is to have, and that are not drawn yet
    room: env steps that are neither spent nor owed to what trains now; 0 where the time is over
    """

    configs: tuple[ConfigStanding, ...]
    start: float
    to_draw: int
    room: float
    has_flights: bool

    @property
    def has_rungs(self) -> bool:
        """Whether seeds go to the rung first: in a fresh race, and wherever scores at the rung exist."""
        touched = any(config.rung or config.to_rung for config in self.configs)
        return touched or not any(config.full for config in self.configs)


def standing_of(settings: RaceSettings, record: RaceRecord) -> Standing:
    """Read a record. A score below the starting level counts as that level: a run that diverged has learned nothing."""
    flying: dict[int, dict[int, bool]] = {}
    for flight in record.in_flight:
        flying.setdefault(flight.config, {})[flight.seed] = flight.to_end
    configs, owed = [], 0.0
    for config, seeds in enumerate(record.scores):
        flights = flying.get(config, {})
        scored = [seed for seed, scores in enumerate(seeds) if scores.rung is not None or scores.full is not None]
        at_rung = [seed for seed in scored if seeds[seed].full is None]
        configs.append(
            ConfigStanding(
                rung=tuple(max(each.rung, record.start) for each in seeds if each.rung is not None),
                full=tuple(max(each.full, record.start) for each in seeds if each.full is not None),
                waiting=tuple(seed for seed in at_rung if seed not in flights),
                to_rung=sum(not to_end for to_end in flights.values()),
                to_end=sum(flights.values()),
                taken=frozenset((*scored, *flights)),
            )
        )
        for seed, to_end in flights.items():
            owed += _still_owed(settings, seeds[seed] if seed < len(seeds) else None, to_end)
    return Standing(
        configs=tuple(configs),
        start=record.start,
        to_draw=max(0, settings.configs - len(record.scores)),
        room=0.0 if settings.is_out_of_time else settings.cap - record.spent - owed,
        has_flights=bool(record.in_flight),
    )


def _still_owed(settings: RaceSettings, scores: SeedScores | None, to_end: bool) -> float:
    """Env steps that a run in flight still costs."""
    whole = settings.run_cost if to_end else settings.rung_cost
    if scores is None:
        return whole
    if scores.full is not None:
        return 0.0
    return whole if scores.rung is None else whole - settings.rung_cost


def move_to_end(settings: RaceSettings, standing: Standing, config: int, *, worth: float, skip: int = 0) -> Move:
    """The cheapest way to another full score of a config: the rest of a run that waits, or else a new run.

    skip: so many such moves of this config are planned already
    """
    state = standing.configs[config]
    if skip < len(state.waiting):
        cost = settings.run_cost - settings.rung_cost
        return Move(config=config, seed=state.waiting[skip], to_end=True, cost=cost, worth=worth)
    seed = state.new_seed(skip - len(state.waiting))
    return Move(config=config, seed=seed, to_end=True, cost=settings.run_cost, worth=worth)
