from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from rlsweep.config.run import ScoreEvaluation
from rlsweep.config.training import EnvironmentSpec
from rlsweep.errors import DivergedError
from rlsweep.metrics import METRICS
from rlsweep.runs import EvaluationKind

SCRIPTED = EnvironmentSpec(id="Scripted-v0", kwargs={"length": 8})


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    return accumulator


def test_every_metric_of_the_catalogue_has_its_curve(make_config, run, tmp_path: Path):
    config = make_config(environment=SCRIPTED, episodes=30, evaluation={"every_rollouts": 3, "episodes": 2})
    _, recorder = run(config.model_copy(update={"score_evaluation": ScoreEvaluation(at=(1.0,), episodes=2)}))
    log = events(tmp_path / "run" / "tensorboard")
    assert {metric.tag for metric in METRICS} <= set(log.Tags()["scalars"])
    rewards = log.Scalars("episode/reward")
    assert [point.step for point in rewards] == [episode.env_steps for episode in recorder.episodes]
    assert [point.value for point in rewards] == [8.0] * 30
    lasted = [point.wall_time - rewards[0].wall_time for point in rewards]
    assert lasted == pytest.approx([e.seconds - recorder.episodes[0].seconds for e in recorder.episodes], abs=0.05)
    for tag, of in (("train/value_loss", "value_loss"), ("train/entropy", "entropy"), ("time/fps", "steps_per_second")):
        points = log.Scalars(tag)
        assert [point.step for point in points] == [update.env_steps for update in recorder.updates]
        assert [point.value for point in points] == pytest.approx([getattr(u, of) for u in recorder.updates], rel=1e-5)
    for tag, kind in (("eval/win_rate", EvaluationKind.PERIODIC), ("score/win_rate", EvaluationKind.SCORE)):
        evaluated = [evaluation.env_steps for evaluation in recorder.evaluations if evaluation.kind is kind]
        assert [point.step for point in log.Scalars(tag)] == evaluated != []


def test_hyperparameters_can_be_compared(make_config, run, tmp_path: Path):
    run(
        make_config(
            episodes=3,
            agent={"learning_rate": "linear_0.01", "gamma": {"0": 0.9, "40960": 0.8}, "ppo": {"clip_range": 0.3}},
        )
    )
    content = events(tmp_path / "run" / "tensorboard").summary_metadata
    start = metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG].plugin_data.content)
    assert start.hparams["learning_rate"].string_value == "linear_0.01"
    assert start.hparams["ppo.clip_range"].number_value == 0.3
    assert start.hparams["gamma"].number_value == 0.8, "the last value keeps the axis of numbers"
    assert start.hparams["gamma by env steps"].string_value == "0.9 → 0.8 (40,960)"
    assert start.hparams["network.net_arch"].string_value == "[8]"
    assert start.hparams["seed"].number_value == 3
    experiment = metadata.parse_experiment_plugin_data(content[metadata.EXPERIMENT_TAG].plugin_data.content)
    assert "rollout/ep_rew_mean" in {info.name.tag for info in experiment.metric_infos}
    assert metadata.SESSION_END_INFO_TAG in content


def test_a_resumed_run_hides_what_an_earlier_attempt_wrote_beyond_the_checkpoint(make_config, run, tmp_path: Path):
    first, _ = run(make_config(environment=SCRIPTED, episodes=4))
    for episodes in (20, 8):
        run(make_config(environment=SCRIPTED, episodes=episodes), resume_from=Path(first.checkpoint.uri))
    steps = [point.step for point in events(tmp_path / "run" / "tensorboard").Scalars("episode/length")]
    assert max(steps) == 64


def test_an_attempt_from_the_start_hides_the_one_before(make_config, run, tmp_path: Path):
    for episodes in (20, 8):
        run(make_config(environment=SCRIPTED, episodes=episodes))
    log = events(tmp_path / "run" / "tensorboard")
    assert [point.step for point in log.Scalars("episode/length")] == [8 * n for n in range(1, 9)]
    assert metadata.SESSION_START_INFO_TAG in log.summary_metadata


def test_a_resumed_run_keeps_the_point_at_which_it_goes_on(make_config, run, tmp_path: Path):
    first, _ = run(make_config(environment=SCRIPTED, episodes=4))
    run(make_config(environment=SCRIPTED, episodes=8), resume_from=Path(first.checkpoint.uri))
    steps = [point.step for point in events(tmp_path / "run" / "tensorboard").Scalars("episode/length")]
    assert steps == [8 * n for n in range(1, 9)]


def test_a_run_that_failed_is_not_shown_as_ended_well(make_config, run, tmp_path: Path):
    poisoned = EnvironmentSpec(id="Scripted-v0", kwargs={"length": 8, "poison": float("inf"), "poison_at": 40})
    with pytest.raises(DivergedError):
        run(make_config(environment=poisoned, episodes=9))
    content = events(tmp_path / "run" / "tensorboard").summary_metadata
    assert metadata.SESSION_START_INFO_TAG in content
    assert metadata.SESSION_END_INFO_TAG not in content
