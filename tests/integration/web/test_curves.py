"""Curves against NumPy, and bands against a reckoning by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
from scipy import stats

from rlsweep.runs import EndReason, Episode, Evaluation, EvaluationKind, NewRun, Outcome, Update
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.curves import episodes_of
from rlsweep.store.database import Database
from rlsweep.sweep_records import NewSweep
from rlsweep.web.parameters import MAX_COMPARED

pytestmark = pytest.mark.integration

EPISODES = 3_000


@pytest.fixture
def record_run(database: Database, new_run: Callable[..., NewRun]) -> Callable[..., UUID]:
    """Puts one run on record, from rewards and lengths."""

    def record(rewards: Any, lengths: Any, *, end: EndReason | None = EndReason.COMPLETED, **given: Any) -> UUID:
        run = transitions.create_single(database, new_run(**given))
        transitions.begin_attempt(database, run.id, {})
        steps = np.cumsum(lengths)
        outcomes = [Outcome.WIN if reward > 0 else Outcome.LOSS for reward in rewards]
        episodes = [
            Episode(
                episode=index + 1,
                env_steps=int(steps[index]),
                reward=float(reward),
                length=int(lengths[index]),
                outcome=outcomes[index],
                seconds=index / 10,
            )
            for index, reward in enumerate(rewards)
        ]
        updates = [
            Update(
                update=number,
                env_steps=number * 100,
                policy_loss=-0.1 * number,
                value_loss=1.0,
                entropy=1.0,
                approx_kl=None if number % 2 else 0.01,
                clip_fraction=0.1,
                explained_variance=0.5,
                gradient_steps=40,
                learning_rate=3e-4,
                steps_per_second=500.0,
            )
            for number in range(1, 11)
        ]
        evaluation = Evaluation(
            env_steps=500, episodes=20, mean_reward=0.4, reward_sd=0.1, mean_length=9.0, win_rate=0.7, is_best=True
        )
        score = replace(evaluation, mean_reward=0.9, win_rate=0.9, is_best=False, kind=EvaluationKind.SCORE)
        progress = recording.Progress(episodes=len(episodes), updates=10, env_steps=int(steps[-1]))
        batch = recording.Batch(progress=progress, episodes=episodes, updates=updates, evaluations=[evaluation, score])
        recording.flush(database, run.id, 1, batch)
        if end is not None:
            transitions.finish(database, run.id, 1, end)
        return run.id

    return record


def curves(web: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = web.get("/api/curves", params=asked)
    assert answer.status_code == 200, answer.text
    return {f"{each['run_id']} {each['metric']}": each for each in answer.json()["curves"]}


@pytest.mark.parametrize("x", ["env_steps", "episode", "seconds"])
def test_min_mean_max_and_count_are_numpys(
    web: httpx.Client, database: Database, record_run: Callable[..., UUID], x: str
) -> None:
    rng = np.random.default_rng(1)
    runs = [record_run(rng.normal(size=EPISODES), rng.integers(1, 40, EPISODES)) for _ in range(5)]
    found = curves(web, run=list(map(str, runs)), metric=["reward", "win", "length"], x=x, buckets=50)
    assert len(found) == 15
    for run_id, episodes in episodes_of(database, runs).items():
        along = np.asarray(getattr(episodes, x), dtype=np.float64)
        bucket = np.maximum(1, np.ceil(along * 50 / along[-1]))
        for metric, values in (
            ("reward", episodes.reward),
            ("win", (episodes.outcome == 1).astype(float)),
            ("length", episodes.length),
        ):
            curve = found[f"{run_id} {metric}"]
            parts = [bucket == number for number in np.unique(bucket)]
            assert len(curve["x"]) == len(parts) <= 50
            assert curve["x"] == pytest.approx([along[part].max() for part in parts])
            assert curve["x"][-1] == pytest.approx(along[-1])
            assert curve["count"] == [int(part.sum()) for part in parts]
            assert curve["min"] == pytest.approx([values[part].min() for part in parts])
            assert curve["mean"] == pytest.approx([values[part].mean() for part in parts])
            assert curve["max"] == pytest.approx([values[part].max() for part in parts])


def test_a_single_spike_stays(web: httpx.Client, record_run: Callable[..., UUID]) -> None:
    rewards = np.zeros(EPISODES)
    rewards[1234], rewards[2345] = 777.0, -555.0
    run = record_run(rewards, np.full(EPISODES, 10))
    curve = curves(web, run=run, buckets=20)[f"{run} reward"]
    assert (max(curve["max"]), min(curve["min"]), sum(curve["count"])) == (777.0, -555.0, EPISODES)
    assert len(curve["x"]) == 20


def test_the_mean_of_equal_values_is_that_value(web: httpx.Client, record_run: Callable[..., UUID]) -> None:
    run = record_run(np.full(EPISODES, 0.1), np.full(EPISODES, 10))
    curve = curves(web, run=run, buckets=7)[f"{run} reward"]
    assert sum([0.1] * 430) / 430 != 0.1
    assert curve["mean"] == curve["min"] == curve["max"] == [0.1] * 7


def test_updates_and_evaluations(web: httpx.Client, record_run: Callable[..., UUID]) -> None:
    run = record_run([1, -1], [5, 5])
    found = curves(web, run=run, metric=["policy_loss", "approx_kl", "eval_mean_reward", "eval_win_rate", "reward"])
    assert found[f"{run} policy_loss"]["x"] == [100 * number for number in range(1, 11)]
    assert found[f"{run} policy_loss"]["mean"] == pytest.approx([-0.1 * number for number in range(1, 11)])
    assert found[f"{run} approx_kl"]["mean"] == [None, 0.01] * 5
    assert found[f"{run} approx_kl"]["count"] == [0, 1] * 5
    assert found[f"{run} eval_mean_reward"]["mean"] == [0.4]
    assert found[f"{run} eval_win_rate"]["mean"] == [0.7]
    assert curves(web, run=run, metric="entropy", x="update")[f"{run} entropy"]["x"] == list(range(1, 11))


def test_a_run_that_has_not_begun_has_an_empty_curve(
    web: httpx.Client, database: Database, new_run: Callable[..., NewRun]
) -> None:
    run = transitions.create_single(database, new_run()).id
    assert curves(web, run=run)[f"{run} reward"]["x"] == []
    (config,) = web.get("/api/bands", params={"run": str(run)}).json()["configs"]
    assert (config["seeds"], config["x"], config["mean"], config["interval"]) == (0, [], [], None)


def test_curves_are_asked_for_again_at_no_cost(
    web: httpx.Client, database: Database, record_run: Callable[..., UUID]
) -> None:
    run = record_run([1, -1, 1], [5, 5, 5], end=None)
    for path in (f"/api/curves?run={run}", f"/api/bands?run={run}"):
        etag = web.get(path).headers["etag"]
        assert web.get(path, headers={"If-None-Match": etag}).status_code == 304
        assert web.get(f"{path}&x=episode", headers={"If-None-Match": etag}).status_code == 200
    etag = web.get(f"/api/curves?run={run}").headers["etag"]
    recording.flush(
        database, run, 1, recording.Batch(progress=recording.Progress(episodes=3, updates=10, env_steps=15))
    )
    assert web.get(f"/api/curves?run={run}", headers={"If-None-Match": etag}).status_code == 200


def test_a_run_is_named_by_the_start_of_its_id(web: httpx.Client, record_run: Callable[..., UUID]) -> None:
    run = record_run([1, -1, 1], [5, 5, 5])
    short = str(run)[:8]
    for path in ("curves", "bands", "compare"):
        answers = [web.get(f"/api/{path}", params={"run": each}) for each in (run, short, [short, str(run)])]
        assert [answer.status_code for answer in answers] == [200, 200, 200], answers[1].text
        assert answers[0].json() == answers[1].json() == answers[2].json()
    lines = web.get("/api/training-runs/sparklines", params={"id": short}).json()["sparklines"]
    assert list(lines) == [str(run)]
    missing = web.get("/api/curves?run=0123abcd")
    assert missing.status_code == 404
    assert "'0123abcd'" in missing.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/api/curves", 422, "run"),
        ("/api/curves?run=1", 422, "run"),
        ("/api/curves?run={run}&sweep=night", 422, "either run"),
        ("/api/bands?sweep=nowhere", 404, "'nowhere'"),
        ("/api/curves?run=00000000-0000-0000-0000-000000000000", 404, "not found"),
        ("/api/bands?run=00000000-0000-0000-0000-000000000000", 404, "not found"),
        ("/api/curves?run={run}&metric=rewards", 422, "did you mean reward"),
        ("/api/curves?run={run}&metric=entropy&x=seconds", 422, "env_steps or update"),
        ("/api/curves?run={run}&x=sideways", 422, "x"),
        ("/api/curves?run={run}&buckets=0", 422, "buckets"),
        ("/api/bands?run={run}&metric=entropy", 422, "length"),
        ("/api/bands?run={run}&x=update", 422, "seconds"),
        ("/api/bands?run={run}&smoothing=2", 422, "smoothing"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    web: httpx.Client, record_run: Callable[..., UUID], path: str, status: int, says: str
) -> None:
    answer = web.get(path.format(run=record_run([1], [5])))
    assert answer.status_code == status
    assert says in answer.json()["error"]["message"]


def bands(web: httpx.Client, runs: list[UUID], **asked: Any) -> dict[str, Any]:
    answer = web.get("/api/bands", params={"run": list(map(str, runs)), **asked})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_band_of_three_seeds_is_students(web: httpx.Client, record_run: Callable[..., UUID]) -> None:
    rng = np.random.default_rng(2)
    rewards = rng.normal(size=(3, 1000))
    runs = [record_run(rewards[seed], np.full(1000, 10), seed=seed) for seed in range(3)]
    answer = bands(web, runs, smoothing=0.2, points=10)
    assert answer["smoothing_text"] == "each point is the mean of the last 2,000 env steps"
    (config,) = answer["configs"]
    assert config["x"] == [1000 * number for number in range(1, 11)]
    # Each point: the mean of the 200 episodes that end there, at the first one of the 100 that there are.
    seeds = np.array([[row[max(0, end - 200) : end].mean() for end in range(100, 1001, 100)] for row in rewards])
    mean, sd = seeds.mean(axis=0), seeds.std(axis=0, ddof=1)
    half = stats.t.ppf(0.975, 2) * sd / np.sqrt(3)
    assert config["mean"] == pytest.approx(mean)
    assert config["low"] == pytest.approx(mean - half)
    assert config["high"] == pytest.approx(mean + half)
    assert (config["seeds"], config["interval"]) == (3, "Student t, 95%, 3 seeds")
    for run, row in zip(config["runs"], seeds, strict=True):
        assert run["mean"] == pytest.approx(row)


def test_bands_end_at_what_is_possible(web: httpx.Client, record_run: Callable[..., UUID]) -> None:
    rewards = np.array([[1.0, 1.0, 1.0, -1.0], [1.0, -1.0, -1.0, -1.0]]).repeat(25, axis=1)
    runs = [record_run(row, np.full(100, 10), seed=seed) for seed, row in enumerate(rewards)]
    answer = bands(web, runs, smoothing=0, points=4)
    assert (answer["least"], answer["greatest"], answer["wins_or_loses"]) == (-1, 1, True)
    assert answer["configs"][0]["low"] == [1, -1, -1, -1]
    assert answer["configs"][0]["high"] == [1, 1, 1, -1]
    lengths = bands(web, runs, smoothing=0, points=4, metric="length")
    assert (lengths["least"], lengths["greatest"]) == (0, None)
    other = record_run(np.linspace(0, 3, 100), np.full(100, 10), seed=2)
    answer = bands(web, [*runs, other], smoothing=0, points=4)
    assert (answer["least"], answer["greatest"], answer["wins_or_loses"]) == (None, None, False)
    assert min(answer["configs"][0]["low"]) < -1


def test_from_ten_seeds_on_it_is_a_bootstrap(web: httpx.Client, record_run: Callable[..., UUID]) -> None:
    rewards = np.arange(10.0)
    runs = [record_run(np.full(50, value), np.full(50, 2), seed=int(value)) for value in rewards]
    (config,) = bands(web, runs, points=5)["configs"]
    assert config["interval"] == "bootstrap, 95%, 10 seeds"
    draws = np.random.default_rng(7).integers(0, 10, (20_000, 10))
    low, high = np.percentile(rewards[draws].mean(axis=1), [2.5, 97.5])
    assert config["low"] == pytest.approx([low] * 5, abs=0.1)
    assert config["high"] == pytest.approx([high] * 5, abs=0.1)


def test_one_seed_has_no_band_and_a_failed_run_is_not_in_it(web: httpx.Client, record_run: Callable[..., UUID]) -> None:
    whole = record_run(np.ones(100), np.full(100, 10), seed=0)
    failed = record_run(-np.ones(50), np.full(50, 10), seed=1, end=EndReason.FAILED)
    (config,) = bands(web, [whole, failed], points=10, smoothing=0)["configs"]
    assert (config["seeds"], config["low"], config["high"], config["interval"]) == (1, None, None, None)
    assert config["mean"] == [1.0] * 10
    assert [(run["status"], run["mean"]) for run in config["runs"]] == [
        ("completed", [1.0] * 10),
        ("failed", [-1.0] * 5 + [None] * 5),
    ]


def test_a_mean_ends_where_a_seed_ends(web: httpx.Client, record_run: Callable[..., UUID]) -> None:
    runs = [record_run(np.ones(count), np.full(count, 10), seed=count, end=None) for count in (100, 60)]
    (config,) = bands(web, runs, points=10, x="episode")["configs"]
    assert config["x"] == [10 * number for number in range(1, 11)]
    assert config["mean"] == [1.0] * 6 + [None] * 4


def test_a_sweep_of_any_size_is_drawn(
    web: httpx.Client, database: Database, new_sweep: Callable[..., NewSweep], new_run: Callable[..., NewRun]
) -> None:
    planned = [new_run(seed=seed) for seed in range(MAX_COMPARED + 50)]
    sweep = sweeps.create(database, new_sweep(name="wide"), planned)
    assert len(web.get("/api/curves", params={"sweep": "wide"}).json()["curves"]) == len(planned)
    (config,) = web.get("/api/bands", params={"sweep": str(sweep.id)}).json()["configs"]
    assert config["seeds"] == 0
    ids = [str(run_id) for run_id in training_runs.ids_of_sweep(database, sweep.id)]
    assert web.get("/api/bands", params={"run": ids[:MAX_COMPARED]}).status_code == 200
    refused = web.get("/api/bands", params={"run": ids})
    assert refused.status_code == 422
    assert f"at most {MAX_COMPARED}" in refused.json()["error"]["message"]


def test_runs_are_put_together_by_config(web: httpx.Client, record_sweep: Any, course: Any, database: Database) -> None:
    sweep = record_sweep({None: course(), "lr_high": course(learning_rate=1e-3)}, seeds=2)
    ids = training_runs.ids_of_sweep(database, sweep.id)
    answer = bands(web, ids, metric="win")
    assert [(each["name"], each["is_base"], each["seeds"]) for each in answer["configs"]] == [
        ("ppo_agent_v1", True, 2),
        ("ppo_agent_lr_high", False, 2),
    ]
    assert all(0 <= value <= 1 for each in answer["configs"] for value in each["mean"] if value is not None)
    whole = {"sweep": sweep.name, "metric": "win"}
    assert web.get("/api/bands", params=whole).json() == answer
    assert len(web.get("/api/curves", params={"sweep": str(sweep.id)}).json()["curves"]) == 4
    assert "not smoothed" in bands(web, ids, smoothing=0)["smoothing_text"]
