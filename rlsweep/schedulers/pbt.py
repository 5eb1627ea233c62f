"""The decision of population-based training: a pure function of its settings and its record.

Every member pauses at each interval. There it is compared with the scores that the others have at the same interval
(truncation selection; Jaderberg et al. 2017, arXiv:1711.09846): a member of the lowest share becomes a copy of one of
the highest share, and its config is changed; any other goes on as it is.

A member does not wait for all others, which would leave slots idle behind the slowest one. It waits until half of the
population has trained to its interval, and so many that the share is one member at least: a comparison with fewer would
replace members for no more than having come first. It never waits for a member that cannot come: once nobody is on the
way to its interval, it is compared with those that are there. So the members at the lowest interval can always go on,
and no two wait for each other.

A failed member counts as the worst of the interval that it did not reach: it becomes a copy as soon as a member there
may be compared.
"""

import math
from random import Random

from rlsweep.schedulers.pbt_records import Member, PbtDecision, PbtRecord, PbtSettings, PbtStop, Stage, Step

_OPEN = (Stage.TRAINING, Stage.WAITING)


def decide(settings: PbtSettings, record: PbtRecord, *, free: int) -> PbtDecision:
    """Say what to start on so many free slots. It may be asked at any time.

    The same settings, record and slots give the same decision, and a member's step does not depend on the slots.
    """
    undecided = [
        member
        for member in record.members
        if member.stage in (Stage.WAITING, Stage.FAILED) and member.interval <= settings.intervals
    ]
    steps: list[Step] = []
    for member in sorted(undecided, key=lambda each: (each.interval, each.number)):
        if len(steps) < free and (step := _step(settings, record, member)) is not None:
            steps.append(step)
    stop = None
    if not steps and not any(member.stage in _OPEN for member in record.members):
        has_ended = any(member.stage is Stage.ENDED for member in record.members)
        stop = PbtStop.DONE if has_ended else PbtStop.FAILED
    return PbtDecision(steps=tuple(steps), stop=stop)


def fewest_compared(settings: PbtSettings) -> int:
    """How many members must have trained to an interval before one of them is compared there."""
    return min(settings.population, max(math.ceil(settings.population / 2), math.ceil(1 / settings.share - 1e-9)))


def _step(settings: PbtSettings, record: PbtRecord, member: Member) -> Step | None:
    """What the member does now; None if it waits, or is failed and nothing can be copied."""
    if not _is_comparable(settings, record, member.interval):
        return None
    draws = Random(f"{settings.seed} {member.number} {member.interval}")
    source = _source(settings, record, member, draws)
    if source is None and member.stage is Stage.FAILED:
        return None
    return Step(member=member.number, interval=member.interval, source=source, seed=draws.getrandbits(32))


def _is_comparable(settings: PbtSettings, record: PbtRecord, interval: int) -> bool:
    there = sum(member.at(interval) is not None for member in record.members)
    return there >= fewest_compared(settings) or not any(_is_coming(member, interval) for member in record.members)


def _is_coming(member: Member, interval: int) -> bool:
    """Whether the member will train to the interval, as things stand."""
    if member.stage is Stage.TRAINING:
        return member.interval <= interval
    return member.stage is Stage.WAITING and member.interval < interval


def _source(settings: PbtSettings, record: PbtRecord, member: Member, draws: Random) -> int | None:
    """Whose copy the member becomes; None if it goes on, or nothing better can be copied."""
    scores: dict[int, float] = {}
    copyable = set()
    for each in record.members:
        reached = each.at(member.interval)
        if reached is not None and reached.score is not None:
            scores[each.number] = reached.score
            if reached.can_be_copied:
                copyable.add(each.number)
    best_first = sorted(scores, key=lambda number: (-scores[number], number))
    count = max(1, math.floor(len(best_first) * settings.share + 1e-9))
    own = -math.inf
    if member.stage is not Stage.FAILED:
        if member.number not in best_first[-count:]:
            return None
        own = scores[member.number]
    sources = [number for number in best_first[:count] if number in copyable and scores[number] > own]
    return draws.choice(sources) if sources else None
