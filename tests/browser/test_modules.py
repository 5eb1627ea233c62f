"""What modules of the pages do with values that no recorded run has, asked in the browser itself."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from rlsweep.web.parameters import MAX_COMPARED

pytestmark = [pytest.mark.integration, pytest.mark.browser]

MODULE = "/static/x/js/"
"""Any version is answered with the files as they are."""


@pytest.fixture
def ask(recorded, visit: Callable[..., Page]) -> Callable[..., Any]:
    """The value of a JavaScript expression with what the module exports at hand, and `given`."""
    page = visit(recorded.site, "/api/docs")

    def value(module: str, expression: str, given: Any = None) -> Any:
        return page.evaluate(
            f"async (given) => {{ const it = await import('{MODULE}{module}'); return {expression}; }}", given
        )

    return value


@pytest.mark.parametrize("value", [3e-4, 0.1, -12.5, 1e300])
def test_values_that_differ_in_their_last_bit_have_one_tick(ask: Callable[..., Any], value: float) -> None:
    above = value * (1 + 2**-52)
    assert ask("charts/ticks.js", "[it.ticks(...given, 5), it.clockTicks(...given, 5)]", sorted([value, above])) == [
        [min(value, above)],
        [min(value, above)],
    ]
    low, high = ask("charts/ranges.js", "it.span(given, 0.04)", [value, above])
    assert low < value - abs(value) * 0.09
    assert high > value + abs(value) * 0.09
    across = ask("charts/intervals.js", "it.rangeOf(given)", [value, above])
    assert across["high"] - across["low"] > abs(value) * 0.1


def test_no_more_are_compared_than_the_api_takes(ask: Callable[..., Any]) -> None:
    assert ask("parts/selection.js", "it.MAX_COMPARED") == MAX_COMPARED
    choose = """(() => {
        document.body.append(Object.assign(document.createElement("div"), { id: "selection-bar" }));
        const made = new it.Selection(() => {});
        made.set(Array.from({ length: given }, (_, index) => `run-${index}`), true);
        return [made.address, document.getElementById("selection-bar").textContent];
    })()"""
    for count, is_offered in ((1, False), (2, True), (MAX_COMPARED, True), (MAX_COMPARED + 1, False)):
        said = ask("parts/selection.js", choose, count)
        assert (said[0] is not None) == is_offered
        assert ("At most 200 runs can be compared" in said[1]) == (count > MAX_COMPARED)


def test_ticks_are_round_and_within(ask: Callable[..., Any]) -> None:
    assert ask("charts/ticks.js", "it.ticks(0, 1, 5)") == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ask("charts/ticks.js", "it.ticks(-3, 1234, 4)") == [0, 500, 1000]
    assert ask("charts/ticks.js", "it.wholeTicks(3, 11, 3)") == [5, 10]
    assert ask("charts/ticks.js", "it.wholeTicks(0, 2, 5)") == [0, 1, 2]
    assert ask("charts/ticks.js", "it.wholeTicks(1, 30_000, 4)") == [10_000, 20_000, 30_000]
    assert ask("charts/ticks.js", "it.clockTicks(0, 100, 5)") == [0, 30, 60, 90]
    assert ask("charts/ticks.js", "it.ticks(0, 0, 5)") == [0]


CUT_OFF = """(async () => {
    const real = window.fetch;
    const asked = [];
    const answers = [
        () => new Response('{"runs": [', { headers: { ETag: '"one"' } }),
        () => ({
            ok: true,
            headers: new Headers({ ETag: '"two"' }),
            json: async () => { throw new DOMException("", "AbortError"); },
        }),
        () => new Response('{"runs": []}', { headers: { ETag: '"three"' } }),
        () => new Response(null, { status: 304, headers: { ETag: '"three"' } }),
        () => new Response("not JSON", { status: 500 }),
    ];
    window.fetch = async (_address, options) => {
        asked.push(options.headers["If-None-Match"] ?? null);
        return answers[asked.length - 1]();
    };
    const found = [];
    for (const _ of answers) {
        const told = (error) => [error.name, error.status ?? null, error.isPassing ?? null];
        found.push(await it.get("/cut-off").catch(told));
    }
    window.fetch = real;
    return [found, asked];
})()"""


def test_an_answer_that_breaks_off_is_none(ask: Callable[..., Any]) -> None:
    found, asked = ask("core/api.js", CUT_OFF)
    assert found == [
        ["ApiError", 0, True],
        ["AbortError", None, None],
        {"runs": []},
        {"runs": []},
        ["ApiError", 500, False],
    ]
    assert asked == [None, None, None, '"three"', '"three"']


def test_asking_goes_on_after_a_request_that_was_given_up(ask: Callable[..., Any]) -> None:
    turns = """(async () => {
        const failures = [];
        const giveUp = async () => { throw new DOMException("", "AbortError"); };
        const poller = new it.Poller(giveUp, (error) => failures.push(error));
        await poller.now();
        const isGoingOn = poller.timer !== 0;
        window.clearTimeout(poller.timer);
        return [isGoingOn, failures.length];
    })()"""
    assert ask("core/polling.js", turns) == [True, 0]


@pytest.mark.parametrize(
    ("shown", "first", "expected"),
    [
        ("abcdef", "abc", "abcdef"),
        ("abcdef", "xab", "xabcdef"),
        ("abcdef", "acd", "acdef"),
        ("abcdef", "xyz", "xyzabcdef"),
        ("abcdef", "fab", "fabde"),  # c is further down, who knows where
        ("abcdef", "xcb", "xcbdef"),  # a is gone and x has come
    ],
)
def test_first_rows_read_anew_leave_the_others(ask: Callable[..., Any], shown: str, first: str, expected: str) -> None:
    merged = "it.withFirst(...given.map((ids) => [...ids].map((id) => ({ id })))).map((row) => row.id).join('')"
    assert ask("parts/paging.js", merged, [shown, first]) == expected


def test_a_failed_run_is_no_part_of_the_mean_of_updates(ask: Callable[..., Any]) -> None:
    draw = """(async () => {
        const curve = (run_id, mean) => ({ run_id, x: [10, 20], mean, min: mean, max: mean, count: [1, 1] });
        const real = window.fetch;
        const curves = [curve("good", [1, 2]), curve("bad", [100, 200])];
        window.fetch = async () => new Response(JSON.stringify({ curves }), { headers: { ETag: '"one"' } });
        const panel = new it.CurvesPanel("curves");
        panel.metric = "value_loss";
        const place = (label, isFailed) => ({ config: "one", label, isFailed });
        const places = new Map([["good", place("seed 0", false)], ["bad", place("seed 1", true)]]);
        const notes = [];
        await panel.update({ run: ["good", "bad"] }, new Map(), places, { axis: "", at: [] });
        notes.push(panel.card.note.textContent);
        panel.x = "seconds";
        await panel.load();
        notes.push(panel.card.note.textContent);
        window.fetch = real;
        return [panel.card.content.series.map((series) => [series.id, series.y]), notes];
    })()"""
    series, notes = ask("comparison/curves.js", draw)
    assert series == [["one", [1, 2]]]
    assert notes[0] != notes[1] == "Updates and evaluations are recorded over env steps."
