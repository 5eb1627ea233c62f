"""The newest decision of a race in one line, for those who watch it."""

from collections.abc import Sequence

from rlsweep.analysis.wording import fine_percent
from rlsweep.race_records import DecisionRecord

STOPS = {
    "safe": "the risk is low enough",
    "cap": "the cap is reached",
    "time": "the hours of --max-hours are over",
    "nothing left": "no further run would lower the risk",
}
"""Why a race ended, as a clause."""


def raced_name(names: Sequence[str], config: int) -> str:
    """The name of a config that a decision chose; it may be one that the decision draws."""
    return names[config] if config < len(names) else "a new config"


def race_line(decision: DecisionRecord) -> str:
    """The newest decision in one line: leader, risk, and what is trained next."""
    made, names = decision.decision, decision.record["configs"]
    parts = []
    if made["leader"] is not None:
        parts.append(f"{names[made['leader']]} leads, risk {fine_percent(made['risk'])}")
    next_runs = [
        f"{raced_name(names, move['config'])} {'in full' if move['to_end'] else 'to the rung'}"
        for move in made["moves"]
    ]
    if next_runs:
        why = "first whole runs" if made["leader"] is None else "lowers the risk most"
        if any(move["config"] >= len(names) for move in made["moves"]):
            why = "drawn where scores are high"
        parts.append(f"trains next: {', '.join(next_runs)} ({why})")
    elif made["stop"] is not None:
        parts.append(STOPS[made["stop"]])
    return f"Decision {decision.number}: {'; '.join(parts)}"
