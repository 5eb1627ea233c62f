"""Each line of the README's tables of what an environment may return, through plan, train (both modes) and submit."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from unmeasured import measuring_by

from rlsweep.analysis.wording import labelled
from rlsweep.api import train as train_api
from rlsweep.api.plan import PlanOptions, make_plan, measure
from rlsweep.api.submit import submit
from rlsweep.config.run import Mode, RunConfig
from rlsweep.errors import InputError, before_start
from rlsweep.places.options import DrivingOptions
from rlsweep.planning import probe
from rlsweep.planning.plan import Plan, make_run
from rlsweep.settings import Settings
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

README = Path(__file__).parents[3] / "config" / "training" / "README.md"
AGENT = {
    "agent_id": "tiny", "name": "Tiny", "version": 1, "algorithm": "MaskablePPO",
    "n_steps": 32, "batch_size": 16, "n_epochs": 1, "network": {"net_arch": [4]},
}  # fmt: skip
NO_MASK = {"action_masks": "none; every action counts as legal"}
METHOD = {"action_masks": "action_masks() of the environment"}

ACCEPTED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "has no mask, with MaskablePPO": ({"id": "Free"}, NO_MASK),
    "returns a list of booleans from `action_masks()`": ({"id": "AsList"}, METHOD),
    "returns 0 and 1 from `action_masks()`, as integers or floats": ({"id": "AsNumbers"}, METHOD),
    "has `action_masks` as a property": (
        {"id": "AsProperty"}, {"action_masks": "property action_masks of the environment"},
    ),
    "has the key `action_mask` in its Dict observation": (
        {"id": "InObservation"}, {"action_masks": "key action_mask of the observation"},
    ),
    "has the key `action_mask` in its info": ({"id": "InInfo"}, {"action_masks": "key action_mask of info"}),
    "has its mask in a method of another name, which `environment.mask` gives": (
        {"id": "OtherMethod", "mask": "valid_action_mask"}, {"action_masks": "valid_action_mask() of the environment"},
    ),
    "has its mask under another key, which `environment.mask` gives": (
        {"id": "InObservationElsewhere", "mask": "valid_avail_actions_mask"},
        {"action_masks": "key valid_avail_actions_mask of the observation"},
    ),
    "has something that looks like a mask, and `environment.mask: none`": (
        {"id": "Suggests", "mask": "none"}, NO_MASK,
    ),
    "has `Discrete(n, start=s)` actions": (
        {"id": "FromOne"}, METHOD | {"actions": "0 to 2 of the policy are 1 to 3 of the environment"},
    ),
    "has masked MultiDiscrete actions": (
        {"id": "Parts"}, METHOD | {"actions": "begin at 0 in the policy; the environment gets [1, 0] added"},
    ),
    "has masked MultiBinary actions": ({"id": "Bits"}, METHOD),
    "has Discrete observations with another `start` than 0": ({"id": "ObservationFromOne"}, METHOD),
    "returns a list of numbers as observation": ({"id": "ListObservation"}, METHOD),
    "returns more keys in a Dict observation than its space has": (
        {"id": "MoreKeys"}, {"action_masks": "key action_mask of the observation"},
    ),
    "returns rewards of a NumPy type": ({"id": "OddNumbers"}, METHOD),
}  # fmt: skip


def wrong(name: str, of: str = "Returns", key: str = "wrong") -> dict[str, Any]:
    return {"id": of, "kwargs": {key: name}}


REFUSED: dict[str, dict[str, Any]] = {
    "has a method `valid_action_mask` and no `action_masks`, with MaskablePPO": {"id": "OtherMethod"},
    "has a property `legal_moves` with the numbers of the legal actions, with MaskablePPO": {"id": "OtherProperty"},
    "has a mask under another key of its observation, with MaskablePPO": {"id": "InObservationElsewhere"},
    "has a mask under another key of its info, with MaskablePPO": {"id": "InInfoElsewhere"},
    "has `action_mask` in the info of steps and not of `reset`, with MaskablePPO": {"id": "OnlyInInfoOfSteps"},
    "has not what `environment.mask` names": {"id": "Free", "mask": "board"},
    "has a property `action_masks` that raises": {"id": "RaisingProperty"},
    "returns a mask that is too long": wrong("long", "MaskOf"),
    "returns a mask that is too short": wrong("short", "MaskOf"),
    "returns an empty mask": wrong("empty", "MaskOf"),
    "returns a nested mask": wrong("nested", "MaskOf"),
    "returns the numbers of the legal actions": wrong("numbers", "MaskOf"),
    "returns logits as a mask": wrong("logits", "MaskOf"),
    "returns other values than 0 and 1 in a mask": wrong("twos", "MaskOf"),
    "returns None as a mask": wrong("none", "MaskOf"),
    "returns a mask that allows nothing before the episode ends": wrong("no legal", "MaskOf"),
    "returns lists of different lengths as a mask": wrong("ragged", "MaskOf"),
    "returns one value for each bit of MultiBinary as a mask": {"id": "BitsTooFew"},
    "returns 4 values from `step`": wrong("4 values"),
    "returns only an observation from `step`": wrong("observation"),
    "returns only an observation from `reset`": wrong("reset alone"),
    "returns nothing from `reset`": wrong("reset none"),
    "has a `reset` without `seed`": {"id": "NoSeed"},
    "has a `reset` without `options`": {"id": "NoOptions"},
    "returns None as reward": wrong("no reward"),
    "returns a list as reward": wrong("list reward"),
    "returns an array as reward": wrong("array reward"),
    "returns a reward that is NaN or infinite": wrong("nan reward"),
    "returns None as terminated or truncated": wrong("no flag"),
    "returns None as info": wrong("no info"),
    "returns an observation of another shape": wrong("shape"),
    "returns an observation of another dtype": wrong("dtype"),
    "returns an observation that is NaN or infinite": wrong("nan"),
    "returns an observation outside its space": wrong("outside"),
    "raises an error in its constructor": wrong("__init__", "Fails", "at"),
    "raises an error in `reset`, or ends the program there": wrong("reset", "Fails", "at"),
    "raises an error in `step`": wrong("step", "Fails", "at"),
    "has no spaces": {"id": "NoSpaces"},
    "has a space that is none of Gymnasium's": wrong("list", "Spaces", "of"),
    "has Dict actions": wrong("Dict", "Spaces", "of"),
    "has Tuple actions": wrong("Tuple", "Spaces", "of"),
    "has Box actions, with MaskablePPO": {"id": "Continuous"},
    "has a Sequence observation": wrong("Sequence", "Spaces", "of"),
    "has a Text observation": wrong("Text", "Spaces", "of"),
    "is neither a Gymnasium nor an AEC environment": {"id": "Neither"},
}
WITHOUT_PLACE = {
    "has not what `environment.mask` names", "has Dict actions", "has Tuple actions",
    "has Box actions, with MaskablePPO", "has a Sequence observation", "has a Text observation",
}  # fmt: skip


class _Listening:
    def __init__(self) -> None:
        self.said: list[str] = []

    def message(self, text: str) -> None:
        self.said.append(text)

    def warning(self, text: str) -> None:
        self.said.append(text)


class _StartedError(Exception):
    """A sweep would be put on record now."""


def tables() -> list[dict[str, str]]:
    """The README's two tables: first cell → second cell."""
    section = README.read_text().partition("## What an environment may return")[2].partition("\n## ")[0]
    found = re.findall(r"\|---\|---\|\n((?:\|.*\n)+)", section)
    return [dict(re.findall(r"^\| (.*?) \| (.*) \|$", table, flags=re.MULTILINE)) for table in found]


@pytest.fixture(autouse=True)
def _measured_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child process of a plan takes seconds to start."""

    known: dict[str, Any] = {}

    def measure_here(configs: Sequence[RunConfig], **_: Any) -> Any:
        key = repr(configs)
        known[key] = known.get(key) or before_start()(probe.measure_all)(configs)
        return known[key]

    monkeypatch.setattr("rlsweep.planning.forecast.measuring", measuring_by(measure_here))
    monkeypatch.setattr(probe, "PLAY_SECONDS", 0.02)
    monkeypatch.setattr(probe, "LEARN_SECONDS", 0.0)


@pytest.fixture
def submit_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Plan], dict[str, str]]:
    """Submit up to where the sweep would be put on record; return the facts that it shows."""

    class Place:
        @contextmanager
        def open(self, *_: Any) -> Iterator["Place"]:
            yield self

        def ready(self, *_: Any) -> None:
            raise _StartedError

    monkeypatch.setattr("rlsweep.places.find.find_place", lambda *_: Place())
    monkeypatch.setattr("rlsweep.store.opening.check_reachable", lambda _: None)
    monkeypatch.setattr("rlsweep.api.opening.database_of", lambda _: None)
    monkeypatch.setattr("rlsweep.store.sweeps.find_unfinished", lambda *_, **__: None)

    def submit_here(plan: Plan) -> dict[str, str]:
        seen: dict[str, str] = {}
        with pytest.raises(_StartedError):
            submit(
                plan,
                patterns=(),
                settings=Settings.from_environ({"RLSWEEP_HOME": str(tmp_path)}),
                observer=_Listening(),  # type: ignore[arg-type]
                options=DrivingOptions(),
                on_forecast=lambda forecast: seen.update(forecast.facts),
                resume_instead=lambda _: False,
            )
        return seen

    return submit_here


def base(spec: dict[str, Any]) -> dict[str, Any]:
    return {"environment": spec | {"id": f"contract_envs:{spec['id']}"}, "evaluation": {"every_rollouts": 1}}


def plan_of(spec: dict[str, Any]) -> Plan:
    return make_plan([AGENT], PlanOptions(base_config=base(spec), total_timesteps=64))


def config_of(spec: dict[str, Any], mode: Mode) -> RunConfig:
    return make_run(AGENT, base_config=base(spec), mode=mode, episodes=None, total_timesteps=64).config


def check(spec: dict[str, Any], mode: Mode) -> list[str]:
    """What `rlsweep train` does and says before a run is on record."""
    observer = _Listening()
    checked = train_api._check(config_of(spec, mode))
    train_api._tell_of_environment(checked, config_of(spec, mode), observer)
    return observer.said


def test_every_line_of_the_tables_is_tested() -> None:
    accepted, refused = tables()
    assert list(accepted) == list(ACCEPTED)
    assert list(refused) == list(REFUSED)


@pytest.mark.parametrize("line", ACCEPTED)
def test_accepted(line: str, submit_here: Callable[[Plan], dict[str, str]], tmp_path: Path) -> None:
    spec, facts = ACCEPTED[line]
    assert measure(plan_of(spec)).facts == facts
    assert submit_here(plan_of(spec)) == facts
    for mode in Mode:
        assert check(spec, mode) == labelled(facts)
        recorder = ListRecorder()
        train(config_of(spec, mode), recorder, checkpoint_folder=tmp_path / mode, tensorboard_folder=None)
        assert recorder.episodes[-1].reward == 8
        assert facts.items() <= recorder.facts.items()


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line: str, submit_here: Callable[[Plan], dict[str, str]]) -> None:
    spec = REFUSED[line]
    said = re.escape(tables()[1][line].strip("`")).replace("…", ".*")
    calls = [
        lambda: measure(plan_of(spec)),
        lambda: submit_here(plan_of(spec)),
        *(partial(check, spec, mode) for mode in Mode),
    ]
    for call in calls:
        with pytest.raises(InputError, match=said) as error:
            call()
        assert line in WITHOUT_PLACE or re.search(r"contract_envs\.py, line \d+\)", str(error.value))


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("raise", r"step raises ValueError: the server is gone \(.*contract_envs.py, line \d+\)"),
        ("reward", r"step returned the reward None; return a number \(.*contract_envs.py, line \d+\)"),
        ("shape", r"step returned an observation of shape \(1,\); its space has the shape \(2,\) \(.*contract_envs"),
        ("mask length", r"the action mask from action_masks\(\) of the environment has 2 values"),
        ("no legal", r"the action mask from action_masks\(\) of the environment allows no action"),
    ],
)
@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_what_breaks_later_names_env_step_and_episode(then: str, said: str, engine: str, tmp_path: Path) -> None:
    from rlsweep.errors import EnvironmentStateError

    training = base({"id": "BreaksLater", "kwargs": {"then": then}}) | {"engine": engine}
    config = make_run(AGENT, base_config=training, mode=Mode.SMOKE, episodes=None, total_timesteps=320).config
    check(training["environment"] | {"id": "BreaksLater"}, Mode.SMOKE)
    recorder = ListRecorder()
    with pytest.raises(EnvironmentStateError, match=rf"{said}.*, at env step 20[01], in episode 2[56]\.$"):
        train(config, recorder, checkpoint_folder=tmp_path, tensorboard_folder=None)
    assert recorder.episodes[-1].env_steps in (192, 200)
