"""The outcome of an episode."""

from collections.abc import Collection

from rlsweep.runs import Outcome


def outcome_of(own_return: float, other_returns: Collection[float]) -> Outcome:
    """Win if the agent alone has the highest final return, draw if it shares the highest, else loss.

    Only the order of returns counts, not their sign: a winner's return may be negative.
    """
    best_other = max(other_returns)
    if own_return > best_other:
        return Outcome.WIN
    return Outcome.DRAW if own_return == best_other else Outcome.LOSS
