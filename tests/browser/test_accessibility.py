"""axe-core finds no serious fault on any page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.helpers.accessibility import serious_faults

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_every_page_is_accessible_in_light_and_dark(recorded, run_of, visit: Callable[..., Page]) -> None:
    pages = {
        "/training": "#runs tbody tr[data-key]",
        "/training?q=nowhere": "#empty h2",
        f"/training/runs/{run_of('ppo_agent_lr_high')}": ".chart path.line",
        f"/training/runs/{run_of('ppo_agent_broken')}": ".failure",
        "/training/sweeps": "#sweeps tbody tr",
        "/training/sweeps/night": "#training-health .strip, #training-health li",
        "/training/sweeps/later": ".matrix td.ahead, .matrix td.behind",
        f"/training/compare?runs={run_of('ppo_agent_v1')},{run_of('ppo_agent_lr_low')}": ".leaderboard",
        "/api/docs": ".operation",
        "/nowhere": "h1",
    }
    page = visit(recorded.site, "/training", expected=("404",))
    faults = []
    for path, sign in pages.items():
        page.goto(recorded.site.url + path)
        page.locator(sign).first.wait_for(state="attached")
        if path not in ("/api/docs", "/nowhere"):
            page.locator("#live").wait_for()  # everything has been asked for and shown
        faults += [f"{path} {fault}" for fault in serious_faults(page)]
    assert faults == []
