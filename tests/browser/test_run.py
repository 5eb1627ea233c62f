"""The page of one training run."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_shows_config_statistics_charts_and_commands(recorded, run_of, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, f"/training/runs/{run_of('ppo_agent_lr_high')}")
    expect(page.locator("h1")).to_have_text("ppo_agent_lr_high")
    summary = page.locator("#config-summary")
    for text in (
        "PPO Agent lr_high",
        "version 1",
        "Learning rate",
        "0.001",
        "Gamma",
        "256 → 256",
        "config/agents/ppo_agent_sweep_lr_high.yaml",
        "instead of 3e-4",
    ):
        expect(summary).to_contain_text(text)
    expect(page.locator(".chart-card")).to_have_count(12)
    expect(page.get_by_role("figure", name="Gradient steps").locator("path.line")).to_have_count(1)
    # Each of its episodes is won or lost: the share of wins is the large chart, and no rewards are drawn as a barcode.
    expect(page.locator(".chart-card").first).to_have_attribute("aria-label", "Rolling win rate")
    reward = page.get_by_role("figure", name="Episode reward", exact=True)
    expect(reward.locator("path.band")).to_have_count(0)
    expect(reward.locator(".chart-note")).to_contain_text("−1, 0 or 1")
    expect(page.get_by_role("figure", name="Episode length", exact=True).locator("path.band")).to_have_count(1)
    for card in page.locator(".chart-card").all():
        expect(card.locator("path.line, path.band").first).to_have_attribute("d", re.compile("^M"))
    expect(page.locator("section[aria-label=Statistics]")).to_contain_text("Win rate, all training episodes")
    expect(page.locator("section[aria-label=Reproduce]")).to_contain_text("rlsweep train --agent-config")
    page.get_by_text("Complete config").click()
    expect(page.get_by_role("region", name="Complete config")).to_contain_text("learning_rate: 0.001")


def test_changes_axis_and_smoothing(recorded, run_of, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, f"/training/runs/{run_of('ppo_agent_lr_high')}")
    text = page.locator(".slider-text")
    expect(text).to_contain_text("each point is the mean of the last")
    expect(text).to_contain_text("env steps")
    page.get_by_role("button", name="Episodes", exact=True).click()
    expect(text).to_contain_text("episodes")
    before = text.inner_text()
    page.get_by_role("slider", name="Smoothing").press("End")
    expect(text).not_to_have_text(before)
    page.get_by_role("button", name="Wall time").click()
    expect(page.locator(".chart-card").first.locator(".axis-name")).to_have_text("wall time →")


def test_shows_the_failure_first(recorded, run_of, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, f"/training/runs/{run_of('ppo_agent_broken')}")
    failure = page.locator(".failure")
    expect(failure).to_contain_text("the value loss became NaN")
    expect(failure).to_contain_text('File "/srv/sanity.py", line 51')
    failure.get_by_text("Traceback", exact=True).click()
    expect(failure.get_by_role("region", name="Traceback")).to_contain_text("Traceback (most recent call last)")
    box = failure.bounding_box()
    assert box is not None
    assert box["y"] < 250, "the error stands below something else"
    expect(page.locator(".chart-empty").first).to_be_visible()


def test_reads_values_off_the_chart_and_zooms(recorded, run_of, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, f"/training/runs/{run_of('ppo_agent_lr_high')}")
    card = page.locator(".chart-card").first
    area = card.locator(".chart-area")
    expect(card.locator("path.line").first).to_be_visible()
    box = area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 80)
    expect(card.locator(".readout")).to_contain_text("Smoothed mean")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 80)
    page.mouse.up()
    reset = card.get_by_role("button", name="Reset the zoom")
    reset.click()
    expect(reset).to_be_hidden()


def test_copies_commands(recorded, run_of, visit: Callable[..., Page]) -> None:
    page = visit(
        recorded.site,
        f"/training/runs/{run_of('ppo_agent_lr_high')}",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page.get_by_role("button", name="Copy the config's path").click()
    expect(page.locator("#announcer")).to_have_text("Copied the config's path")
    assert page.evaluate("navigator.clipboard.readText()") == "config/agents/ppo_agent_sweep_lr_high.yaml"


def test_says_that_a_command_cannot_be_copied(recorded, run_of, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, f"/training/runs/{run_of('ppo_agent_lr_high')}")
    page.evaluate("() => { navigator.clipboard.writeText = async () => { throw new Error('not allowed'); }; }")
    page.get_by_role("button", name="Copy the config's path").click()
    expect(page.locator("#announcer")).to_contain_text("copy it by hand")


def test_says_what_to_do_where_there_is_no_such_run(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training/runs/00000000-0000-0000-0000-000000000000", expected=("404",))
    expect(page.locator("h1")).to_have_text("Run not found")
    expect(page.locator("main")).to_contain_text("rlsweep runs")
