"""The page of a race: what to take and why, how the belief moved, where the budget went."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from rlsweep.store import sweeps
from tests.helpers.raced import create_race, drawn, run_race

pytestmark = [pytest.mark.integration, pytest.mark.browser]

TRUTH = (0.2, 0.5, 0.8, 0.3, 0.55)


def test_the_page_of_a_race_says_what_to_take(recorded, visit: Callable[..., Page]) -> None:
    database = recorded.site.database
    race = create_race(database, "raced", len(TRUTH))
    run_race(database, race, drawn(TRUTH, noise=0.02, seed=1))
    sweeps.settle(database, race.sweep_id)
    report = httpx.get(f"{recorded.site.url}/api/sweeps/raced/report").json()

    site_url = recorded.site.url
    page = visit(recorded.site, "/training/sweeps/raced")
    answer = page.locator("#decision")
    expect(answer.locator("h2")).to_have_text("Take raced_c2")
    for line in report["race_lines"]:
        expect(answer).to_contain_text(line["text"])
    expect(answer).to_contain_text("rlsweep confirm raced")
    expect(answer).to_contain_text("rlsweep promote raced")

    decisions = [each for each in report["race"]["decisions"] if each["risk"] is not None]
    assert len(decisions) > 2
    expect(page.get_by_role("figure", name="Belief of each config's score").locator("path.line")).to_have_count(5)
    expect(page.get_by_role("figure", name="Risk of a wrong choice").locator("path.line")).to_have_count(1)
    budget = page.locator("section[aria-label='Where the budget went'] tbody tr")
    expect(budget).to_have_count(5)
    for row, config in zip(budget.all(), report["race"]["configs"], strict=True):
        expect(row).to_contain_text(config["name"])
        expect(row).to_contain_text(f"{config['runs']} whole run")
    expect(page.locator(".badge.paused").first).to_be_visible()

    configs = httpx.get(f"{site_url}/api/bands?sweep=raced&metric=reward&x=env_steps", timeout=30).json()["configs"]
    seeds = [len(config["runs"]) for config in configs]
    assert 2 in seeds
    curves = page.get_by_role("figure", name="Learning curves", exact=True)
    expect(curves.locator("path.line.faint")).to_have_count(2 * seeds.count(2))
    expect(curves.locator("path.band")).to_have_count(sum(count > 2 for count in seeds))
    expect(curves.locator(".chart-note")).to_contain_text("Of two seeds both are drawn")

    page.set_viewport_size({"width": 390, "height": 900})
    names = page.locator("section[aria-label='Where the budget went'] .config-name > :last-child")
    runs = page.locator("section[aria-label=Runs] .config-name > a")
    for cells, text in ((names, "raced_c0"), (runs, "raced_c2 seed 0")):
        expect(cells.first).to_have_text(text)
        assert cells.evaluate_all("cells => cells.every(cell => cell.offsetWidth > 50 && cell.offsetHeight < 50)")
    page.set_viewport_size({"width": 1280, "height": 900})

    scored = [len([seed for seed in config["seeds"] if seed["score"] is not None]) for config in report["configs"]]
    assert max(scored) > 1
    assert 1 in scored
    assert [config["rank"] is None for config in report["configs"]] == [seeds < 2 for seeds in scored]
    shown = [f"{config['rank']}{'=' if config['tied_with'] else ''}" for config in report["configs"]]
    ranks = page.locator("table.leaderboard tbody .rank")
    expect(ranks).to_have_text(["–" if seeds < 2 else rank for rank, seeds in zip(shown, scored, strict=True)])
    expect(page.locator("section[aria-label=Leaderboard] .panel-note")).to_contain_text(report["rank_words"])


def test_a_sweep_that_is_no_race_has_no_race_panel(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, f"/training/sweeps/{recorded.night.id}")
    expect(page.locator("h1")).to_have_text("night")
    expect(page.locator("section[aria-label=Findings]")).to_be_visible()
    expect(page.get_by_role("figure", name="Risk of a wrong choice")).to_be_hidden()
