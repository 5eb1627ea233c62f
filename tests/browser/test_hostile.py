"""Hostile names change nothing: they are shown as text, execute nowhere, and do not break the layout."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from rlsweep.runs import EndReason, Episode, NewRun
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import NewSweep

pytestmark = [pytest.mark.integration, pytest.mark.browser]

SCRIPT = "<script>window.hacked = true</script><img src=x onerror='window.hacked = true'>"
QUOTES = "\"quoted\" 'twice' & &lt;b&gt; `${1}` {{ 7 * 7 }} %_\\"
LONG = "long" * 2_500
TURNED = "evil\u202egnp.exe\u2066\u202d"
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest(".scroll-x"))
    .slice(0, 8).map((each) => `${each.tagName}.${each.className.baseVal ?? each.className}`)"""
HOSTILE = {"script": SCRIPT, "quotes": QUOTES, "long": LONG, "turned": TURNED}


def hostile_config(text: str) -> dict[str, Any]:
    agent = {
        **dict.fromkeys(("agent_id", "name", "algorithm", "sweep_variant", "description", text[:200]), text),
        **dict.fromkeys(("version", "n_steps", "batch_size", "n_epochs"), 64),
        "learning_rate": 3e-4,
        "network": {"policy": text, "net_arch": [64, 64], "activation_fn": text},
        "ppo": {"clip_range": 0.2, "ent_coef": text},
    }
    training = {"name": text, "environment": {"id": text, "kwargs": {text[:200]: text}}, "n_envs": 1}
    budget = {"episodes": 40, "total_timesteps": None}
    return {"agent": agent, "training": training, "mode": "smoke", "budget": budget, "seed": 0}


def record(database: Database, new_run: Callable[..., NewRun], new_sweep: Callable[..., NewSweep]) -> None:
    """A sweep whose every text is hostile; each kind of text is one config, and each second run failed of it."""
    planned = [
        replace(
            new_run(seed=seed, config=hostile_config(text), config_path=f"/tmp/{text}", config_hash=kind),
            agent_id=text, algorithm=text, sweep_variant=text, config_name=text, config_short_name=text,
        )
        for kind, text in HOSTILE.items()
        for seed in range(2)
    ]  # fmt: skip
    base = {"name": SCRIPT, "environment": {"id": SCRIPT}}
    sweep = sweeps.create(
        database,
        replace(new_sweep(), name=SCRIPT, base_config=base, overrides=(SCRIPT, LONG), patterns=(SCRIPT,), mode="smoke"),
        planned,
    )
    for run in training_runs.of_sweep(database, sweep.id):
        begun = transitions.begin_attempt(
            database, run.id, {"host": SCRIPT, "command": LONG, "git_commit": QUOTES, "versions": {SCRIPT: TURNED}}
        )
        assert begun is not None
        episodes = [
            Episode(episode=n, env_steps=10 * n, reward=n / 40, length=10, outcome=None, seconds=n / 10)
            for n in range(1, 41)
        ]
        progress = recording.Progress(episodes=40, updates=0, env_steps=400, mean_reward=0.5, mean_length=10)
        recording.flush(database, run.id, begun.attempt, recording.Batch(progress=progress, episodes=episodes))
        reason, error = EndReason.COMPLETED, None
        if run.seed == 1:
            reason, error = EndReason.FAILED, f"Traceback (most recent call last):\n{run.agent_id}\n{run.agent_id}"
        transitions.finish(database, run.id, begun.attempt, reason, error)
    sweeps.settle(database, sweep.id)


def test_hostile_names_are_only_text(
    database: Database,
    new_run: Callable[..., NewRun],
    new_sweep: Callable[..., NewSweep],
    serving: Callable[..., AbstractContextManager],
    visit: Callable[..., Page],
) -> None:
    record(database, new_run, new_sweep)
    with psycopg.connect(database.url) as connection:
        runs = [str(row[0]) for row in connection.execute("select id from training_runs order by position")]
        sweep = connection.execute("select id from sweeps").fetchone()
    assert sweep is not None
    pages = {
        "/training": "#runs tbody tr[data-key]",
        "/training/sweeps": "#sweeps tbody tr",
        f"/training/sweeps/{sweep[0]}": ".leaderboard",
        f"/training/compare?runs={','.join(runs)}": ".leaderboard",
        **{f"/training/runs/{run}": "#config-summary" for run in runs[1::2]},
        "/training?q=%3Cscript%3Ewindow.hacked%3Dtrue%3C/script%3E&agent_id=%22%3E%3Cscript%3E": "#empty h2",
        "/training/runs/%3Cimg%20src=x%20onerror=%22window.hacked=true%22%3E": ".empty",
        "/training/sweeps/%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E": ".empty",
        "/training/compare?runs=%3Cscript%3E": ".empty",
        "/%3Cscript%3Ewindow.hacked=true%3C%2Fscript%3E": "h1",
    }
    with serving(database) as site:
        page = visit(site, "/training", expected=("404", "422"))
        for path, sign in pages.items():
            page.goto(site.url + path)
            page.locator(sign).first.wait_for(state="attached")
            if not path.startswith("/%3C"):
                page.locator("#live").wait_for()  # everything has been asked for and shown
            assert page.evaluate("window.hacked") is None, path
            assert page.locator("main img, main script").count() == 0, path
            for width in (1440, 360):
                page.set_viewport_size({"width": width, "height": 900})
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{path[:60]} is {wide} px wide: {page.evaluate(TOO_WIDE)}"
        page.goto(f"{site.url}/training/sweeps/{sweep[0]}?seeds=1")
        curves = page.get_by_role("figure", name="Learning curves", exact=True)
        expect(curves.locator(".legend-entry")).to_have_count(len(HOSTILE))
        differences = page.locator("#differences")
        expect(differences.locator(".legend-entry")).to_have_count(len(HOSTILE) - 1)  # all but the base config
        page.goto(site.url + "/training")
        expect(page.locator("#runs tbody")).to_contain_text(SCRIPT)
        page.goto(f"{site.url}/training/runs/{runs[1]}")
        expect(page.locator(".failure")).to_contain_text(SCRIPT)
