"""Differences to the base config over env steps: by equal seeds, at equal env steps."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest

from rlsweep.analysis.intervals import estimate

pytestmark = pytest.mark.integration

POINTS = 20


@pytest.fixture(scope="module")
def site(embedded_database: Any, copy_of: Any, serving: Any, record_into: Any, course: Any) -> Iterator[Any]:
    """`night`, with a base config and a config that failed; `pair`, without a base config."""
    with copy_of(embedded_database) as database:
        high = course(win_rate=0.95, learning_rate=1e-3)
        broken = course(learning_rate=1e-2, error="ValueError: no")
        record_into(
            database, {None: course(win_rate=0.7), "high": high, "low": course(win_rate=0.55), "broken": broken}
        )
        record_into(database, {"high": high, "low": course(win_rate=0.55)}, name="pair")
        with serving(database) as client:
            yield SimpleNamespace(database=database, client=client)


def differences(site: Any, sweep: str = "night", **given: Any) -> Any:
    return site.client.get(f"/api/sweeps/{sweep}/differences", params={"points": POINTS} | given)


def test_each_config_less_the_base_config(site: Any) -> None:
    answer = differences(site).json()
    assert (answer["to"], answer["is_base"], answer["metric"]) == ("ppo_agent_v1", True, "reward")
    found = {curve["name"]: curve for curve in answer["configs"]}
    assert set(found) == {"ppo_agent_high", "ppo_agent_low"}, "the third failed"
    high = found["ppo_agent_high"]
    assert (high["seeds"], high["interval"]) == (3, "Student t, 95%, 3 seeds")
    assert {len(answer["x"]), len(high["mean"]), len(high["low"])} == {POINTS}
    assert np.mean(high["mean"][-5:-2]) > 0.2 > np.mean(found["ppo_agent_low"]["mean"][-5:-2])


def test_a_difference_is_the_mean_over_seeds_of_curves_on_one_grid(site: Any) -> None:
    answer = differences(site, config="ppo_agent_high", to="ppo_agent_low", smoothing=0).json()
    (curve,) = answer["configs"]
    ids = site.client.get("/api/sweeps/night").json()["run_ids"]
    by_config = {
        config["name"]: {run["seed"]: run["run_id"] for run in config["runs"]}
        for config in site.client.get("/api/bands", params={"run": ids}).json()["configs"]
    }
    width = answer["x"][0]
    place = 9  # a point that every run has passed
    means = []
    with site.database.readonly() as connection:
        for seed in range(3):
            both = [
                connection.execute(
                    "select avg(reward) as mean from episodes where run_id = %s and env_steps > %s and env_steps <= %s",
                    (by_config[name][seed], place * width, (place + 1) * width),
                ).fetchone()["mean"]
                for name in ("ppo_agent_high", "ppo_agent_low")
            ]
            means.append(both[0] - both[1])
    expected = estimate(means)
    assert expected is not None
    assert expected.interval is not None
    assert curve["mean"][place] == pytest.approx(expected.mean)
    assert curve["low"][place] == pytest.approx(expected.interval.low)
    assert curve["high"][place] == pytest.approx(expected.interval.high)


@pytest.mark.parametrize(
    ("sweep", "given", "status", "said"),
    [
        ("pair", {}, 422, "there is no base config"),
        ("pair", {"to": "ppo_agent_hihg"}, 422, "did you mean ppo_agent_high?"),
        ("night", {"metric": "losses"}, 422, "possible here are reward, win, length"),
        ("nowhere", {}, 404, "nowhere"),
    ],
)
def test_what_cannot_be_compared_is_said(site: Any, sweep: str, given: dict[str, str], status: int, said: str) -> None:
    answer: httpx.Response = differences(site, sweep, **given)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]


def test_without_a_base_config_another_one_is_named(site: Any) -> None:
    answer = differences(site, "pair", to="ppo_agent_low", metric="win").json()
    assert (answer["to"], answer["is_base"]) == ("ppo_agent_low", False)
    assert [curve["name"] for curve in answer["configs"]] == ["ppo_agent_high"]


def test_an_answer_that_has_not_changed_is_not_made_again(site: Any) -> None:
    first = differences(site)
    again = site.client.get(str(first.url), headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
