"""The list of training runs."""

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from rlsweep.runs import NewRun
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import NewSweep

pytestmark = [pytest.mark.integration, pytest.mark.browser]

RUNS = 13  # night's 4 configs × 3 seeds, and the one of `later`


def rows(page: Page) -> list[str]:
    return page.locator("#runs tbody tr td.col-config").all_inner_texts()


def test_lists_every_run_with_what_is_known_of_it(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/")
    expect(page).to_have_url(re.compile(r"/training$"))
    expect(page.locator("#run-count")).to_have_text(f"{RUNS} runs")
    row = page.locator("#runs tbody tr").filter(has_text="ppo_agent_lr_low").first
    for text in ("ppo_agent", "MaskablePPO", "night", "completed", "400 / 400"):
        expect(row).to_contain_text(text)
    expect(row.locator("td.col-reward")).to_have_text(re.compile(r"^−?\d\.\d\d$"))
    expect(row.locator("td.col-win")).to_have_text(re.compile(r"^\d+%$"))
    expect(row.locator("svg.sparkline path").first).to_have_attribute("d", re.compile("^M"))
    failed = page.locator("#runs tbody tr").filter(has_text="failed").first
    expect(failed.locator("td.col-spark")).to_contain_text("the value loss became NaN")


def test_filters_live_in_the_address(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training")
    page.get_by_role("button", name="failed").click()
    expect(page.locator("#run-count")).to_have_text("3 matching runs")
    expect(page).to_have_url(re.compile(r"\?status=failed$"))
    page.get_by_role("button", name="completed").click()
    expect(page.locator("#run-count")).to_have_text(f"{RUNS} matching runs")
    page.locator("#search").fill("lr_high")
    expect(page.locator("#run-count")).to_have_text("4 matching runs")
    page.locator("#sweep-filter").select_option(label="night")
    expect(page.locator("#run-count")).to_have_text("3 matching runs")
    page.reload()
    expect(page.locator("#run-count")).to_have_text("3 matching runs")
    expect(page.locator("#search")).to_have_value("lr_high")
    expect(page.get_by_role("button", name="failed")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.locator("#run-count")).to_have_text("4 matching runs")
    page.locator("#clear-filters").click()
    expect(page.locator("#run-count")).to_have_text(f"{RUNS} runs")


def test_filters_by_agent(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training")
    expect(page.locator("#agent-filter option")).to_have_count(2)
    page.locator("#agent-filter").select_option("ppo_agent")
    expect(page.locator("#run-count")).to_have_text(f"{RUNS} matching runs")


def test_says_so_where_nothing_matches(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training?q=nowhere")
    expect(page.locator("#empty")).to_contain_text("No run matches")
    page.locator("#empty").get_by_role("button", name="Clear filters").click()
    expect(page.locator("#run-count")).to_have_text(f"{RUNS} runs")


def test_an_order_that_is_none_is_cleared_too(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training?sort=bogus", expected=("422",))
    expect(page.locator("#empty")).to_contain_text("Cannot show the list")
    page.locator("#empty").get_by_role("button", name="Clear filters").click()
    expect(page.locator("#run-count")).to_have_text(f"{RUNS} runs")
    expect(page).to_have_url(re.compile("/training$"))


def test_says_that_an_export_failed(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training", expected=("500",))
    expect(page.locator("#run-count")).to_have_text(f"{RUNS} runs")
    oh = {"error": {"code": "internal", "message": "Oh."}}
    page.route(re.compile("limit=500"), lambda route: route.fulfill(status=500, json=oh))
    export = page.locator("#export")
    export.click()
    expect(export).to_have_text("Export failed: try again")
    expect(export).to_have_attribute("title", "Oh.")
    page.unroute(re.compile("limit=500"))
    with page.expect_download():
        export.click()
    expect(export).to_have_text("Export CSV")


def test_sorts_by_every_column(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, f"/training?sweep_id={recorded.night.id}", width=1440)
    columns = ["Config", "Agent", "Sweep", "Seed", "Status", "Started", "Duration", "Episodes"]
    columns += ["Score", "Recent reward", "Recent wins"]
    for column in columns:
        header = page.get_by_role("columnheader", name=column, exact=True)
        header.get_by_role("button").click()
        expect(header).to_have_attribute("aria-sort", re.compile("ascending|descending"))
    page.get_by_role("columnheader", name="Config").get_by_role("button").click()
    expect(page.locator("#runs tbody tr").first).to_contain_text("ppo_agent_broken")
    assert rows(page) == sorted(rows(page))
    page.get_by_role("columnheader", name="Config").get_by_role("button").click()
    expect(page.locator("#runs tbody tr").first).to_contain_text("ppo_agent_v1")
    expect(page).to_have_url(re.compile("sort=-config_short_name"))


def test_compares_the_runs_that_are_chosen(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training?status=completed")
    checks = page.locator("#runs tbody .check")
    checks.nth(1).check()
    expect(page.locator("#compare-chosen")).to_have_text("Compare (1)")
    expect(page.locator("#compare-chosen")).to_have_attribute("aria-disabled", "true")
    checks.nth(3).click(modifiers=["Shift"])
    expect(page.locator("#compare-chosen")).to_have_text("Compare (3)")
    page.locator("#compare-chosen").click()
    expect(page.locator("#compare-count")).to_contain_text("3 runs")
    page.go_back()
    expect(page.locator("#compare-chosen")).to_have_text("Compare (3)")
    expect(page.locator("#runs tbody tr.is-chosen .check:checked")).to_have_count(3)
    page.get_by_role("button", name="Choose none").click()
    page.reload()
    expect(page.locator("#runs tbody tr[data-key]")).not_to_have_count(0)
    expect(page.locator("#selection-bar")).to_be_hidden()


def test_loads_more_by_itself(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training")
    page.route(
        "**/api/training-runs?*limit=50*",
        lambda route: route.continue_(url=route.request.url.replace("limit=50", "limit=5")),
    )
    page.reload()
    expect(page.locator("#runs tbody tr[data-key]")).to_have_count(RUNS)


@pytest.fixture
def site_of(
    embedded_database: Database,
    copy_of: Callable[[Database], AbstractContextManager[Database]],
    new_run: Callable[..., NewRun],
    new_sweep: Callable[..., NewSweep],
    serving: Callable[..., AbstractContextManager],
) -> Callable[[int], AbstractContextManager]:
    """A context with a database of so many runs of one sweep, and a site over it."""

    @contextmanager
    def open_site(runs: int) -> Iterator[tuple[Database, Any]]:
        with copy_of(embedded_database) as database, serving(database) as site:
            sweeps.create(database, new_sweep(), [new_run(seed=seed) for seed in range(runs)])
            yield database, site

    return open_site


def test_a_long_list_keeps_its_rows_and_polls_only_its_beginning(
    site_of: Callable[[int], AbstractContextManager], new_run: Callable[..., NewRun], visit: Callable[..., Page]
) -> None:
    count = 620
    with site_of(count) as (database, site):
        page = visit(site, "/training")
        shown = page.locator("#runs tbody tr[data-key]")
        asked: list[str] = []

        def note(request: Request) -> None:
            if "/api/training-runs?" in request.url:
                asked.append(request.url)

        page.on("request", note)
        while (before := shown.count()) < count:
            page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
            page.wait_for_function("count => document.querySelectorAll('#runs tbody tr').length > count", arg=before)
        expect(page.locator("#table-foot")).to_be_hidden()
        pages = [url for url in asked if "cursor=" in url]
        assert len(pages) == len(set(pages)) <= count // 50 + 1, "each page is read once"
        asked.clear()
        transitions.create_single(database, new_run(seed=7_777))
        expect(shown).to_have_count(count + 1)
        expect(shown.first).to_contain_text("7777")
        assert asked
        assert all("limit=500" in url and "cursor=" not in url for url in asked)
        page.remove_listener("request", note)


def test_goes_on_for_one_who_never_leaves_its_end(
    site_of: Callable[[int], AbstractContextManager], visit: Callable[..., Page]
) -> None:
    count = 170
    with site_of(count) as (_, site):
        page = visit(site, "/training")
        shown = page.locator("#runs tbody tr[data-key]")
        expect(shown).to_have_count(50)
        page.evaluate(
            """() => {
                const toTheEnd = () => window.scrollTo(0, document.documentElement.scrollHeight);
                new MutationObserver(toTheEnd).observe(document.querySelector("#runs tbody"), { childList: true });
                toTheEnd();
            }"""
        )
        expect(shown).to_have_count(count)


def test_is_read_on_a_narrow_screen(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training", width=360)
    expect(page.locator("#runs tbody tr[data-key]")).to_have_count(RUNS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 768, "height": 900})
    whole = "cells => cells.every(cell => cell.scrollWidth <= cell.clientWidth)"
    assert page.locator("#runs tbody td.col-config").evaluate_all(whole), "the names of configs are cut"
    page.set_viewport_size({"width": 360, "height": 900})
    page.locator("#sort-select").select_option("config_short_name")
    expect(page.locator("#runs tbody tr").first).to_contain_text("ppo_agent_broken")


def test_a_narrow_screen_shows_progress_below_the_status(
    recorded, visit: Callable[..., Page], new_run: Callable[..., NewRun], new_sweep: Callable[..., NewSweep]
) -> None:
    database = recorded.site.database
    config = {"agent": {}, "budget": {"episodes": 200, "total_timesteps": None}}
    sweep = sweeps.create(database, new_sweep(name="half way"), [new_run(config=config)])
    (run,) = training_runs.of_sweep(database, sweep.id)
    assert transitions.begin_attempt(database, run.id, {}) is not None
    progress = recording.Progress(episodes=90, updates=1, env_steps=900, mean_reward=0.5)
    recording.flush(database, run.id, 1, recording.Batch(progress=progress))
    for address, width, cell in (
        ("/training/sweeps", 768, "#sweeps .medium"),
        ("/training/sweeps", 390, "#sweeps .medium"),
        ("/training?column=gamma", 768, "#runs .col-status"),
    ):
        page = visit(recorded.site, address, width=width)
        below = page.locator(f"{cell} .status-progress:visible")
        expect(below).to_have_text("45%")  # of the one that is not finished
        assert below.locator(".progress-bar").evaluate("bar => bar.offsetWidth / bar.parentElement.offsetWidth") == (
            pytest.approx(0.45, abs=0.03)
        )
        page.set_viewport_size({"width": 1280, "height": 900})
        expect(page.locator(".status-progress:visible")).to_have_count(0)


def test_lists_sweeps(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training/sweeps")
    expect(page.locator("#sweep-count")).to_have_text("2 sweeps")
    page.locator("#search").fill("lat")
    expect(page.locator("#sweeps tbody tr")).to_have_count(1)
    page.get_by_role("link", name="later").click()
    expect(page.locator("h1")).to_have_text("later")


def test_gives_the_whole_list_as_csv(recorded, visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(recorded.site, f"/training?status=completed&q=connect&sweep_id={recorded.night.id}")
    expect(page.locator("#run-count")).to_have_text("9 matching runs")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    download.value.save_as(tmp_path / "runs.csv")
    with (tmp_path / "runs.csv").open(newline="") as file:
        saved = list(csv.DictReader(file))
    assert len(saved) == 9
    assert {(row["sweep_name"], row["environment"]) for row in saved} == {("night", "open_spiel/connect_four")}
    assert {row["learning_rate"] for row in saved} == {"0.0003", "0.001", "0.0001"}
    assert all(float(row["score"]) <= 1 and row["network.activation_fn"] == "tanh" for row in saved)
    assert all(float(row["mean_reward"]) <= 1 and row["episodes"] == "400" for row in saved)
