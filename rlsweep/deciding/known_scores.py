"""What each config of a record is taken to score where the next config is drawn."""

from rlsweep.deciding.belief import FEWEST_FOR_A_SLOPE, believe, resolve_tolerance
from rlsweep.deciding.records import RaceRecord, RaceSettings
from rlsweep.deciding.standing import standing_of


def known_scores(settings: RaceSettings, record: RaceRecord) -> tuple[float | None, ...]:
    """Of each config its score on one scale, greater is better; None while it has none.

    The believed mean over seeds, as the race itself has it: of a config at the rung, what its score there predicts.
    Before enough configs have finished for that prediction, scores at the rung are compared with one another.
    """
    standing = standing_of(settings, record)
    configs = standing.configs
    tolerance = resolve_tolerance(settings, standing)
    both = sum(bool(config.rung and config.full) for config in configs)
    none_waits = not any(config.rung and not config.full for config in configs) and any(each.full for each in configs)
    is_predicted = both >= FEWEST_FOR_A_SLOPE or none_waits
    if tolerance is None or not is_predicted:
        return tuple(sum(config.rung) / len(config.rung) if config.rung else None for config in configs)
    means = believe(settings, standing, tolerance).mean.tolist()
    return tuple(mean if config.rung or config.full else None for mean, config in zip(means, configs, strict=True))
