"""The page of a sweep with ASHA: who came to which rung, who waits where, and the rungs in the curves."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from rlsweep.store import sweeps
from tests.helpers.asha_runs import create_asha, run_asha

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def score(config: int, seed: int, share: float) -> float:
    return config * share


def test_the_page_shows_the_rungs_and_who_waits_there(recorded, visit: Callable[..., Page]) -> None:
    database = recorded.site.database
    scheduler = create_asha(database, "halved", 6)
    run_asha(database, scheduler, score)
    sweeps.settle(database, scheduler.sweep_id)
    report = httpx.get(f"{recorded.site.url}/api/sweeps/halved/report").json()

    page = visit(recorded.site, "/training/sweeps/halved")
    expect(page.locator("#decision h2")).to_have_text(f"Take {report['asha']['take']}")
    for line in report["card"]["lines"]:
        expect(page.locator("#decision")).to_contain_text(line["text"])
    expect(page.locator("#sweep-head")).to_contain_text("1 seed · ASHA")
    rows = page.locator("section[aria-label=Rungs] tbody tr")
    expect(rows).to_have_count(3)
    for row, rung in zip(rows.all(), report["asha"]["rungs"], strict=True):
        expect(row).to_contain_text(f"Rung {rung['number']} ({rung['at']})")
        expect(row).to_contain_text(rung["configs"][0]["name"])
    expect(page.locator("svg.chart line.rung")).to_have_count(2)  # the third is the end of the axis
    waiting = page.locator("section[aria-label=Runs] .badge.paused")
    expect(waiting.first).to_have_text("waits at rung 2")
    expect(waiting.last).to_have_text("waits at rung 1")

    listed = visit(recorded.site, "/training?status=paused")
    expect(listed.locator(".badge.paused", has_text="waits at rung 1").first).to_be_visible()
