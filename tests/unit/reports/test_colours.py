"""A config keeps its colour from sweep to sweep; no two configs of a page have the same."""

from uuid import UUID

from rlsweep.reports.colours import BASE, _distinct, assigned
from rlsweep.store.listing import RecordedConfig


def recorded(sweep: int, *names: str) -> list[RecordedConfig]:
    return [
        RecordedConfig(together=UUID(int=sweep), config=name, config_hash="c0ffee", name=name, is_base=name == "base")
        for name in names
    ]


def colours(configs: list[RecordedConfig]) -> dict[str, int]:
    return {name: colour for (name, _), colour in assigned(configs).items()}


def test_a_config_keeps_the_colour_of_its_first_sweep() -> None:
    first = recorded(1, "lr_low", "lr_high", "base")
    assert colours(first) == {"base": BASE, "lr_high": 1, "lr_low": 2}
    both = colours([*first, *recorded(2, "gamma_low", "lr_low", "base")])
    assert both == {"base": BASE, "lr_high": 1, "lr_low": 2, "gamma_low": 1}


def test_of_two_with_one_colour_the_later_takes_another() -> None:
    given = assigned([*recorded(1, "base", "a", "b"), *recorded(2, "c"), *recorded(3, "d")])
    assert list(given.values()) == [1, 2, BASE, 1, 1]
    assert list(_distinct(given).values()) == [1, 2, BASE, 3, 4]
