"""Notes, tags, saved views, and the columns that the user chooses: the only things that the pages write."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from rlsweep.runs import TrainingRun
from rlsweep.store import annotations, sweeps, training_runs
from rlsweep.store.database import Database
from tests.helpers.accessibility import serious_faults

pytestmark = [pytest.mark.integration, pytest.mark.browser]

HOSTILE = "<img src=x onerror='window.hacked = true'> **bold** {{ 7 * 7 }}\nsecond line"


def write_a_note(page: Page, database: Database, run: TrainingRun) -> None:
    """On the run's page, with a tag that is refused, and with a change of somebody else meanwhile."""
    notes = page.locator(".notes")
    notes.get_by_role("button", name="Add a note or tags").click()
    notes.get_by_label("Tags").fill("Good, todo <b>")
    notes.get_by_label("Note").fill(HOSTILE)
    notes.get_by_role("button", name="Save").click()
    expect(notes.get_by_role("alert")).to_contain_text("Tag '<b>' cannot be used")
    notes.get_by_label("Tags").fill("Good, todo")
    notes.get_by_role("button", name="Save").click()
    expect(notes.locator(".note-text")).to_have_text(HOSTILE)
    expect(notes.locator("a.tag")).to_have_text(["good", "todo"])
    assert page.evaluate("window.hacked") is None
    assert notes.locator("img").count() == 0
    assert annotations.annotation_of(training_runs.get(database, run.id)).note == HOSTILE

    assert serious_faults(page) == []
    # somebody else changes it while it is edited here
    notes.get_by_role("button", name="Edit note and tags").click()
    notes.get_by_label("Note").fill("mine")
    annotations.annotate(database, run, note="theirs", untag=["todo"])
    notes.get_by_role("button", name="Save").click()
    expect(notes.locator(".note-standing")).to_contain_text("theirs")
    notes.get_by_role("button", name="Go on with mine").click()
    expect(notes.get_by_label("Note")).to_have_value("mine")
    notes.get_by_role("button", name="Save").click()
    expect(notes.locator(".note-text")).to_have_text("mine")


def filter_by_tag(page: Page) -> None:
    """From the tag on the run's page to the list, and by the list's own filter."""
    notes = page.locator(".notes")
    notes.get_by_role("link", name="todo").click()
    expect(page).to_have_url(re.compile(r"/training\?tag=todo$"))
    expect(page.locator("#run-count")).to_have_text("1 matching run")
    expect(page.locator("#tag-filter")).to_have_value("todo")
    expect(page.locator(".note-mark")).to_have_attribute("title", "mine")
    page.locator("#views > .menu summary").click()
    expect(page.locator("#views > .menu")).to_contain_text("No saved views yet")
    assert serious_faults(page) == []
    page.keyboard.press("Escape")
    page.locator("#clear-filters").click()
    expect(page.locator("#run-count")).to_have_text("5 runs")
    page.locator("#tag-filter").select_option("good")
    expect(page.locator("#run-count")).to_have_text("1 matching run")


def save_and_open_a_view(page: Page, url: str) -> None:
    """Of a list with a column for a hyperparameter; then rename and delete it."""
    page.locator("#tag-filter").select_option("")
    page.locator("#columns summary").click()
    page.get_by_role("checkbox", name="learning_rate").check()
    expect(page.get_by_role("columnheader", name="learning_rate")).to_be_visible()
    page.keyboard.press("Escape")
    cells = page.locator("#runs td.col-hyperparameter")
    expect(cells).to_have_text(["1e-4", "0.001", "0.001", "3e-4", "3e-4"])
    page.locator("#columns summary").click()
    page.get_by_role("checkbox", name="environment").check()
    by_environment = page.get_by_role("columnheader", name="Environment")
    expect(by_environment).to_be_visible()
    page.keyboard.press("Escape")
    by_environment.get_by_role("button").click()
    expect(by_environment).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("#runs td.col-environment").first).to_have_text("open_spiel/connect_four")
    page.locator("#columns summary").click()
    page.get_by_role("checkbox", name="environment").uncheck()
    expect(by_environment).to_have_count(0)
    page.keyboard.press("Escape")
    by_rate = page.get_by_role("columnheader", name="learning_rate")
    by_rate.get_by_role("button").click()
    expect(cells).to_have_text(["1e-4", "3e-4", "3e-4", "0.001", "0.001"])
    by_rate.get_by_role("button").click()
    expect(by_rate).to_have_attribute("aria-sort", "descending")
    expect(cells).to_have_text(["0.001", "0.001", "3e-4", "3e-4", "1e-4"])
    page.set_viewport_size({"width": 390, "height": 900})
    expect(page.locator("#sort-select option:checked")).to_have_text("learning_rate ↓")
    page.locator("#sort-select").select_option("hyperparameter:learning_rate")
    expect(cells).to_have_text(["1e-4", "3e-4", "3e-4", "0.001", "0.001"])
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("#search").fill("night")
    expect(cells).to_have_count(4)
    views = page.locator(".page-actions .menu").filter(has_text="Views")
    views.locator("summary").click()
    views.get_by_label("Name of the view").fill(f"Night {HOSTILE[:20]}")
    views.get_by_role("button", name="Save view").click()
    saved = views.get_by_role("link", name="Night")
    expect(saved).to_have_text(f"Night {HOSTILE[:20]}")
    page.goto(url + "/training/sweeps")
    views.locator("summary").click()
    saved.click()
    expect(page.locator("#run-count")).to_have_text("4 matching runs")
    expect(page.locator("#search")).to_have_value("night")
    expect(cells).to_have_count(4)
    views.locator("summary").click()
    views.get_by_role("button", name="Rename Night").click()
    views.get_by_label("New name of").fill("Rates")
    views.get_by_role("button", name="Rename").click()
    expect(views.get_by_role("link", name="Rates")).to_be_visible()
    views.get_by_role("button", name="Delete Rates").click()
    views.get_by_role("button", name="Delete Rates").click()
    expect(views.locator(".menu-panel")).to_contain_text("No saved views yet")


def test_a_note_tags_and_a_view_are_written_found_and_opened(
    database: Database,
    record_sweep: Any,
    course: Any,
    serving: Callable[..., AbstractContextManager[Any]],
    visit: Callable[..., Page],
) -> None:
    night = record_sweep({None: course(), "lr_high": course(learning_rate=1e-3)}, seeds=2)
    record_sweep({"lr_low": course(learning_rate=1e-4)}, seeds=1, name="later")
    run = training_runs.of_sweep(database, night.id)[2]
    with serving(database) as site:
        page = visit(site, f"/training/runs/{run.id}", expected=("409", "422"))
        notes = page.locator(".notes")
        write_a_note(page, database, run)
        filter_by_tag(page)
        save_and_open_a_view(page, site.url)
        page.goto(f"{site.url}/training/sweeps/night")
        notes.get_by_role("button", name="Add a note or tags").click()
        notes.get_by_label("Tags").fill("paper")
        notes.get_by_role("button", name="Save").click()
        notes.get_by_role("link", name="paper").click()
        expect(page.locator("#sweep-count")).to_have_text("1 matching sweep")
    assert sweeps.get(database, night.id).tags == ("paper",)
