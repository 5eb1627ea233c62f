"""The commands that make a choice surer, and how many runs each of them trains."""

import shlex
from dataclasses import dataclass
from math import floor

from rlsweep.analysis.wording import plural
from rlsweep.deciding.confirm import MOST_RIVALS
from rlsweep.race_records import SEEDS_TO_CONFIRM
from rlsweep.reports.findings import NextStep


@dataclass(frozen=True, kw_only=True, slots=True)
class SureStep(NextStep):
    """runs: that it trains, about, or with `is_bound` at most; None where it trains none."""

    runs: int | None
    is_bound: bool = False


def race_step(name: str, *, cap: float | None, to_settle: int | None, room: float) -> SureStep:
    """Train more seeds where they lower the risk most.

    cap: the flag's value; None for its default; room: whole runs that fit under it
    to_settle: about how many would do; None where nobody can tell, so that only the cap bounds them
    """
    command = f"rlsweep race {shlex.quote(name)}" + ("" if cap is None else f" --cap {cap:g}")
    is_bound = to_settle is None or to_settle > room
    runs = floor(room) if to_settle is None or is_bound else to_settle
    return SureStep(text="Lower the risk with more seeds", command=command, runs=runs, is_bound=is_bound)


def confirm_step(name: str, *, contenders: int) -> SureStep:
    """Train the choice and the first of its contenders on seeds that were not used to choose it."""
    others = min(contenders, MOST_RIVALS)
    what = "Estimate its score" if not others else f"Compare it with {plural(others, 'contender')}"
    return SureStep(
        text=f"{what} on held-out seeds",
        command=f"rlsweep confirm {shlex.quote(name)}",
        runs=(1 + others) * SEEDS_TO_CONFIRM,
    )


def promote_step(name: str) -> SureStep:
    """Write the choice as the agent's next version."""
    return SureStep(
        text="Write it as the agent's next version", command=f"rlsweep promote {shlex.quote(name)}", runs=None
    )
