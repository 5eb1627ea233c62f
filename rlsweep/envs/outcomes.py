"""Who won an episode."""

from collections.abc import Collection

from rlsweep.runs import Outcome


def outcome_of(own_return: float, other_returns: Collection[float]) -> Outcome:
    """Win for the sole highest final return among the agents, draw where the highest is shared, else loss.

    Returns are compared, never their sign: in games scored by what is left over, a winner's own return may be negative.
    """
    best_other = max(other_returns)
    if own_return > best_other:
        return Outcome.WIN
    return Outcome.DRAW if own_return == best_other else Outcome.LOSS
