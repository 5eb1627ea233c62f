"""What modules of the pages do with values that no recorded run has, asked in the browser itself."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

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


def test_ticks_are_round_and_within(ask: Callable[..., Any]) -> None:
    assert ask("charts/ticks.js", "it.ticks(0, 1, 5)") == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ask("charts/ticks.js", "it.ticks(-3, 1234, 4)") == [0, 500, 1000]
    assert ask("charts/ticks.js", "it.clockTicks(0, 100, 5)") == [0, 30, 60, 90]
    assert ask("charts/ticks.js", "it.ticks(0, 0, 5)") == [0]
