"""The genealogy of a population: rows, arrows, the way of the best, by mouse, keys and as text, in both themes."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect
from psycopg.types.json import Jsonb

from tests.helpers.accessibility import serious_faults
from tests.helpers.recorded_population import COPIES, record_population

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_a_genealogy_is_drawn_read_and_written(
    recorded, record_into: Any, course: type[Any], visit: Callable[..., Page]
) -> None:
    database = recorded.site.database
    variants = {variant: course(win_rate=0.5 if variant else 0.95) for variant in [None, *"bcdef"]}
    interval = record_population(database, record_into(database, variants, seeds=1, name="population"))

    with psycopg.connect(database.url) as connection:
        connection.execute(
            "update training_runs set config = jsonb_set(config, '{agent,learning_rate}', %s)"
            " where config_short_name = 'ppo_agent_c'",
            (Jsonb({"0": 1e-3, "1055": 2e-4}),),
        )

    page = visit(recorded.site, "/training/sweeps/population")
    panel = page.locator("#lineage")
    expect(panel.locator(".lineage-way")).to_have_text(
        "Best by its score since the last interval: member 1 (ppo_agent_v1). Its lineage: member 1 from the start, "
        f"member 4 from {interval:,}, member 3 from {2 * interval:,}, member 1 from {3 * interval:,}."
    )
    expect(panel.locator("line.member")).to_have_count(6)
    expect(panel.locator("g.copy")).to_have_count(len(COPIES))
    expect(panel.locator("g.copy.of-best")).to_have_count(3)
    expect(panel.locator(".lineage line")).to_have_count(4)
    rows = panel.locator(".copies-table tbody tr")
    expect(rows).to_have_count(len(COPIES))
    expect(rows.nth(1)).to_contain_text("ppo.ent_coef 0.01 → 0.012")
    expect(rows.nth(3)).to_contain_text("No hyperparameter changed.")
    assert [row.get_by_text("lineage of the best").count() for row in rows.all()] == [1, 0, 1, 0, 1, 0]

    chart, readout = panel.get_by_role("group", name="Arrow keys go from copy to copy"), panel.locator(".readout")
    chart.focus()
    page.keyboard.press("ArrowRight")
    expect(readout).to_have_text(f"Member 4 copied member 1 at {interval:,} env steps.learning_rate 0.001 → 8e-4")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text("Member 6 copied member 2")
    expect(panel.locator("g.copy.is-read")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(readout).to_be_hidden()
    panel.locator("g.copy .head").first.hover()
    expect(readout).to_be_visible()

    expect(page.get_by_role("region", name="What differs")).to_contain_text("0.001 → 2e-4 (1,055)")
    expect(page.locator("#slices")).to_contain_text(
        "A config that changes it while it trains stands at its last value."
    )
    expect(page.get_by_role("region", name="Parallel coordinates")).to_contain_text("its last value is shown")
    assert serious_faults(page, "#lineage") == []  # in both themes
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{recorded.site.url}/training/sweeps/night")
    expect(page.locator("section[aria-label=Findings]")).to_be_visible()
    expect(panel).to_be_hidden()
