"""The race against training every config: how often each picks a good config, at what cost, and what it may claim.

On the project's synthetic families, and on recorded learning curves where RACE_CURVES names an .npz file of tables,
each an array (configs, seeds, 10 points of the budget).
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from race_bound import informed
from race_families import REGULAR, Problem, is_sparse, recorded, recorded_curves
from race_methods import Method, Pick, asha_from_half, grid, race

DRAWS = int(os.environ.get("RACE_DRAWS", "2000"))
RISK = 0.05

GRID, TWO, ASHA = "every config × 5 seeds", "every config × 2 seeds", "ASHA, first rung at half"
THIRD, HALF = "race, cap 1/3", "race, cap 1/2"
BOUNDS = {f"knows the table, {name}": informed(cap) for name, cap in (("cap 1/3", 1 / 3), ("cap 1/2", 1 / 2))}
METHODS: dict[str, Method] = {
    GRID: grid(5),
    TWO: grid(2),
    ASHA: asha_from_half(),
    THIRD: race(1 / 3),
    HALF: race(1 / 2),
}

Draws = dict[str, list[tuple[Problem, Pick]]]


def draw(problems: Iterator[Problem], methods: dict[str, Method] = METHODS) -> Draws:
    """Every method on the same problems."""
    found: Draws = {name: [] for name in methods}
    for number, problem in enumerate(problems):
        for name, method in methods.items():
            found[name].append((problem, method(problem, np.random.default_rng((number, 1)))))
    return found


def of_family(name: str, draws: int, configs: int = 16) -> Iterator[Problem]:
    return (REGULAR[name](np.random.default_rng((number, 2)), configs) for number in range(draws))


def of_tables(tables: Sequence[np.ndarray], draws: int, configs: int) -> Iterator[Problem]:
    """Of the tables in turn."""
    return (
        recorded(tables[number % len(tables)], np.random.default_rng((number, 3)), configs) for number in range(draws)
    )


def is_good(drawn: Sequence[tuple[Problem, Pick]]) -> np.ndarray:
    return np.array([problem.is_good[pick.config] for problem, pick in drawn])


def difference(found: Draws, one: str, other: str) -> tuple[float, float]:
    """Of how often they pick a good config, paired by draw: mean and half of its 95% interval."""
    gaps = is_good(found[one]).astype(float) - is_good(found[other])
    return float(gaps.mean()), float(1.96 * gaps.std() / np.sqrt(len(gaps)))


def false_winner(problem: Problem, pick: Pick) -> bool:
    return pick.is_named and bool(np.delete(problem.regret, pick.config).min() <= problem.regret[pick.config] + 1e-12)


def kept(drawn: Sequence[tuple[Problem, Pick]]) -> np.ndarray:
    """Of the promises made, which held."""
    made = [(problem.regret[pick.config], pick.promise) for problem, pick in drawn if pick.promise is not None]
    return np.array([regret <= promise + 1e-12 for regret, promise in made])


def true_claims(drawn: Sequence[tuple[Problem, Pick]]) -> np.ndarray:
    """Of the picks whose risk was claimed to be at most 5%, which are good."""
    claimed = [(problem, pick) for problem, pick in drawn if pick.risk is not None and pick.risk <= RISK]
    return is_good(claimed)


def print_draws(title: str, found: Draws) -> None:
    print(f"\n{title}, {len(next(iter(found.values()))):,} draws")
    print(f"{'':26s}   good  regret  cost  named  false  claim   true   kept")
    for name, drawn in found.items():
        regret = np.mean([problem.regret[pick.config] for problem, pick in drawn])
        named, false = np.mean([(pick.is_named, false_winner(problem, pick)) for problem, pick in drawn], axis=0)
        row = f"{name:26s} {is_good(drawn).mean():6.1%} {regret:7.4f} {cost(drawn):5.2f} {named:6.1%} {false:6.1%}"
        if len(kept(drawn)):
            claims = true_claims(drawn)
            truth = f"{claims.mean():6.1%}" if len(claims) else "      "
            row += f" {len(claims) / len(drawn):6.1%} {truth} {kept(drawn).mean():6.1%}"
        print(row, flush=True)


def cost(drawn: Sequence[tuple[Problem, Pick]]) -> float:
    return float(np.mean([pick.cost for _, pick in drawn]))


def check_at_least(found: Draws, one: str, other: str, *, margin: float, cost_at_most: float) -> None:
    """`one` picks a good config at least as often as `other`, plus the margin, unless 95% intervals allow for it."""
    mean, half = difference(found, one, other)
    print(f"{one} less {other}: {100 * mean:+.1f} ± {100 * half:.1f} points, at a cost of {cost(found[one]):.2f}")
    assert mean + half >= margin, (one, other)
    assert cost(found[one]) <= cost_at_most, one


def test_the_race_on_synthetic_families() -> None:
    for name in REGULAR:
        found = draw(of_family(name, DRAWS // len(REGULAR)))
        print_draws(f"{name}, 16 configs", found)
        for race_name in (THIRD, HALF):
            false = np.mean([false_winner(*drawn) for drawn in found[race_name]])
            assert false <= 0.05, (name, race_name)
            held = kept(found[race_name])
            assert held.mean() + 1.96 * held.std() / np.sqrt(len(held)) >= 0.95, (name, race_name)


@pytest.mark.skipif("RACE_CURVES" not in os.environ, reason="RACE_CURVES names no file of recorded curves")
def test_the_race_on_recorded_curves() -> None:
    """The bars hold where the model of the race does; of all tables, sparse ones too, the figures are shown."""
    tables = list(recorded_curves(Path(os.environ["RACE_CURVES"])).values())
    regular = [table for table in tables if not is_sparse(table)]
    of_32 = {name: METHODS[name] for name in (GRID, ASHA, THIRD)}
    sparse = [table for table in tables if is_sparse(table)]
    print_draws(f"{len(tables)} recorded tables, 16 configs", draw(of_tables(tables, DRAWS, 16), METHODS | BOUNDS))
    print_draws(f"{len(sparse)} of them that are sparse", draw(of_tables(sparse, DRAWS // 4, 16), METHODS | BOUNDS))
    print_draws(f"{len(tables)} recorded tables, 32 configs", draw(of_tables(tables, DRAWS, 32), of_32))

    found = draw(of_tables(regular, DRAWS, 16))
    print_draws(f"{len(regular)} recorded tables that are not sparse, 16 configs", found)
    check_at_least(found, THIRD, GRID, margin=-0.03, cost_at_most=1 / 3)
    check_at_least(found, HALF, GRID, margin=0.0, cost_at_most=1 / 2)
    check_at_least(found, HALF, ASHA, margin=0.05, cost_at_most=1 / 2)
    for name in (THIRD, HALF):
        held = kept(found[name])
        assert held.mean() + 1.96 * held.std() / np.sqrt(len(held)) >= 0.95, name

    found = draw(of_tables(regular, DRAWS, 32), of_32)
    print_draws(f"{len(regular)} recorded tables that are not sparse, 32 configs", found)
    check_at_least(found, THIRD, GRID, margin=0.0, cost_at_most=1 / 3)
    check_at_least(found, THIRD, ASHA, margin=0.05, cost_at_most=1 / 3)
