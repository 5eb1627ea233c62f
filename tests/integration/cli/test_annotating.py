"""`rlsweep note`, and what lists, tables and Python say of notes and tags."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import rlsweep
from rlsweep.cli import main
from rlsweep.settings import Settings
from rlsweep.store import training_runs
from rlsweep.store.database import Database

pytestmark = pytest.mark.integration


@pytest.fixture
def typed(database: Database, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command prints; it must end with this code."""

    def run(*arguments: str, expect: int = 0) -> str:
        code = main(arguments, {"RLSWEEP_DATABASE_URL": database.url})
        printed = capsys.readouterr()
        assert code == expect, printed.err
        return printed.out + printed.err

    return run


def test_a_note_and_tags_are_written_shown_and_found(
    typed: Callable[..., str], database: Database, record_sweep: Any, course: Any
) -> None:
    sweep = record_sweep({None: course()}, seeds=2)
    record_sweep({None: course()}, seeds=1, name="other")
    run = str(training_runs.ids_of_sweep(database, sweep.id)[0])
    assert "tags" not in typed("runs") + typed("sweeps"), "no column without a tag"
    assert typed("note", "night", "For the paper", "--tag", "Good", "--tag", "todo") == (
        "tags: good, todo\nnote: For the paper\n"
    )
    assert typed("note", "night", "--untag", "todo") == "tags: good\nnote: For the paper\n"
    written = json.loads(typed("note", run[:8], "Entropy fell", "--tag", "odd", "--json"))
    assert written == {"note": "Entropy fell", "tags": ["odd"], "version": 1}
    assert typed("note", run[:8]) == "tags: odd\nnote: Entropy fell\n"
    shown = typed("show", run[:8])
    assert "note               Entropy fell" in shown
    assert "tags               odd" in shown
    assert json.loads(typed("show", run[:8], "--json"))["run"]["tags"] == ["odd"]
    listed = typed("sweeps", "--tag", "GOOD")
    assert "night" in listed
    assert "other" not in listed
    assert [each["id"] for each in json.loads(typed("runs", "--tag", "odd", "--json"))] == [run]
    assert typed("runs", "--tag", "good") == "No training runs match.\n"
    assert typed("sweeps", "--tag", "none") == "No sweeps match.\n"
    assert "Tag 'two words' cannot be used" in typed("note", "night", "--tag", "two words", expect=2)
    assert "Did you mean night" in typed("note", "nigth", "x", expect=2)
    assert typed("note", "night", "") == "tags: good\nnote: none\n"


def test_python_reads_writes_and_exports_them(database: Database, record_sweep: Any, course: Any) -> None:
    sweep = record_sweep({None: course()}, seeds=2)
    settings = Settings.from_environ({"RLSWEEP_DATABASE_URL": database.url})
    ours = rlsweep.sweep("night", settings=settings)
    ours.annotate("a note", tag=["b", "A"])
    assert (ours.note, ours.tags) == ("a note", ("a", "b"))
    run = rlsweep.run(training_runs.ids_of_sweep(database, sweep.id)[1], settings=settings)
    run.annotate(tag=["odd", "long"])
    run.annotate("why", untag=["long"])
    assert (run.note, run.tags) == ("why", ("odd",))
    table = ours.runs()
    assert (table["note"].to_pylist(), table["tags"].to_pylist()) == (["", "why"], ["", "odd"])
