"""What all pages share: themes, keys, errors, the API's page, the token."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.integration, pytest.mark.browser]

DARK = "rgb(17, 18, 19)"
LIGHT = "rgb(247, 247, 245)"


def ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_follows_the_systems_theme_until_the_reader_chooses(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training", color_scheme="dark")
    assert ground(page) == DARK
    button = page.locator("#theme-button")
    button.click()
    assert ground(page) == LIGHT
    button.click()
    assert ground(page) == DARK
    expect(button).to_have_attribute("aria-label", "Theme: dark")
    page.emulate_media(color_scheme="light")
    page.goto(f"{recorded.site.url}/training/sweeps")
    assert ground(page) == DARK
    page.locator("#theme-button").click()
    assert ground(page) == LIGHT


def test_is_worked_by_keys_alone(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training?status=completed")
    expect(page.locator("#runs tbody tr[data-key]")).to_have_count(10)
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("night")
    expect(page.locator("#run-count")).to_have_text("9 matching runs")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#compare-chosen")).to_have_text("Compare (2)")
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("c")
    expect(page.locator("#compare-count")).to_contain_text("2 runs")
    chart = page.get_by_role("group", name="Learning curves: chart")
    expect(chart.locator("path.line").first).to_be_attached()
    chart.focus()
    page.keyboard.press("ArrowRight")
    expect(chart.locator(".readout")).to_contain_text("env steps")
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page.locator("h1")).to_have_text("Sweeps")


def test_sorts_and_chooses_with_tab_and_space(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training")
    page.locator("#sweep-filter").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#choose-all")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Config")).to_have_attribute("aria-sort", "ascending")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


@pytest.mark.parametrize(
    ("path", "words"), [("/nowhere", "Page not found: /nowhere"), ("/training/sweeps/none-such", "Sweep not found")]
)
def test_says_what_is_not_there(recorded, visit: Callable[..., Page], path: str, words: str) -> None:
    page = visit(recorded.site, path, expected=("404",))
    expect(page.locator("main")).to_contain_text(words)
    expect(page.get_by_role("link", name="All sweeps")).to_be_visible()


def test_explains_the_api_without_scripts(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/api/docs", java_script_enabled=False)
    expect(page.locator("h1")).to_have_text("The API")
    for path in ("/api/training-runs", "/api/training-runs/{run_id}", "/api/sweeps/{sweep}/report", "/api/bands"):
        expect(page.get_by_role("heading", name=path, exact=False).first).to_be_visible()
    expect(page.locator("main")).to_contain_text("agent_id")
    expect(page.locator("main")).to_contain_text("/api/bands?sweep=latest")


def test_asks_for_the_token_once(
    recorded, serving: Callable[..., AbstractContextManager], visit: Callable[..., Page]
) -> None:
    with serving(recorded.site.database, token="open-sesame") as site:
        page = visit(site, "/training", expected=("401",))
        expect(page.locator("h1")).to_have_text("A token is needed")
        assert ground(page) == LIGHT, "the page has no styles"
        page.goto(f"{site.url}/training?token=open-sesame")
        expect(page.locator("#run-count")).to_contain_text("runs")
        assert "open-sesame" not in page.url


def test_empty_pages_say_how_to_begin(
    database, serving: Callable[..., AbstractContextManager], visit: Callable[..., Page]
) -> None:
    with serving(database) as site:
        page = visit(site, "/training")
        expect(page.locator("#empty")).to_contain_text("rlsweep submit")
        page.goto(f"{site.url}/training/sweeps")
        expect(page.locator("#empty")).to_contain_text("rlsweep submit")
