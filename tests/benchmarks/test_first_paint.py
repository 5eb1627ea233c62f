"""What a reader waits for: the list of training runs in a browser that has seen nothing of it yet."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import web_record
from playwright.sync_api import Browser, sync_playwright
from rounds import print_table, summary
from test_web import served

from rlsweep.settings import Settings
from rlsweep.store.opening import open_database

ROUNDS = 10
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
NOTE_ROWS = """new MutationObserver((_, observer) => {
    if (!document.querySelector("#runs tbody tr[data-key]")) return;
    observer.disconnect();
    requestAnimationFrame(() => { window.rowsAt = performance.now(); });
}).observe(document, { childList: true, subtree: true })"""


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Seconds from the click: until anything is painted, until the rows are, until their sparklines are."""

    paint: float
    rows: float
    sparklines: float


def wait_for_list(browser: Browser, address: str) -> Wait:
    """Open the list in a browser context without a cache."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.add_init_script(NOTE_ROWS)
        page.goto(f"{address}/training", wait_until="commit")
        page.wait_for_selector("#runs .sparkline path", state="attached")
        sparklines = page.evaluate("performance.now()")
        page.wait_for_function(PAINTED)  # it is told a little later
        return Wait(
            paint=page.evaluate(PAINTED) / 1e3, rows=page.evaluate("window.rowsAt") / 1e3, sparklines=sparklines / 1e3
        )


def measure(browser: Browser, home: Path, *, rounds: int) -> list[Wait]:
    """Open the list again and again; the browser's very first page is slow, and not counted."""
    with served(home) as (address, _):
        return [wait_for_list(browser, address) for _ in range(1 + rounds)][1:]


def table(waits: Sequence[Wait]) -> Mapping[str, str]:
    return {
        "first paint (reach 1 s)": summary([wait.paint for wait in waits], " s"),
        "the rows": summary([wait.rows for wait in waits], " s"),
        "their sparklines": summary([wait.sparklines for wait in waits], " s"),
    }


def test_first_paint() -> None:
    size = web_record.FULL
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        home = Path(name)
        with open_database(Settings(home=home, storage=home, database_url=None)) as database:
            web_record.load(database, size)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            waits = measure(browser, home, rounds=ROUNDS)
            browser.close()
    print_table(f"The list of {size.runs:,} runs and {size.episodes:,} episodes, in Chromium", table(waits))
