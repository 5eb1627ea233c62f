"""What Python calls to race configs and to check the choice: `rlsweep.race` and `rlsweep.confirm`."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from rlsweep.api.arguments import GivenBase, GivenEnvironment, GivenOverrides, listed, patterns_of, plan_options
from rlsweep.api.confirm import confirm as confirm_choice
from rlsweep.api.driving import reference_of, sweep_of, warn_of_forecast, warn_of_unfinished
from rlsweep.api.observers import make_observer
from rlsweep.api.plan import make_plan
from rlsweep.api.race import continue_race
from rlsweep.api.race import race as race_plan
from rlsweep.api.references import is_sweep_reference
from rlsweep.api.sweeps import Sweep
from rlsweep.config.run import Mode
from rlsweep.places.options import DEFAULT_GRACE, DrivingOptions
from rlsweep.planning.agents import GivenAgent
from rlsweep.planning.race_options import RaceOptions
from rlsweep.race_records import SEEDS_TO_CONFIRM
from rlsweep.settings import Settings


def race(
    configs: GivenAgent | Sequence[GivenAgent] | Sweep | UUID,
    *,
    tolerance: str | float | None = None,
    confidence: float | None = None,
    cap: str | float | None = None,
    max_hours: float | None = None,
    objective: str | None = None,
    over_seeds: str | None = None,
    environment: GivenEnvironment = None,
    base_config: GivenBase = None,
    overrides: GivenOverrides = (),
    mode: Mode | str = Mode.SMOKE,
    episodes: int | None = None,
    total_timesteps: int | None = None,
    with_base: bool = False,
    name: str | None = None,
    max_concurrent: int | None = None,
    address: str | None = None,
    detach: bool = False,
    grace: float = DEFAULT_GRACE,
    progress: bool = True,
    settings: Settings | None = None,
) -> Sweep:
    """Spend the budget where it helps to decide between configs; return the sweep; its `.answer()` says what to take.

    configs: as `submit` has them; or a sweep on record, by handle, id or name, to go on with: a race with other terms,
        or a finished sweep, whose runs count
    tolerance: a difference that does not matter: a number in the objective's unit, or "10%" (the default) of the way
        from the starting level to the best config
    confidence: the race stops once the choice is right with this probability; 0.95 by default
    cap: most env steps, as a share of those of every config with five seeds; "1/2" by default
    max_hours: begin no run after so many hours
    objective: evaluation_reward (the default), training_reward, win_rate, or episode_length, of which less is better
    over_seeds: a config's score is the mean (the default) or the median of its seeds

    The rest is as `submit` has it. Raises InputError, with nothing started, for what cannot be used.

    >>> import rlsweep
    >>> fast = {**config, "sweep_variant": "fast", "learning_rate": 1e-3}
    >>> slow = {**config, "sweep_variant": "slow", "learning_rate": 1e-5}
    >>> sweep = rlsweep.race([config, fast, slow], environment="CartPole-v1", total_timesteps=64, progress=False)
    >>> sweep.answer().is_decided
    True
    """
    settings = settings or Settings.from_environ()
    observer = make_observer(progress=progress)
    driving = DrivingOptions(max_concurrent=max_concurrent, address=address, detach=detach, grace=grace)
    asked = RaceOptions(
        tolerance=tolerance,
        confidence=confidence,
        cap=cap,
        max_hours=max_hours,
        objective=objective,
        over_seeds=over_seeds,
    )
    if isinstance(configs, Sweep | UUID) or (isinstance(configs, str) and is_sweep_reference(configs)):
        reference = reference_of(configs)
        outcome = continue_race(reference, asked, settings=settings, observer=observer, options=driving)
        return sweep_of(outcome, settings)
    plan = plan_options(
        environment, base_config, overrides, mode, episodes, total_timesteps, seeds=1, with_base=with_base
    )
    given = listed(configs)
    outcome = race_plan(
        make_plan(given, plan),
        asked,
        patterns=patterns_of(given),
        settings=settings,
        observer=observer,
        options=driving,
        name=name,
        on_forecast=lambda _, forecast: warn_of_forecast(observer, forecast),
        resume_instead=partial(warn_of_unfinished, observer),
    )
    return sweep_of(outcome, settings)


def confirm(
    sweep: Sweep | UUID | str = "latest",
    *,
    seeds: int = SEEDS_TO_CONFIRM,
    max_concurrent: int | None = None,
    address: str | None = None,
    detach: bool = False,
    grace: float = DEFAULT_GRACE,
    progress: bool = True,
    settings: Settings | None = None,
) -> Sweep:
    """Train the config that a sweep or race takes, and its contenders, on held-out seeds; return the new sweep.

    sweep: a handle, or name, id or start of the id; seeds: of each of these configs. The rest is as `submit` has it.
    The new sweep's `.report().confirmation` has the estimate from these seeds alone, beside what the race had shown.

    Raises NotFoundError, and InputError where no config can be taken yet.

    >>> import rlsweep
    >>> checked = rlsweep.confirm("calibration", seeds=2, progress=False)
    >>> checked.report().confirmation.take.score.seeds
    2
    """
    settings = settings or Settings.from_environ()
    outcome = confirm_choice(
        reference_of(sweep),
        seeds=seeds,
        settings=settings,
        observer=make_observer(progress=progress),
        options=DrivingOptions(max_concurrent=max_concurrent, address=address, detach=detach, grace=grace),
    )
    return sweep_of(outcome, settings)
