"""Which config of a comparison to take, and how sure that is said to be."""

from types import SimpleNamespace
from uuid import UUID

import pytest

from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.reports.pick import pick_of as pick_in
from rlsweep.reports.pick import pick_of_run
from rlsweep.runs import RunStatus

RUN = UUID(int=1)


def config(name, *, score=1.0, tied_with=(), status=RunStatus.COMPLETED, kind=VerdictKind.UNDECIDED, run_id=RUN):
    seed = SimpleNamespace(status=status, run_id=run_id)
    verdict = SimpleNamespace(kind=kind)
    return SimpleNamespace(name=name, score=score, rank=1, tied_with=tied_with, seeds=(seed,), verdict=verdict)


def pick_of(report):
    return pick_in(report, report.race, report.race_lines)


def report(*configs, winner=None, race=None, runs=None, race_lines=()):
    runs = {RunStatus.COMPLETED: 1} if runs is None else runs
    return SimpleNamespace(configs=configs, winner=winner, race=race, race_lines=race_lines, runs=runs)


@pytest.mark.parametrize(
    ("configs", "given", "name", "standing"),
    [
        (["a", "b"], {"winner": "b"}, "b", "the winner, significantly better than every other config"),
        (["a"], {}, "a", "the only config"),
        (["a", "b"], {}, "a", "first by score, with too few seeds or policy updates to be told from the others"),
        (["a", "b"], {"runs": {RunStatus.RUNNING: 2}}, "a", "first by score, with too few seeds or policy updates to "
         "be told from the others; 2 runs not finished yet"),
    ],
)  # fmt: skip
def test_the_winner_or_the_first_by_score_is_taken(configs, given, name, standing):
    pick = pick_of(report(*map(config, configs), **given))
    assert (pick.config.name, pick.standing, pick.is_winner) == (name, standing, given.get("winner") == name)


def test_ties_and_doubts_are_said():
    tied = config("a", tied_with=("b", "c", "d", "e", "f"), kind=VerdictKind.UNSTABLE)
    assert pick_of(report(tied, config("b"))).standing == (
        "first by score, and not significantly better than b, c, d and 2 more; its verdict is unstable"
    )


@pytest.mark.parametrize("unfinished", [{"score": None}, {"status": RunStatus.RUNNING}, {"status": RunStatus.FAILED}])
def test_what_is_not_finished_is_not_taken(unfinished):
    assert pick_of(report(config("a", **unfinished))) is None
    assert pick_of(report(config("a", **unfinished), config("b"))).config.name == "b"


@pytest.mark.parametrize(
    ("given", "standing", "risk"),
    [
        ({"is_winner": True}, "the winner of the race", 0.02),
        ({"is_decided": False, "as_good": ("a",)}, "what the race takes; the race is not decided yet; as good, as far "
         "as its runs can tell: a", 0.02),
        ({"caveats": (SimpleNamespace(forbids_claim=True),)}, "what the race takes", None),
    ],
)  # fmt: skip
def test_a_race_says_what_to_take_with_its_risk(given, standing, risk):
    race = {"take": "b", "is_winner": False, "is_decided": True, "as_good": (), "caveats": (), "risk": 0.02} | given
    lines = (SimpleNamespace(heading="TAKE", text="b."), SimpleNamespace(heading="RISK", text="At most 5%."))
    raced = report(config("a"), config("b"), winner="a", race=SimpleNamespace(**race), race_lines=lines)
    pick = pick_of(raced)
    assert (pick.config.name, pick.standing, pick.risk, pick.risk_text) == ("b", standing, risk, "At most 5%.")


def test_a_run_names_its_config():
    other = UUID(int=2)
    pick = pick_of_run(report(config("a"), config("b", run_id=other, tied_with=("a",))), other)
    assert pick.config.name == "b"
    assert pick.standing == f"the config of run {str(other)[:8]}, rank 1= of 2 configs"
