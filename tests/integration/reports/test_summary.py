"""The summary of sweeps that lie in a real database."""

import io
import json

import pytest
from psycopg.types.json import Jsonb
from rich.console import Console

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import Source
from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.reports import records
from rlsweep.reports.pick import pick_of
from rlsweep.reports.rendering import render
from rlsweep.reports.summary import as_json, summarise
from rlsweep.runs import EndReason, Evaluation, RunStatus
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.sweep_records import SweepStatus

pytestmark = pytest.mark.integration

CRASH = 'Traceback (most recent call last):\n  File "env.py", line 3\nValueError: no legal action left\n'


@pytest.fixture(scope="module")
def night(embedded_database, copy_of, record_into, course):
    """The report of a base config, a better one, one that stays where it was, and one that crashes."""
    courses = {
        None: course(win_rate=0.8),
        "lr_high": course(win_rate=0.97, learning_rate=1e-3),
        "lr_low": course(win_rate=0.5, learning_rate=1e-4),
        "lr_wild": course(learning_rate=0.1, error=CRASH),
    }
    with copy_of(embedded_database) as database:
        sweep = record_into(database, courses)
        report = summarise(database, sweep)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(records, "EPISODES_AT_ONCE", 1_300)  # a config at a time
            assert summarise(database, sweep) == report
        return report


def _printed(report, width):
    out = io.StringIO()
    render(report, Console(file=out, width=width))
    return out.getvalue()


def test_configs_are_listed_best_first_with_their_verdicts(night):
    assert [config.name for config in night.configs] == [
        "ppo_agent_lr_high",
        "ppo_agent_v1",
        "ppo_agent_lr_low",
        "ppo_agent_lr_wild",
    ]
    kinds = [config.verdict.kind for config in night.configs]
    assert kinds[0] is VerdictKind.PROMISING
    assert kinds[1] is VerdictKind.UNDECIDED  # worse by a little less than a quarter of the way
    assert kinds[3] is VerdictKind.FAILED
    assert [config.rank for config in night.configs] == [1, 2, 3, None]
    assert [config.is_base for config in night.configs] == [False, True, False, False]
    assert night.winner == "ppo_agent_lr_high"
    assert [config.is_dead for config in night.configs] == [False, False, True, False]
    assert not any(sign.good for sign in night.configs[2].signs)


def test_figures_of_a_config(night):
    best = night.configs[0]
    assert best.differences == {"learning_rate": 1e-3}
    assert best.path == "config/agents/ppo_agent_sweep_lr_high.yaml"
    assert (best.episodes, best.updates, len(best.seeds)) == (3 * 400, 12, 3)
    assert best.env_steps == sum(seed.env_steps for seed in best.seeds)
    assert best.score == best.last.mean == pytest.approx(2 * best.score_win_rate.mean - 1)
    assert best.score == pytest.approx(sum(seed.last_reward for seed in best.seeds) / 3)
    assert [seed.score for seed in best.seeds] == [seed.last_reward for seed in best.seeds]
    assert best.minimum == min(seed.last_reward for seed in best.seeds)
    assert best.gain.mean == pytest.approx(best.last.mean - best.first.mean)
    assert best.score_win_rate.mean > best.win_rate.mean > 0.6
    assert 0 < best.steps_to_90 < best.seeds[0].env_steps


def test_totals_and_failures(night):
    assert night.status is SweepStatus.FAILED
    assert night.runs == {RunStatus.COMPLETED: 9, RunStatus.FAILED: 3}
    assert (night.episodes, night.updates) == (9 * 400, 9 * 12)
    assert night.seconds == (night.finished_at - night.created_at).total_seconds()
    assert [failed.error for failed in night.failures] == ["ValueError: no legal action left"] * 3


def test_the_updates_of_failed_runs_are_one_number(database, record_sweep, course):
    sweep = record_sweep({None: course(updates=12), "lr_high": course(updates=5, learning_rate=1e-3)}, seeds=2)
    with database.connect() as connection:
        connection.execute(
            "update training_runs set status = 'failed', end_reason = 'failed', error = 'ValueError: late' "
            "where config_short_name like %s or (seed = 1 and config_short_name = 'ppo_agent_v1')",
            ["%lr_high"],
        )
        connection.execute(
            'delete from updates using training_runs as run where run.id = run_id and "update" > 5 and run.seed = 1'
        )
    report = summarise(database, sweep)
    assert [(config.name, config.updates) for config in report.configs] == [
        ("ppo_agent_v1", 12),  # of the seed that enters the means
        ("ppo_agent_lr_high", 5),
    ]
    printed = " ".join(_printed(report, 120).split())
    assert "1,600 episodes, 27 policy updates" in printed
    assert "2 seeds, 800 episodes, 5 to 12 policy updates per seed" in printed
    assert "2 seeds, 800 episodes, 5 policy updates per seed" in printed


def test_next_steps_name_the_long_run_of_the_winner(night):
    assert [step.command for step in night.card.to_be_sure] == ["rlsweep confirm night", "rlsweep promote night"]
    assert night.card.is_claimed
    assert [step.command for step in night.next_steps] == [
        "rlsweep serve",
        "rlsweep tensorboard night",
        "rlsweep export night --format csv",
        "rlsweep retry night",
        "rlsweep train --agent-config config/agents/ppo_agent_sweep_lr_high.yaml --mode full --total-timesteps 1000000",
    ]


def test_one_seed_names_no_winner_and_takes_what_promote_takes(database, record_sweep, course):
    sweep = record_sweep({None: course(win_rate=0.6), "lr_high": course(win_rate=0.97, learning_rate=1e-3)}, seeds=1)
    report = summarise(database, sweep)
    assert report.winner is None
    assert [config.rank for config in report.configs] == [1, 1]
    assert all(config.verdict.kind is not VerdictKind.PROMISING for config in report.configs)
    assert any("--seeds 3" in finding for finding in report.findings)
    pick = pick_of(report, None, ())
    assert pick is not None
    assert pick.config.name == "ppo_agent_lr_high"
    assert [step.command.split()[1] for step in report.card.to_be_sure] == ["confirm", "promote"]
    assert [step.command for step in report.next_steps[3:]] == [
        "rlsweep train --agent-config config/agents/ppo_agent_sweep_lr_high.yaml --mode full --total-timesteps 1000000",
    ]
    assert report.next_steps[-1].text == "Train ppo_agent_lr_high (first by score, tied with 1 other) for long"


def test_a_budget_of_one_update_says_how_many_episodes_would_do(database, record_sweep, course):
    sweep = record_sweep({None: course(updates=1), "lr_high": course(updates=1, learning_rate=1e-3)})
    report = summarise(database, sweep)
    (finding,) = report.findings
    assert "fewer than about 10 policy updates for every config" in finding
    assert "About 2,000 episodes per trial give 10." in finding
    assert [step.command for step in report.next_steps[3:]] == [
        "rlsweep submit config/agents/ppo_agent_v1.yaml config/agents/ppo_agent_sweep_lr_high.yaml --mode smoke "
        "--seeds 3 --episodes 2000"
    ]
    with database.connect() as connection:
        connection.execute(
            "update training_runs set metadata = metadata || %s",
            [Jsonb({"command": "/bin/rlsweep submit 'config/agents/*.yaml' --name night --episodes 400 --seeds 3"})],
        )
    assert summarise(database, sweep).next_steps[3].command == (
        "rlsweep submit 'config/agents/*.yaml' --seeds 3 --episodes 2000"
    )


STATES = (
    ("running", "running", 12, ["rlsweep status night --follow"], "2 of 4 runs have not ended yet: what follows"),
    ("running", "running", 1, ["rlsweep status night --follow"], "2 of 4 runs have not ended yet: what follows"),
    ("pending", "pending", 12, ["rlsweep resume night"], "2 of 4 runs have not ended yet: what follows may change."),
    ("stopped", "stopped", 12, ["rlsweep resume night"], "2 of 4 runs were stopped before the budget was spent and "),
    ("stopped", "failed", 12, ["rlsweep resume night", "rlsweep retry night"], "1 of 4 runs was stopped before"),
)


def test_advice_is_that_of_a_sweep_in_its_state(database, record_sweep, course):
    """No state but that of a completed sweep is told to repeat, and none is told that its budget was too short."""
    sweep = record_sweep({None: course(), "lr_high": course(learning_rate=1e-3)}, seeds=2)
    base, *_ = training_runs.of_sweep(database, sweep.id)
    for first, second, updates, commands, said in STATES:
        with database.connect() as connection:
            connection.execute("update sweeps set status = %s, finished_at = null", [first])
            for seed, status in ((0, first), (1, second)):
                connection.execute(
                    "update training_runs set status = %(status)s, error = case %(status)s when 'failed' then 'E' end, "
                    "end_reason = case when %(status)s in ('failed', 'stopped') then %(status)s end, "
                    "ended_at = case when %(status)s in ('failed', 'stopped') then now() end "
                    "where config_short_name = %(name)s and seed = %(seed)s",
                    {"status": status, "seed": seed, "name": base.config_short_name},
                )
            connection.execute('delete from updates where "update" > %s and run_id = %s', [updates, base.id])
        report = summarise(database, sweeps.get(database, sweep.id))
        found = [step.command for step in report.next_steps[3:] if "rlsweep train" not in step.command]
        assert (found, report.findings[0][: len(said)]) == (commands, said)
        assert not any("too short" in finding or "--seeds" in finding for finding in report.findings)
        printed = _printed(report, 80)
        assert printed.index("\nNext\n") < printed.index(commands[0])


def test_a_trial_that_never_began_is_not_started(database, record_sweep, course):
    sweep = record_sweep({None: course(), "lr_high": course(learning_rate=1e-3)}, seeds=1)
    with database.connect() as connection:
        connection.execute(
            "update training_runs set status = 'stopped', end_reason = 'stopped', attempt = 0, episodes = 0, "
            "started_at = null where config_short_name like '%%lr_high'"
        )
        connection.execute("delete from episodes using training_runs as run where run_id = run.id and run.attempt = 0")
        connection.execute("update sweeps set status = 'stopped'")
    report = summarise(database, sweeps.get(database, sweep.id))
    assert [config.verdict.kind for config in report.configs] == [VerdictKind.UNDECIDED, VerdictKind.NOT_STARTED]
    assert report.findings[0] == "1 of 2 runs did not start before the sweep was stopped."
    printed = _printed(report, 80)
    assert "ppo_agent_lr_high: not started" in printed
    assert "failed" not in printed


def test_nine_updates_are_about_ten(database, record_sweep, course):
    report = summarise(database, record_sweep({None: course(updates=9), "lr_high": course(updates=9)}))
    assert not any("too short" in finding for finding in report.findings)
    assert all("about 10 are needed" not in reason for config in report.configs for reason in config.verdict.reasons)


def test_the_long_run_is_told_the_base_config_and_the_overrides(database, record_sweep, course):
    sweep = record_sweep(
        {None: course()}, base_config_path="/my configs/base.yaml", overrides=("network.net_arch=[8]",)
    )
    assert summarise(database, sweep).next_steps[-1].command == (
        "rlsweep train --agent-config config/agents/ppo_agent_v1.yaml --base-config '/my configs/base.yaml' "
        "--set 'network.net_arch=[8]' --mode full --total-timesteps 1000000"
    )


def test_ties_name_no_winner(database, record_sweep, course):
    courses = {None: course(win_rate=0.8), "lr_high": course(win_rate=0.81, learning_rate=1e-3)}
    report = summarise(database, record_sweep(courses))
    assert report.winner is None
    assert report.configs[0].tied_with == (report.configs[1].name,)
    assert any(finding.startswith("No single winner") for finding in report.findings)
    assert any("The configs perform alike" in finding for finding in report.findings)


def test_evaluations_rank_where_every_run_has_one(database, record_sweep, course):
    sweep = record_sweep({None: course(), "lr_high": course(learning_rate=1e-3)}, seeds=1)
    first, second = training_runs.of_sweep(database, sweep.id)
    _add_evaluation(database, second, mean_reward=1.0)
    assert summarise(database, sweep).scored_by.source is Source.TRAINING
    _add_evaluation(database, first, mean_reward=0.0)
    report = summarise(database, sweep)
    scored_by = as_json(report)["scored_by"]
    assert -0.3 < scored_by.pop("starting_level") < 0.3
    assert scored_by == {
        "objective": "evaluation_reward",
        "direction": "up",
        "source": "evaluations",
        "definition": "evaluation reward, mean of the last fifth",
    }
    assert [config.score for config in report.configs] == [1.0, 0.0]
    assert [config.seeds[0].score for config in report.configs] == [1.0, 0.0]
    printed = _printed(report, 80)
    assert "Score: evaluation reward, mean of the last fifth; a config's is the mean" in printed
    assert "score: 1.00 (one seed: no interval)" in printed
    by_length = summarise(database, sweep, Objective.EPISODE_LENGTH)
    assert [config.score for config in by_length.configs] == [10.0, 10.0]
    assert by_length.scored_by.definition == "episode length of evaluations, mean of the last fifth"


def _add_evaluation(database, run, *, mean_reward):
    evaluation = Evaluation(
        env_steps=run.env_steps,
        episodes=20,
        mean_reward=mean_reward,
        reward_sd=0.1,
        mean_length=10.0,
        win_rate=None,
        is_best=True,
    )
    with database.connect() as connection:
        connection.execute(
            "update training_runs set status = 'running', end_reason = null, ended_at = null where id = %s", [run.id]
        )
    progress = recording.Progress(episodes=run.episodes, updates=run.updates, env_steps=run.env_steps)
    recording.flush(database, run.id, run.attempt, recording.Batch(progress=progress, evaluations=[evaluation]))
    transitions.finish(database, run.id, run.attempt, EndReason.COMPLETED)


def test_a_sweep_that_has_not_begun_can_be_reported(database, record_sweep, new_run, new_sweep, course):
    recorded = record_sweep({None: course(error=CRASH)})
    failed = training_runs.of_sweep(database, recorded.id)[0]
    planned = new_run(config=failed.config, config_short_name=failed.config_short_name)
    sweep = sweeps.create(database, new_sweep(base_config=recorded.base_config), [planned])
    report = summarise(database, sweep)
    assert [config.verdict.kind for config in report.configs] == [VerdictKind.UNDECIDED]
    assert report.configs[0].verdict.provisional
    assert report.findings == ("No run has begun yet.",)
    assert "no finished episode yet" in _printed(report, 80)


def test_json_holds_the_whole_report(night):
    read = json.loads(json.dumps(as_json(night), allow_nan=False))
    assert read["id"] == str(night.id)
    assert read["status"] == "failed"
    assert read["runs"] == {"completed": 9, "failed": 3}
    assert read["configs"][0]["verdict"]["kind"] == "promising"
    assert read["configs"][0]["last"]["interval"]["method"] == "Student t"
    assert read["finished_at"] == night.finished_at.isoformat()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_and_nothing_but_commands_is_longer(night, width):
    printed = _printed(night, width)
    assert "\x1b" not in printed
    long = [line for line in printed.splitlines() if len(line) > width]
    assert all(line.startswith("    rlsweep ") for line in long)
    assert "…" not in printed
    for words in (
        "ppo_agent_lr_high: promising",
        "95% interval over 3 seeds,",
        "+ Good: steady upward trend in rewards",
        "3 runs failed",
        "ValueError: no legal action left",
    ):
        assert words in printed
    assert ("Differs in" in printed) == (width == 120)


def test_a_very_narrow_console_gets_no_table(night):
    printed = _printed(night, 50)
    assert "Rank " not in printed
    assert "ppo_agent_lr_high: promising" in printed
