"""axe-core finds no serious fault on any page."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

pytestmark = [pytest.mark.integration]

SERIOUS = ("serious", "critical")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible(recorded, run_of, visit: Callable[..., Page], theme: str) -> None:
    pages = {
        "/training": "#runs tbody tr[data-key]",
        "/training?q=nowhere": "#empty h2",
        f"/training/runs/{run_of('ppo_agent_lr_high')}": ".chart path.line",
        f"/training/runs/{run_of('ppo_agent_broken')}": ".failure",
        "/training/sweeps": "#sweeps tbody tr",
        "/training/sweeps/night": ".leaderboard",
        f"/training/compare?runs={run_of('ppo_agent_v1')},{run_of('ppo_agent_lr_low')}": ".leaderboard",
        "/api/docs": ".operation",
        "/nowhere": "h1",
    }
    page = visit(recorded.site, "/training", color_scheme=theme, expected=("404",))
    axe, faults = Axe(), []
    for path, sign in pages.items():
        page.goto(recorded.site.url + path)
        page.locator(sign).first.wait_for(state="attached")
        page.wait_for_load_state("networkidle")
        found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
        faults += [
            f"{path}: {fault['id']}: {node['html'][:160]} {node['failureSummary']}"
            for fault in found
            if fault["impact"] in SERIOUS
            for node in fault["nodes"][:3]
        ]
    assert faults == []
