"""What stands against the claim of a race, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from rlsweep.analysis.update_counts import TOO_FEW_UPDATES
from rlsweep.analysis.wording import plural
from rlsweep.deciding.caveats import Caveat, FewConfigs, StillAtStart, TwoClusters, caveats_of
from rlsweep.deciding.records import Decision, RaceRecord

MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownCaveat:
    """text: the reason and what to do, in two sentences; forbids_claim: whether no risk may be stated because of it."""

    text: str
    forbids_claim: bool


FEW_UPDATES = ShownCaveat(
    text=f"No run has {TOO_FEW_UPDATES} policy updates, so that no score shows yet what its config can do. "
    "Train with a larger budget.",
    forbids_claim=True,
)
"""Of a sweep that is no race: a race trains whole budgets before it claims anything."""


def shown_caveats(record: RaceRecord, decision: Decision, names: Sequence[str]) -> tuple[ShownCaveat, ...]:
    """The caveats of a decision, in words; none before the first whole run."""
    if decision.leader is None or decision.tolerance is None:
        return ()
    found = caveats_of(
        record,
        leader=decision.leader,
        leader_sd=decision.belief_sd[decision.leader],
        tolerance=decision.tolerance,
    )
    return tuple(ShownCaveat(text=_text(each, names), forbids_claim=each.forbids_claim) for each in found)


def _text(caveat: Caveat, names: Sequence[str]) -> str:
    if isinstance(caveat, FewConfigs):
        return f"With {plural(caveat.configs, 'config')} no risk can be stated. Race three or more."
    if isinstance(caveat, StillAtStart):
        return (
            f"{caveat.runs} of {plural(caveat.of, 'first run')} never left the starting level, so a config whose seed "
            "found nothing may be as good as the best. Race with more env steps, or reward progress on the way."
        )
    if isinstance(caveat, TwoClusters):
        return (
            f"Seeds of {_named(caveat.configs, names)} end either near the starting level or far above it, so a mean "
            "says little. Race with --over-seeds median, or with more env steps."
        )
    others = _named([each.config for each in caveat.overtaking], names)
    return (
        f"Scores still rise at the end of the budget: a longer one may put {others} before {names[caveat.leader]}. "
        "Race these with more env steps."
    )


def _named(configs: Sequence[int], names: Sequence[str]) -> str:
    shown = ", ".join(names[config] for config in configs[:MOST_NAMED])
    more = len(configs) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
