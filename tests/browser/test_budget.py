"""The panels of a sweep's page on its budget: what more of it buys, and whether less would have done."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.helpers.accessibility import serious_faults
from tests.helpers.grid import record_grid, rising

pytestmark = [pytest.mark.integration, pytest.mark.browser]

ENDS = (0.45, 0.69, 0.77, 0.84, 0.5, 0.74, 0.3, 0.66)


def test_the_panels_say_what_a_budget_buys(recorded, visit: Callable[..., Page]) -> None:
    site = recorded.site
    record_grid(site.database, "close", [rising(to) for to in ENDS], seeds=4, noise=0.09, base=0)
    said = httpx.get(f"{site.url}/api/sweeps/close/prospects").json()
    looked_back = httpx.get(f"{site.url}/api/sweeps/close/shorter").json()
    page = visit(site, "/training/sweeps/close")

    more = page.locator("#prospects")
    expect(more.locator("h2")).to_have_text("What another hour buys")
    expect(more).to_contain_text(said["text"])
    expect(more).to_contain_text(said["how"])
    assert len(said["ways"]) == 3
    for way in said["ways"]:
        expect(more).to_contain_text(way["text"])
        expect(more.locator("pre.command", has_text=way["command"])).to_have_count(1)
    expect(more.locator("path.line")).to_have_count(3)
    expect(more.locator("path.band")).to_have_count(3)

    less = page.locator("#shorter-sweep")
    for sentence in looked_back["sentences"]:
        expect(less).to_contain_text(sentence)
    expect(less.locator(".bump path.line")).to_have_count(8)
    expect(less.locator(".bump .dot")).to_have_count(8 * len(looked_back["shares"]))
    names = less.locator(".bump .bump-name").all_text_contents()
    assert names == [config["name"] for config in looked_back["configs"]]
    heights = [float(each.get_attribute("y") or 0) for each in less.locator(".bump .bump-name").all()]
    assert heights == sorted(heights)
    tied = sum(
        sum(ranks.count(rank) > 1 for rank in set(ranks))
        for ranks in zip(*(config["ranks"] for config in looked_back["configs"]), strict=True)
    )
    expect(less.locator("rect.tie")).to_have_count(tied)
    less.locator(".bump .parallel-line").first.dispatch_event("pointerenter")
    expect(less.locator(".bump.has-highlight .is-highlighted")).to_have_count(1)

    assert serious_faults(page, "#prospects, #shorter-sweep") == []
    for width in (768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        for panel in (more, less):
            box = panel.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width


def test_where_nothing_can_be_said_a_sentence_says_why(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training/sweeps/later")
    expect(page.locator("#prospects")).to_contain_text("With 1 config no risk can be stated.")
    expect(page.locator("#prospects figure")).to_be_hidden()
    expect(page.locator("#shorter-sweep")).to_contain_text("Fewer than two configs have a whole run")
    expect(page.locator("#shorter-sweep .bump")).to_be_hidden()
