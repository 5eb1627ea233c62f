"""The panel of a tournament: ratings, who beat whom, and a game by buttons and arrow keys, at three widths."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from rlsweep.store import training_runs
from tests.helpers.tournaments import record_tournament

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_a_tournament_is_shown_and_a_game_stepped_through(
    recorded, record_into: Any, course: type[Any], visit: Callable[..., Page]
) -> None:
    database = recorded.site.database
    sweep = record_into(database, {None: course(), "high": course()}, seeds=2, name="played")
    tournament = record_tournament(database, training_runs.of_sweep(database, sweep.id), games=20)
    shown = httpx.get(f"{recorded.site.url}/api/sweeps/played/tournaments").json()["shown"]

    page = visit(recorded.site, "/training/sweeps/played", width=1400)
    panel = page.locator("#tournament")
    expect(panel.locator(".tournament-headline")).to_have_text(shown["headline"])
    ratings = panel.locator(".leaderboard tbody tr")
    expect(ratings).to_have_count(3)
    for row, standing in zip(ratings.all(), shown["configs"], strict=True):
        expect(row).to_contain_text(standing["name"])
        expect(row).to_contain_text(f"{standing['wins']}–{standing['draws']}–{standing['losses']}")
    panel.get_by_role("button", name="Checkpoints").click()
    expect(ratings).to_have_count(5)
    cells = panel.locator(".matrix tbody tr").nth(1).locator("td")
    expect(cells).to_have_count(5)
    won, drawn, _ = shown["standings"][1]["against"][3]
    first, second = (shown["standings"][place] for place in (1, 3))
    expect(cells.nth(3)).to_have_text(f"{100 * (won + drawn / 2) / 20:.0f}%")
    cells.nth(3).get_by_role("button").click()

    games = httpx.get(
        f"{recorded.site.url}/api/tournaments/{tournament.id}/games/{first['players'][0]}/{second['players'][0]}"
    ).json()["games"]
    (game,) = (each for each in games if each["first"] == first["name"])
    viewer = panel.get_by_role("group", name="A game, move by move")
    expect(viewer.locator(".game-result")).to_have_text(game["result"])
    board, status = viewer.locator(".game-board"), viewer.get_by_role("status")
    expect(board).to_have_text(game["game"]["boards"][0])
    expect(viewer.get_by_role("button", name="Previous")).to_be_disabled()
    expect(viewer.get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(board).to_have_text(game["game"]["boards"][2])
    expect(status).to_have_text(
        f"Move 2 of {len(game['game']['moves'])}: {game['game']['moves'][1]['text']}, {second['name']}"
    )
    page.keyboard.press("ArrowLeft")
    expect(viewer.locator("[aria-current=step]")).to_have_text(game["game"]["moves"][0]["text"])
    viewer.get_by_role("button", name="End").click()
    expect(board).to_have_text(game["game"]["boards"][-1])
    expect(viewer.get_by_role("button", name="Next")).to_be_disabled()
    viewer.get_by_label("Moves second").select_option(label="random")
    expect(viewer.locator(".game-result")).not_to_have_text(game["result"])

    for width in (768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{recorded.site.url}/training/sweeps/night")
    expect(page.locator("section[aria-label=Findings]")).to_be_visible()
    expect(panel).to_be_hidden()
