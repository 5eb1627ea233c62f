"""Sweeps and chosen runs set against each other; what can be taken away from there."""

import csv
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.integration, pytest.mark.browser]

CONFIGS = ("ppo_agent_broken", "ppo_agent_lr_high", "ppo_agent_lr_low", "ppo_agent_v1")


def saved(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_compares_the_configs_of_a_sweep(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, f"/training/sweeps/{recorded.night.id}")
    expect(page.locator("h1")).to_have_text("night")
    report = httpx.get(f"{recorded.site.url}/api/sweeps/night/report").json()
    for finding in report["findings"]:
        expect(page.locator("section[aria-label=Findings]")).to_contain_text(finding)
    board = page.locator(".leaderboard tbody tr")
    expect(board).to_have_count(4)
    for row, config in zip(board.all(), report["configs"], strict=True):
        expect(row).to_contain_text(config["name"])
        expect(row).to_contain_text(config["verdict"]["kind"])
        tied = "=" if config["tied_with"] else ""
        expect(row.locator(".rank")).to_have_text("–" if config["rank"] is None else f"{config['rank']}{tied}")
    expect(page.locator(".interval .whisker")).to_have_count(3)
    for row, config in zip(board.all(), report["configs"], strict=True):
        estimate = config["difference"]
        shown = "base" if config["is_base"] else "–" if estimate is None else f"{abs(estimate['mean']):.2f}"
        expect(row.locator("td").nth(3)).to_contain_text(shown)
    expect(page.locator(".leaderboard thead")).to_contain_text("To the base")
    expect(page.locator(".verdicts")).to_contain_text("Steady upward trend in rewards")
    expect(page.locator("section[aria-label='Parallel coordinates'] .parallel-line")).to_have_count(4)
    expect(page.locator("section[aria-label='What differs']")).to_contain_text("learning_rate")
    expect(page.locator("section[aria-label='What differs']")).not_to_contain_text("gamma")
    expect(page.locator("section[aria-label=Runs] tbody tr")).to_have_count(12)
    assert_sorts(page, board, report["configs"])
    assert_brushes(page)


def assert_sorts(page: Page, board: Locator, configs: list[dict[str, Any]]) -> None:
    """The leaderboard and the table of runs sort by their headers, with the keyboard too."""
    leaderboard = page.locator("section[aria-label=Leaderboard]")
    ranks = leaderboard.get_by_role("columnheader", name="Rank")
    expect(ranks).to_have_attribute("aria-sort", "ascending")
    area = leaderboard.get_by_role("columnheader", name="Area")
    known = sorted((each for each in configs if each["area"] is not None), key=lambda each: each["area"])
    area.get_by_role("button").click()
    expect(area).to_have_attribute("aria-sort", "descending")
    expect(ranks).not_to_have_attribute("aria-sort", re.compile("."))
    expect(board.first).to_contain_text(known[-1]["name"])
    area.get_by_role("button").press("Enter")
    expect(area).to_have_attribute("aria-sort", "ascending")
    expect(board.first).to_contain_text(known[0]["name"])
    expect(board.last).to_contain_text("ppo_agent_broken")  # what is not known comes last
    runs = page.locator("section[aria-label=Runs]")
    runs.get_by_role("columnheader", name="Score").get_by_role("button").click()
    best = max((seed["score"], config["name"]) for config in configs for seed in config["seeds"] if seed["score"])
    expect(runs.locator("tbody tr").first).to_contain_text(best[1])


def assert_brushes(page: Page) -> None:
    """A range on an axis of the parallel coordinates leaves the lines within it, and makes the others pale."""
    panel = page.locator("section[aria-label='Parallel coordinates']")
    pale = panel.locator(".parallel-line.is-out")
    handle = panel.get_by_role("slider", name="Range of score")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    expect(pale).to_have_count(0)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.3, steps=3)
    page.mouse.up()
    expect(panel).to_contain_text("1 of 4 configs: ppo_agent_lr_high.")
    expect(pale).to_have_count(3)
    expect(handle).to_have_attribute("aria-valuetext", re.compile(r"^0\.\d+ to 0\.\d+$"))
    handle.press("Escape")
    expect(pale).to_have_count(0)
    rates = panel.get_by_role("slider", name="Range of learning_rate")
    rates.press("ArrowDown")
    expect(rates).to_have_attribute("aria-valuetext", "1e-4 to 0.001")
    rates.press("Shift+ArrowDown")
    expect(panel).to_contain_text("2 of 4 configs")  # 1e-3 is no longer within it
    rates.press("Escape")
    # Lines pass behind the labels: each has a ground, and both come after the lines.
    expect(panel.locator(".marks ~ .labels .label-ground + .tick")).not_to_have_count(0)


def test_draws_bands_every_seed_other_metrics_and_axes(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training/sweeps/night")
    card = page.get_by_role("figure", name="Learning curves", exact=True)
    expect(card.locator("path.band")).to_have_count(3)
    expect(card.locator(".chart-note")).to_contain_text("Student t, 95%, 3 seeds, cut at −1 and 1")
    expect(card.locator(".tick").filter(has_text=re.compile(r"^−?1\.[1-9]"))).to_have_count(0)
    expect(card.locator(".legend-entry")).to_have_count(4)
    page.get_by_label("Every seed").check()
    expect(card.locator("path.line.faint")).to_have_count(9)  # three configs; the fourth has no episode
    page.get_by_label("Interval").uncheck()
    expect(card.locator("path.band")).to_have_count(0)
    card.get_by_role("button", name="ppo_agent_lr_high").click()
    expect(card.locator("path.line:not(.faint)")).to_have_count(3)
    page.get_by_role("button", name="Wall time").click()
    expect(card.locator(".axis-name")).to_have_text("wall time →")
    page.get_by_label("Metric").select_option("win")
    expect(card.locator(".tick").filter(has_text="%").first).to_be_visible()
    page.get_by_label("Metric").select_option("approx_kl")
    expect(card.locator(".axis-name")).to_have_text("env steps →")
    expect(page).to_have_url(re.compile("metric=approx_kl"))
    page.reload()
    expect(page.get_by_label("Metric")).to_have_value("approx_kl")


def test_the_card_says_what_to_take_and_what_it_gains(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training/sweeps/night", permissions=["clipboard-read", "clipboard-write"])
    card = httpx.get(f"{recorded.site.url}/api/sweeps/night/report").json()["card"]
    shown = page.locator("#decision")
    expect(shown.locator("h2")).to_have_text("Take ppo_agent_lr_high")
    for line in card["lines"]:
        expect(shown).to_contain_text(line["text"])
    for step in card["to_be_sure"]:
        expect(shown).to_contain_text(step["command"])
        expect(shown).to_contain_text(step["effort"])
    step = card["to_be_sure"][0]
    shown.get_by_role("button", name=f"Copy the command: {step['text']}").click()
    assert page.evaluate("navigator.clipboard.readText()") == step["command"]
    chart = shown.get_by_role("figure", name="Episode reward: ppo_agent_lr_high less the base config ppo_agent_v1")
    expect(chart.locator("path.line")).to_have_count(1)
    expect(chart.locator("path.band")).to_have_count(1)
    expect(chart.locator(".zero")).to_have_count(1)
    expect(chart.locator(".chart-note")).to_contain_text("Student t, 95%, 3 seeds")
    all_configs = page.get_by_role("figure", name="Episode reward: difference to the base config ppo_agent_v1")
    expect(all_configs.locator("path.line")).to_have_count(2)  # the third config has no episode
    expect(all_configs.locator(".legend-entry")).to_have_count(2)
    page.get_by_label("Difference in").select_option("win")
    expect(page.get_by_role("figure", name="Win rate: difference to the base config")).to_be_visible()
    first, board = page.locator("#decision").bounding_box(), page.locator(".leaderboard").bounding_box()
    assert first is not None
    assert board is not None
    assert first["y"] < board["y"], "the card comes first"


def test_slices_show_every_seed_and_are_read_by_keyboard(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training/sweeps/night")
    slices = page.locator("#slices")
    expect(slices.locator("figure")).to_have_count(1)
    plot = slices.get_by_role("figure", name="Score against learning_rate")
    expect(plot.locator(".seed-dot")).to_have_count(9)
    expect(plot.locator(".mean-bar")).to_have_count(3)
    picture = plot.locator("svg.chart")
    expect(picture).to_have_attribute(
        "aria-label", re.compile("ppo_agent_lr_high at 0.001: 0\\.[0-9]+; ppo_agent_v1 at 3e-4")
    )
    area = plot.locator(".chart-area")
    area.focus()
    names = []
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        names.append(plot.locator(".readout-name").inner_text())
    assert names == ["ppo_agent_lr_low", "ppo_agent_v1", "ppo_agent_lr_high"]  # by learning rate
    expect(area.locator("[aria-live]")).to_contain_text("ppo_agent_lr_high")
    page.keyboard.press("Escape")
    expect(plot.locator(".readout")).to_be_hidden()
    plot.locator(".seed-dot").first.hover()
    expect(plot.locator(".readout")).to_contain_text("3 seeds")


def test_a_sweep_is_shown_where_its_curves_cannot_be(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training/sweeps/night?smoothing=2", expected=("422",))
    expect(page.locator(".leaderboard tbody tr")).to_have_count(4)
    expect(page.get_by_role("figure", name="Learning curves", exact=True).locator(".chart-note")).to_contain_text(
        "Cannot show these curves: smoothing"
    )
    page.get_by_label("Metric").select_option("value_loss")
    expect(page.locator(".chart-card path.line").first).to_be_attached()
    hint = page.locator("section[aria-label=Leaderboard] .scroll-hint")
    expect(hint).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 900})
    expect(hint).to_be_visible()  # there is more to the right
    page.locator("section[aria-label=Leaderboard] .scroll-x").evaluate(
        "area => { area.scrollLeft = area.scrollWidth; }"
    )
    expect(hint).to_be_hidden()


def test_compares_chosen_runs_in_the_colours_of_their_sweep(recorded, run_of, visit: Callable[..., Page]) -> None:
    line = ".chart-card path.line.colour-3"  # the sweep has broken, lr_high and lr_low
    page = visit(recorded.site, f"/training/runs/{run_of('ppo_agent_lr_low')}")
    expect(page.locator(line)).not_to_have_count(0)
    runs = [run_of("ppo_agent_v1", 0), run_of("ppo_agent_lr_low", 0)]
    page.goto(f"{recorded.site.url}/training/compare?runs={','.join(runs)}")
    expect(page.locator(line)).to_have_attribute("data-series", "ppo_agent_lr_low")
    expect(page.locator(".leaderboard tr.colour-3")).to_contain_text("ppo_agent_lr_low")
    expect(page.locator("#compare-count")).to_contain_text("2 runs of 2 configs")
    expect(page.locator(".leaderboard tbody tr")).to_have_count(2)
    expect(page.locator(".chart-card path.line")).to_have_count(2)
    views = page.locator("#views .menu")
    views.locator("summary").click()
    expect(views.get_by_label("Name of the view")).to_be_editable()
    expect(views.get_by_role("button", name="Save view")).to_be_visible()


def test_runs_of_two_settings_are_on_two_leaderboards(recorded, run_of, visit: Callable[..., Page]) -> None:
    """The second group is made up: its runs are of another config in the same environment."""
    base, other = run_of("ppo_agent_v1"), run_of("ppo_agent_lr_low")
    asked = {run: httpx.get(f"{recorded.site.url}/api/compare", params={"run": run}).json() for run in (base, other)}
    groups = [answer["groups"][0] for answer in asked.values()]
    groups[1]["setting"] = "CartPole-v1, 400 episodes a run"
    differences = [{"key": "environment.id", "values": ["open_spiel/connect_four", "CartPole-v1"]}]
    page = visit(recorded.site, "/training")
    page.route("**/api/compare?*", lambda route: route.fulfill(json={"groups": groups, "differences": differences}))
    page.goto(f"{recorded.site.url}/training/compare?runs={base},{other}")
    expect(page.locator("#compare-count")).to_have_text("2 runs of 2 configs, 2 settings")
    expect(page.locator("section[aria-label=Settings]")).to_contain_text("environment.id")
    for group, name in zip(groups, ("ppo_agent_v1", "ppo_agent_lr_low"), strict=True):
        section = page.get_by_role("region", name=group["setting"], exact=True)
        expect(section.locator(".leaderboard tbody tr")).to_have_count(1)
        expect(section.locator(".leaderboard tbody tr")).to_contain_text(name)
        expect(section.locator(".chart-card path.line")).to_have_attribute("data-series", name)


def test_says_what_to_do_where_nothing_was_chosen(recorded, visit: Callable[..., Page]) -> None:
    page = visit(recorded.site, "/training/compare")
    expect(page.locator("main")).to_contain_text("Tick two or more runs")


def test_gives_its_data_as_csv(recorded, visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(recorded.site, "/training/sweeps/night?smoothing=0")
    expect(page.get_by_role("figure", name="Learning curves", exact=True).locator("path.line").first).to_be_attached()
    with saved(page, "Save the data of Learning curves as CSV", tmp_path).open(newline="") as file:
        points = list(csv.DictReader(file))
    assert set(points[0]) == {"series", "env steps", "Episode reward", "low", "high"}
    bands = httpx.get(f"{recorded.site.url}/api/sweeps/night").json()["run_ids"]
    answer = httpx.get(f"{recorded.site.url}/api/bands", params={"run": bands, "smoothing": 0, "points": 200}).json()
    wanted = next(config for config in answer["configs"] if config["name"] == "ppo_agent_lr_high")
    ours = [point for point in points if point["series"] == "ppo_agent_lr_high"]
    assert [float(point["env steps"]) for point in ours] == pytest.approx(wanted["x"])
    assert [float(p["Episode reward"]) if p["Episode reward"] else None for p in ours] == pytest.approx(wanted["mean"])
    with saved(page, "Save the data of the leaderboard as CSV", tmp_path).open(newline="") as file:
        board = list(csv.DictReader(file))
    assert {row["config"] for row in board} == set(CONFIGS)
    assert next(row for row in board if row["config"] == "ppo_agent_lr_high")["learning_rate"] == "0.001"
    seeds = {row["config"]: row["seeds"] for row in board}
    assert (seeds["ppo_agent_lr_high"], seeds["ppo_agent_broken"]) == ("3", "0"), "failed runs are not counted"
    expect(page.locator(".leaderboard tbody")).to_contain_text("…")
    expect(page.locator(".leaderboard tbody")).not_to_contain_text("±")


def test_gives_pictures_of_charts(recorded, visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(recorded.site, "/training/sweeps/night")
    expect(page.get_by_role("figure", name="Learning curves", exact=True).locator("path.line").first).to_be_attached()
    png = saved(page, "Save a picture of Learning curves as PNG", tmp_path).read_bytes()
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    assert width > 1500
    assert height > 700
    assert len(png) > 20_000
    for name in ("Learning curves", "Parallel coordinates"):
        picture = ElementTree.parse(saved(page, f"Save a picture of {name} as SVG", tmp_path)).getroot()
        drawn = [part for part in picture.iter("{http://www.w3.org/2000/svg}path") if part.get("d")]
        assert all(part.get("stroke") or part.get("fill") for part in drawn)
        assert len(drawn) >= 3
        assert any(
            "ppo_agent_lr_high" in (text.text or "") for text in picture.iter("{http://www.w3.org/2000/svg}text")
        )
