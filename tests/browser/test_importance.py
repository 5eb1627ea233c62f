"""The panels on what moved the score: shares of keys, beliefs in the slices, and the search space."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect
from psycopg.types.json import Json

from tests.helpers.accessibility import serious_faults
from tests.helpers.grid import record_grid, rising

pytestmark = [pytest.mark.integration, pytest.mark.browser]

CONFIGS = 13
SPACE = {
    "source": "space.yaml", "base": None, "sampler": "random", "configs": CONFIGS, "seed": 0,
    "space": {"learning_rate": {"log": [1e-4, 1e-2], "when": "gamma < 1"}}, "constraints": ["gamma > 0.5"],
}  # fmt: skip


def test_the_panels_say_what_matters(recorded, visit: Callable[..., Page]) -> None:
    site = recorded.site
    sweep = record_grid(site.database, "drawn", [rising(0.3 + 0.04 * place) for place in range(CONFIGS)], seeds=2)
    with site.database.connect() as connection:
        connection.execute("update sweeps set space = %s where id = %s", (Json(SPACE), sweep.id))
    page = visit(site, "/training/sweeps/drawn")
    said = httpx.get(f"{site.url}/api/sweeps/drawn/importance", timeout=60).json()

    matters = page.locator("#importance")
    expect(matters).to_contain_text(said["text"])
    expect(matters.locator("tbody tr")).to_have_count(1)
    row = matters.locator("tbody tr").first
    expect(row).to_contain_text(f"{said['keys'][0]['share']:.0%}")
    drawn = "bar => bar.offsetWidth / bar.parentElement.offsetWidth"
    assert row.locator(".share-bar").evaluate(drawn) == pytest.approx(said["keys"][0]["share"], abs=0.02)
    assert row.locator(".share-nothing").evaluate(drawn) == pytest.approx(said["nothing"], abs=0.02)

    slices = page.locator("#slices")
    expect(slices.locator("line.belief-range")).to_have_count(CONFIGS)
    expect(slices.locator("circle.seed-dot")).to_have_count(2 * CONFIGS)
    expect(slices.locator("line.mean-bar")).to_have_count(CONFIGS)

    space = page.locator("#search-space")
    expect(space).to_contain_text("what random drew from space.yaml with seed 0")
    expect(space.locator("tbody tr")).to_have_text(["learning_rate0.0001 to 0.01, log-uniformgamma < 1"])
    expect(space).to_contain_text("Every config fulfils gamma > 0.5.")

    assert serious_faults(page, "#importance, #slices, #search-space") == []
    for width in (768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        for panel in (matters, slices, space):
            assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")


def test_of_few_configs_a_sentence_says_so(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, f"/training/sweeps/{recorded.night.id}")
    expect(page.locator("#importance")).to_contain_text("configs cannot show")
    expect(page.locator("#importance table")).to_have_count(0)
    expect(page.locator("#search-space")).to_have_count(0)
