"""The decision card of sweeps that lie in a real database: one record, for terminal, JSON and page."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from rlsweep.analysis.intervals import estimate
from rlsweep.reports.pick import pick_of
from rlsweep.reports.reference import difference_words
from rlsweep.reports.rendering import render
from rlsweep.reports.summary import as_json, summarise
from rlsweep.store import sweeps
from tests.helpers.raced import create_race, drawn, run_race

pytestmark = pytest.mark.integration

CRASH = "ValueError: no legal action left"


@pytest.fixture(scope="module")
def cards(embedded_database, copy_of, record_into, course):
    """Reports of sweeps that differ in what they can say."""
    good, base = course(win_rate=0.97, learning_rate=1e-3), course(win_rate=0.8)
    poor, broken = course(win_rate=0.5, learning_rate=1e-4), course(learning_rate=0.1, error=CRASH)
    found = SimpleNamespace()
    with copy_of(embedded_database) as database:

        def record(name, courses, seeds=3):
            setattr(found, name, summarise(database, record_into(database, courses, seeds=seeds, name=name)))

        record("clear", {None: base, "high": good, "low": poor, "wild": broken})
        record("close", {"a": course(win_rate=0.8), "b": course(win_rate=0.82, learning_rate=1e-3), "c": poor})
        record("one_seed", {None: base, "high": good, "low": poor}, seeds=1)
        record("two", {None: base, "high": good})
        record("one", {"high": good})
        record("short", {None: course(updates=1), "high": course(updates=1, learning_rate=1e-3), "low": poor})
        record("crashed", {None: broken, "high": course(learning_rate=1e-3, error=CRASH)})
        race = create_race(database, "raced", 5)
        run_race(database, race, drawn((0.2, 0.79, 0.8, 0.78, 0.55), noise=0.1, seed=3))
        sweeps.settle(database, race.sweep_id)
        found.raced = summarise(database, sweeps.get(database, race.sweep_id))
        yield found


def text_of(card, heading):
    return " ".join(line.text for line in card.lines if line.heading == heading)


def commands(card):
    return [step.command for step in card.to_be_sure]


def test_a_clear_sweep_is_claimed_and_set_against_its_base_config(cards):
    card = cards.clear.card
    assert (card.heading, card.take, card.is_winner, card.is_claimed) == (
        "Take ppo_agent_high",
        "ppo_agent_high",
        True,
        True,
    )
    assert card.risk <= 0.05
    assert "the winner" in text_of(card, "TAKE")
    assert "next is ppo_agent_v1 with" in text_of(card, "WHY")
    assert "At most 5% that a config is better by more than" in text_of(card, "RISK")
    scores = {config.name: [seed.score for seed in config.seeds] for config in cards.clear.configs}
    by_seed = [ours - base for ours, base in zip(scores["ppo_agent_high"], scores["ppo_agent_v1"], strict=True)]
    assert card.against.difference == estimate(by_seed)
    assert card.against.is_base
    assert text_of(card, "AGAINST").startswith("the base config ppo_agent_v1: +")
    assert commands(card) == ["rlsweep confirm clear", "rlsweep promote clear"]
    assert card.to_be_sure[0].runs == 5
    assert card.to_be_sure[0].seconds > 0
    assert card.to_be_sure[0].effort.startswith("about 5 runs, ")


def test_every_config_has_its_difference_to_the_reference(cards):
    found = {config.name: config.difference for config in cards.clear.configs}
    assert (cards.clear.reference.name, cards.clear.reference.is_base) == ("ppo_agent_v1", True)
    assert found["ppo_agent_high"] == cards.clear.card.against.difference
    assert found["ppo_agent_v1"] is None
    assert found["ppo_agent_wild"] is None, "all its runs failed"
    assert found["ppo_agent_low"].mean < 0
    close = {config.name: config.difference for config in cards.close.configs}
    second = cards.close.configs[1].name
    assert (cards.close.reference.name, cards.close.reference.is_base) == (second, False)
    assert close[cards.close.card.take] == cards.close.card.against.difference
    assert text_of(cards.close.card, "AGAINST").startswith(f"the runner-up {second}: ")


def test_a_close_sweep_states_its_risk_and_what_would_settle_it(cards):
    card = cards.close.card
    assert not card.is_claimed
    assert 0.05 < card.risk <= 1
    assert card.promise > card.tolerance > 0
    assert "The tolerance is a tenth of the way" in text_of(card, "RISK")
    race, confirm, promote = card.to_be_sure
    assert race.command.startswith("rlsweep race close")
    assert race.runs >= 1
    assert race.seconds > 0
    assert confirm.command == "rlsweep confirm close"
    assert promote.command == "rlsweep promote close"


@pytest.mark.parametrize(
    ("name", "heading", "but", "wanted"),
    [
        ("one_seed", "Take ppo_agent_high", "With one seed a config", ["race one_seed", "confirm one_seed"]),
        ("two", "Take ppo_agent_high", "With 2 configs no risk can be stated", ["confirm two"]),
        ("one", "Take ppo_agent_high", "", ["confirm one"]),
        ("crashed", "Nothing to take yet", "", ["retry crashed"]),
    ],
)
def test_where_nothing_can_be_claimed_it_says_why_and_what_to_do(cards, name, heading, but, wanted):
    card = getattr(cards, name).card
    assert card.heading == heading
    assert (card.is_claimed, card.risk, card.promise) == (False, None, None)
    assert but in text_of(card, "BUT")
    assert [command for command in commands(card) if "promote" not in command] == [f"rlsweep {each}" for each in wanted]


def test_one_config_and_no_run_take_one_sentence(cards):
    (line,) = cards.one.card.lines
    assert "is the only config, so that nothing was compared" in line.text
    (line,) = cards.crashed.card.lines
    assert line.text == "No run is complete yet."
    assert cards.crashed.card.to_be_sure[0].runs == 6
    assert cards.one_seed.card.to_be_sure[0].effort.startswith("at most 4 runs, ")  # half of 5 seeds, less one each


def test_a_race_has_its_own_answer_and_the_runs_that_would_settle_it(cards):
    card, race = cards.raced.card, cards.raced.race
    assert card.take == race.take
    assert (card.risk, card.promise, card.tolerance) == (race.risk, race.promise, race.tolerance)
    assert [line for line in card.lines if line.heading != "AGAINST"] == list(cards.raced.race_lines)
    assert card.against.name == race.runner_up.name
    assert commands(card) == ["rlsweep race raced --cap 1", "rlsweep confirm raced", "rlsweep promote raced"]
    assert card.to_be_sure[0].runs == race.runs_to_settle >= 1


def test_the_card_takes_what_promote_takes_and_is_in_report_and_json(cards):
    for report in vars(cards).values():
        pick = pick_of(report, report.race, report.race_lines)
        assert report.card.take == (None if pick is None else pick.config.name)
        out = io.StringIO()
        render(report, Console(file=out, width=120))
        printed = " ".join(out.getvalue().split())
        for line in report.card.lines:
            assert f"{line.heading} {line.text}" in printed
        for config in report.configs:
            if config.difference is not None:
                assert f"less {report.reference.words}: {difference_words(config.difference)}" in printed
        for step in report.card.to_be_sure:
            assert step.command in out.getvalue()
        assert as_json(report)["card"]["heading"] == report.card.heading


def test_the_table_has_the_difference_where_there_is_room(cards):
    def printed(report, width):
        out = io.StringIO()
        render(report, Console(file=out, width=width))
        return out.getvalue()

    row = next(line for line in printed(cards.clear, 160).splitlines() if "To the base" in line)
    assert row.index("To the base") > row.index("Score")
    assert "To the base" not in printed(cards.clear, 60)
    assert "To the runner-up" in printed(cards.close, 160)


def test_a_sweep_that_runs_says_what_is_known_so_far(database, record_sweep, course):
    sweep = record_sweep(
        {None: course(win_rate=0.8), "high": course(win_rate=0.97, learning_rate=1e-3), "low": course()}
    )

    def card_with(condition):
        with database.connect() as connection:
            connection.execute("update sweeps set status = 'running', finished_at = null")
            connection.execute(
                "update training_runs set status = 'running', ended_at = null, end_reason = null where " + condition
            )
        return summarise(database, sweeps.get(database, sweep.id)).card

    card = card_with("seed = 2 and config_short_name like '%high'")
    assert (card.heading, card.is_final, card.to_be_sure) == ("Take ppo_agent_high for now", False, ())
    assert "1 run not finished yet" in text_of(card, "TAKE")
    card = card_with("true")
    assert (card.heading, card.take) == ("Nothing to take yet", None)
    assert "No run is complete yet. So far ppo_agent_high scores best: 0.8" in text_of(card, "TAKE")
