"""Training health on the pages of sweeps and runs: findings, strips, seeds on demand."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.helpers.doctored_sweep import record_doctored

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_a_sick_config_is_told_with_its_strips_and_its_seeds(recorded, visit: Callable[..., Page]) -> None:
    record_doctored(
        recorded.site.database,
        "doctored",
        {
            "base": [("apart", "cartpole_0"), ("apart", "cartpole_1")],
            "high": [("sick", "learning_rate_0.1"), ("healthy", "cartpole_100")],
        },
    )
    shown = httpx.get(f"{recorded.site.url}/api/sweeps/doctored/diagnosis").json()
    page = visit(recorded.site, "/training/sweeps/doctored")
    panel = page.get_by_role("region", name="Training health")
    expect(panel).to_contain_text(shown["summary"])
    rows = panel.locator("article.diagnosis-config")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(shown["configs"][0]["findings"][0]["text"])
    expect(rows.locator("svg.strip")).to_have_count(6)
    entropy = rows.get_by_role("img", name=re.compile("Entropy: far from usual in"))
    expect(entropy.locator("rect.zone-far")).to_have_count(1)
    far = entropy.locator("rect.zone-far")
    assert float(far.get_attribute("height") or 0) > 3, "the zone rests on colour alone"
    expect(far.locator("title")).to_contain_text("far from usual: below 0.05")

    rows.get_by_text("Seeds of high").click()
    seeds = rows.locator(".diagnosis-seed")
    expect(seeds).to_have_count(2)
    expect(seeds.locator("svg.strip")).to_have_count(12)
    panel.get_by_text("1 config without findings").click()
    expect(rows).to_have_count(2)
    panel.get_by_text("Limits, and where they are from").click()
    expect(panel).to_contain_text("Schulman et al. 2017")

    seeds.first.get_by_role("link", name="Seed 0").click()
    run = page.get_by_role("region", name="Training health")
    expect(run).to_contain_text("Entropy collapsed at update 2 and reward never recovered")
    expect(run.locator("svg.strip")).to_have_count(6)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_run_without_findings_says_so(recorded, run_of, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, f"/training/runs/{run_of('ppo_agent_lr_high')}")
    panel = page.get_by_role("region", name="Training health")
    expect(panel).to_contain_text("No rule found anything wrong in the values of this run's updates.")
    page.goto(f"{recorded.site.url}/training/runs/{run_of('ppo_agent_broken')}")
    expect(page.get_by_role("region", name="Training health")).to_contain_text("became NaN or infinite at update 1")
