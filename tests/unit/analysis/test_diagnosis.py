"""The rules of the diagnosis on recorded runs: each fires on a run that was made sick, none on those that learned."""

import dataclasses

import numpy as np
import pytest

from rlsweep.analysis.diagnosis.rules import FEWEST_UPDATES, RULES, findings
from rlsweep.analysis.diagnosis.series import UpdateSeries, known_steps, reward_curve, settings_of
from rlsweep.analysis.diagnosis.strips import CELLS, Strip, reward_cells, strips
from rlsweep.analysis.diagnosis.zones import STRIP_METRICS, Zone
from tests.helpers.recorded_ppo import recorded

SICK = {
    "learning_rate_1e30": "not_finite",
    "learning_rate_0.1": "entropy_collapsed",
    "ent_coef_0_rate_0.05": "entropy_collapsed",
    "no_gradient_clipping": "entropy_collapsed",
    "n_epochs_50": "kl_high",
    "short_rollouts_80_epochs": "kl_high",
    "clip_range_5": "kl_high",
    "clip_range_1e-4": "clip_range_small",
    "clip_range_0.1_high_rate": "clipped_much",
    "target_kl_1e-4": "cut_short",
    "ent_coef_10": "entropy_stuck",
    "rewards_times_1000": "rewards_too_large",
    "learning_rate_1e-7": "nothing_moves",
    "growing_rewards": "value_loss_explodes",
    "rewards_times_0.001": "value_worse_than_constant",
    "vf_coef_1e-9": "value_unlearned",
}


@pytest.mark.parametrize(("name", "rule"), SICK.items())
def test_a_sick_run_has_the_finding_that_it_was_made_for_and_no_other(name: str, rule: str) -> None:
    assert [finding.rule for finding in findings(recorded("sick")[name])] == [rule]


def test_every_rule_has_a_sick_run_and_a_source() -> None:
    assert set(SICK.values()) == {rule.name for rule in RULES}
    assert SICK.keys() == recorded("sick").keys()
    assert all(rule.source and rule.cures for rule in RULES)
    earlier: set[str] = set()
    for rule in RULES:
        assert set(rule.unless) <= earlier, rule.name
        earlier.add(rule.name)


def test_of_20_runs_that_learned_at_least_19_have_no_finding() -> None:
    learned = {name: run for name, run in recorded("healthy").items() if rose(run)}
    assert recorded("healthy").keys() - learned.keys() == {"acrobot_104"}
    assert len(learned) == 20
    environments = {name.split("_")[0] for name in learned}
    assert environments == {"cartpole", "acrobot", "connect", "breakthrough"}
    alarms = {name: found for name, run in learned.items() if (found := findings(run))}
    assert len(alarms) <= 1, alarms


def test_the_runs_that_limits_were_set_on_are_silent_but_for_one() -> None:
    alarms = {name for name, run in recorded("apart").items() if findings(run)}
    assert alarms == {"breakthrough_rate_1e-3"}


def rose(run: UpdateSeries) -> bool:
    fifth = run.reward.size // 5
    return float(run.reward[-fifth:].mean()) > float(run.reward[:fifth].mean())


def test_the_sentence_names_update_and_cures_that_the_algorithm_has() -> None:
    sick = recorded("sick")["learning_rate_0.1"]
    assert findings(sick)[0].sentence == (
        "Entropy collapsed at update 2 and reward never recovered: "
        "lower learning_rate, raise ent_coef or set target_kl."
    )
    with_target = dataclasses.replace(sick, settings=dataclasses.replace(sick.settings, target_kl=0.5))
    assert findings(with_target)[0].sentence.endswith("raise ent_coef or lower target_kl.")
    a2c = dataclasses.replace(sick, settings=settings_of({"agent": {"algorithm": "A2C"}}, sick.update_steps))
    assert findings(a2c)[0].sentence.endswith(": lower learning_rate or raise ent_coef.")


def test_an_entropy_that_collapsed_after_reward_rose_is_no_finding() -> None:
    sick = recorded("sick")["learning_rate_0.1"]
    rising = dataclasses.replace(sick, reward=np.linspace(0, 100, sick.reward.size))
    assert findings(rising) == ()


def test_few_updates_are_not_judged_unless_something_is_nan() -> None:
    sick = recorded("sick")["clip_range_5"]
    few = first_updates(sick, FEWEST_UPDATES - 1)
    assert findings(few) == ()
    assert findings(first_updates(sick, FEWEST_UPDATES)) != ()
    broken = dataclasses.replace(few, value_loss=np.where(np.arange(few.updates) == 2, np.nan, few.value_loss))
    assert [(finding.rule, finding.since) for finding in findings(broken)] == [("not_finite", 3)]


def first_updates(run: UpdateSeries, number: int) -> UpdateSeries:
    names = [field.name for field in dataclasses.fields(run)]
    cut = {name: getattr(run, name)[:number] for name in names if name not in ("settings", "diverged")}
    return dataclasses.replace(run, **cut)


def test_values_that_are_missing_give_no_finding_and_no_warning() -> None:
    healthy = recorded("healthy")["cartpole_100"]
    nothing = np.full(healthy.updates, np.nan)
    missing = dataclasses.replace(healthy, approx_kl=nothing, clip_fraction=nothing, explained_variance=nothing)
    assert findings(missing) == ()
    continuous = dataclasses.replace(healthy, entropy=healthy.entropy - 1.0)  # negative, as a Gaussian's may be
    assert findings(continuous) == ()
    assert findings(first_updates(healthy, 0)) == ()
    assert strips([first_updates(healthy, 0)]) == ()


def test_strips_have_the_zones_of_their_values() -> None:
    run = recorded("sick")["n_epochs_50"]
    found = {strip.metric: strip for strip in strips([run])}
    assert found.keys() == {metric.name for metric in STRIP_METRICS}
    (kl,) = (metric for metric in STRIP_METRICS if metric.name == "approx_kl")
    assert len(found["approx_kl"].zones) == run.updates == 30
    zones = [kl.bands[place].zone for place in found["approx_kl"].zones]
    for value, zone in zip(run.approx_kl, zones, strict=True):
        assert zone is (Zone.FAR if value >= 0.1 else Zone.UNUSUAL if value >= 0.05 else Zone.USUAL)
    assert set(found["gradient_steps"].values) == {800.0}


def test_strips_of_several_runs_show_the_one_furthest_from_usual_or_the_mean_of_usual_ones() -> None:
    usual, far = recorded("healthy")["cartpole_100"], recorded("sick")["clip_range_5"]
    assert strip_of("approx_kl", [usual, far]) == strip_of("approx_kl", [far])
    half = dataclasses.replace(usual, approx_kl=usual.approx_kl * 2)
    mean = strip_of("approx_kl", [usual, half]).values
    assert mean == pytest.approx([1.5 * value for value in strip_of("approx_kl", [usual]).values], rel=1e-3)
    assert len(reward_cells([usual, far])) == CELLS


def test_a_cell_without_an_update_has_the_value_of_the_next_until_the_run_ends() -> None:
    many, few = recorded("apart")["cartpole_zoo"], recorded("healthy")["cartpole_100"]
    ended = first_updates(few, 10)
    with_gaps = dataclasses.replace(many, approx_kl=np.full(many.updates, np.nan))
    values = strip_of("approx_kl", [with_gaps, ended]).values
    assert len(values) == CELLS
    reached = int(np.ceil(CELLS * ended.update_steps[-1] / many.update_steps[-1]))
    assert all(value is not None for value in values[:reached])
    assert set(values[reached:]) == {None}


def strip_of(metric: str, runs: list[UpdateSeries]) -> Strip:
    (found,) = (strip for strip in strips(runs) if strip.metric == metric)
    return found


def test_gradient_steps_are_those_that_target_kl_left() -> None:
    run = recorded("sick")["target_kl_1e-4"]
    steps = strip_of("gradient_steps", [run])
    assert steps.values == (7, 8, 8, 7, 7, 6, 7, 6, 6, 5, 5, 5, 5, 9, 13, 9, 9, 11, 10, 13, 13, 15, 33, 22, 14, 15, 21, 24, 18, 11)  # fmt: skip  # noqa: E501
    (metric,) = (metric for metric in STRIP_METRICS if metric.name == "gradient_steps")
    zones = [metric.bands[place].zone for place in steps.zones]
    assert [zone is Zone.FAR for zone in zones] == [value < 16 for value in steps.values]  # a tenth of 160
    assert Zone.USUAL not in zones


def test_gradient_steps_that_were_not_recorded_are_all_or_unknown() -> None:
    unrecorded = np.full(3, np.nan)
    cut = recorded("sick")["target_kl_1e-4"].settings
    assert np.isnan(known_steps(unrecorded, cut)).all()
    assert known_steps(np.array([np.nan, 7.0]), dataclasses.replace(cut, target_kl=None)).tolist() == [160, 7]
    unknown = dataclasses.replace(recorded("sick")["target_kl_1e-4"], gradient_steps=np.full(30, np.nan))
    assert "cut_short" not in {finding.rule for finding in findings(unknown)}


def test_a_reward_curve_has_the_mean_of_each_bucket() -> None:
    env_steps = np.array([10, 20, 25, 100])
    x, means = reward_curve(env_steps, np.array([1.0, 2.0, 4.0, 7.0]), points=4)
    assert x.tolist() == [25.0, 100.0]
    assert means == pytest.approx([7 / 3, 7.0])


def test_of_values_that_change_those_of_the_last_update_are_judged() -> None:
    agent = {
        "algorithm": "PPO", "n_steps": 100, "n_epochs": {"0": 4, "150": 2}, "batch_size": {"0": 50, "300": 100},
        "ppo": {"ent_coef": {"0": 0.5, "200": 0.0}, "clip_range": {"0": 0.3, "201": 0.1}, "target_kl": None},
    }  # fmt: skip
    found = settings_of({"agent": agent}, np.array([100, 200, 300]))
    assert (found.ent_coef, found.clip_range, found.target_kl) == (0.0, 0.3, None)
    assert found.gradient_steps == 2  # the fewest of an update, so that none seems cut short
    assert settings_of({"agent": agent}, np.array([], dtype=np.int64)).ent_coef == 0.5
