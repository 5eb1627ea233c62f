"""Notes, tags and saved views on record."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from rlsweep.errors import ChangedMeanwhileError, InputError, NotFoundError, StoreReadOnlyError
from rlsweep.store import annotations, deletion, listing, saved_views, sweep_listing, sweeps, training_runs
from rlsweep.store.annotations import MAX_NOTE, MAX_TAG, MAX_TAGS, Annotation
from rlsweep.store.database import Database
from rlsweep.store.listing import Filters
from rlsweep.store.listing_order import Order
from rlsweep.store.saved_views import MAX_NAME, MAX_QUERY, ViewPage
from rlsweep.sweep_records import Sweep

pytestmark = pytest.mark.integration

Make = Callable[..., Any]

NOWHERE = Database("postgresql://127.0.0.1:1/none")


def config(environment: str) -> dict[str, Any]:
    return {"agent": {}, "training": {"environment": {"id": environment}}, "budget": {"episodes": 9}}


@pytest.fixture
def swept(database: Database, new_sweep: Make, new_run: Make) -> Sweep:
    """A sweep of two runs, in two environments."""
    planned = [new_run(config=config("CartPole-v1"), seed=0), new_run(config=config("Acrobot-v1"), seed=1)]
    return sweeps.create(database, new_sweep(base_config={"environment": {"id": "CartPole-v1"}}), planned)


def seeds(database: Database, **filters: Any) -> list[int]:
    return sorted(run.seed for run in listing.list_page(database, Order(), Filters(**filters), 50).runs)


def test_what_is_written_is_read_wherever_the_record_is(database: Database, swept: Sweep) -> None:
    first, second = training_runs.of_sweep(database, swept.id)
    for target in (swept, first):
        assert annotations.annotation_of(target) == Annotation(note="", tags=(), version=0)
        written = annotations.annotate(database, target, note=" a\r\nnote\t", tag=["Good", "lr:low", "good"])
        assert written == Annotation(note="a\nnote", tags=("good", "lr:low"), version=1)
        assert annotations.annotate(database, target, tag=["good"], untag=["gone"]) == written, "nothing to change"
    assert annotations.annotate(database, first, untag=["lr:low"]) == Annotation(
        note="a\nnote", tags=("good",), version=2
    )
    assert annotations.annotation_of(sweeps.get(database, swept.id)).version == 1
    (listed,) = sweep_listing.list_page(database, tags=["good", "lr:low"]).sweeps
    assert annotations.annotation_of(listed.sweep) == annotations.annotation_of(sweeps.get(database, "latest"))
    assert sweeps.list_recent(database, tags=["other"]) == []
    run = training_runs.get(database, first.id)
    assert annotations.annotation_of(run) == Annotation(note="a\nnote", tags=("good",), version=2)
    assert annotations.annotation_of(training_runs.get(database, second.id)).tags == ()
    (row,) = listing.list_page(database, Order(), Filters(tags=("good",)), 50).runs
    assert annotations.annotation_of(row) == annotations.annotation_of(run)
    assert [run.seed for run in training_runs.list_runs(database, tags=["good"])] == [0]


def test_filters_and_search_find_environment_note_and_tags(database: Database, swept: Sweep) -> None:
    first, second = training_runs.of_sweep(database, swept.id)
    annotations.annotate(database, first, note="Entropy fell", tag=["good", "long"])
    annotations.annotate(database, second, tag=["good"])
    annotations.annotate(database, swept, note="For the paper", tag=["night"])
    assert seeds(database, tags=("good",)) == [0, 1]
    assert seeds(database, tags=("good", "long")) == [0]
    assert seeds(database, environments=("Acrobot-v1",)) == [1]
    assert seeds(database, environments=("Acrobot-v1", "CartPole-v1"), tags=("long",)) == [0]
    assert (
        seeds(database, words="ENTROPY fell") == seeds(database, words="lon") == seeds(database, words="cartp") == [0]
    )
    for words, found in (("PAPER", 1), ("nigh", 1), ("cartpole", 1), ("acrobot", 0)):
        assert sweep_listing.list_page(database, words=words).total == found
    assert sweep_listing.list_page(database, environments=["Acrobot-v1"]).total == 0
    assert sweep_listing.list_page(database, environments=["CartPole-v1"], tags=["night"]).total == 1
    assert [(each.tag, each.runs, each.sweeps) for each in annotations.tags(database)] == [
        ("good", 2, 0),
        ("long", 1, 0),
        ("night", 0, 1),
    ]
    assert [(each.environment, each.runs) for each in annotations.environments(database)] == [
        ("Acrobot-v1", 1),
        ("CartPole-v1", 1),
    ]


def test_a_lost_update_is_noticed(database: Database, swept: Sweep) -> None:
    annotations.replace(database, swept, note="one", tags=["a"], version=0)
    with pytest.raises(ChangedMeanwhileError):
        annotations.replace(database, swept, note="two", tags=[], version=0)
    assert annotations.annotation_of(sweeps.get(database, swept.id)) == Annotation(note="one", tags=("a",), version=1)
    assert annotations.replace(database, swept, note="two", tags=[], version=1).version == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"note": "x" * (MAX_NOTE + 1)}, r"has 4,001 characters; at most 4,000"),
        ({"note": "\x1b[2J"}, r"control character U\+001B"),
        ({"note": "evil\u202egnp"}, r"control character U\+202E"),
        ({"note": "\ud800"}, r"control character U\+D800"),
        ({"tag": ["two words"]}, "Tag 'two words' cannot be used"),
        ({"tag": ["<b>"]}, "Tag '<b>' cannot be used"),
        ({"tag": ["-x"]}, "beginning with a letter or digit"),
        ({"tag": [""]}, "cannot be used"),
        ({"tag": ["x" * (MAX_TAG + 1)]}, "at most 40 letters"),
        ({"tag": [f"t{n}" for n in range(MAX_TAGS + 1)]}, "21 tags are too many; at most 20"),
        ({"tag": ["a"], "untag": ["A"]}, "added and removed at once"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_asked(given: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        annotations.annotate(NOWHERE, None, **given)  # type: ignore[arg-type]


def test_the_longest_that_is_allowed_fits(database: Database, swept: Sweep) -> None:
    longest = ["é" * MAX_TAG, *(f"t{n}" for n in range(MAX_TAGS - 1))]
    written = annotations.annotate(database, swept, note="é" * MAX_NOTE, tag=longest)
    assert (len(written.note), len(written.tags)) == (MAX_NOTE, MAX_TAGS)
    with pytest.raises(InputError, match="too many"):
        annotations.annotate(database, swept, tag=["one-more"])


def test_notes_go_with_what_they_are_about(database: Database, swept: Sweep) -> None:
    runs = training_runs.of_sweep(database, swept.id)
    for target in (swept, *runs):
        annotations.annotate(database, target, tag=["gone"])
    deletion.finish(database, runs, sweep_id=swept.id)
    assert annotations.tags(database) == []
    for target in (swept, runs[0]):
        with pytest.raises(NotFoundError):
            annotations.replace(database, target, note="x", tags=[], version=1)


def test_a_user_without_the_right_to_write_is_told(database: Database, swept: Sweep) -> None:
    reader = Database(f"{database.url} options='-c default_transaction_read_only=on'")
    with pytest.raises(StoreReadOnlyError, match="read-only transaction"):
        annotations.annotate(reader, swept, note="x")
    assert annotations.environments(reader), "reading goes on"


def test_views(database: Database) -> None:
    saved = saved_views.save(
        database,
        name="  Failed   ones ",
        page=ViewPage.RUNS,
        query="?status=failed&q=a+%3Cb%3E&token=s3cret&cursor=x&n=",
    )
    assert (saved.name, saved.query, saved.version) == ("Failed ones", "status=failed&q=a+%3Cb%3E", 1)
    other = saved_views.save(database, name="a comparison", page=ViewPage.COMPARE, query="runs=a,b")
    assert saved_views.all_views(database) == [other, saved]
    with pytest.raises(InputError, match="named 'FAILED ones' already"):
        saved_views.save(database, name="FAILED ones", page=ViewPage.SWEEPS, query="")
    with pytest.raises(InputError, match="named 'a Comparison' already"):
        saved_views.rename(database, saved.id, name="a Comparison", version=1)
    renamed = saved_views.rename(database, saved.id, name="failed Ones", version=1)
    assert saved_views.get(database, saved.id) == renamed
    assert (renamed.name, renamed.version) == ("failed Ones", 2)
    with pytest.raises(ChangedMeanwhileError, match="failed Ones"):
        saved_views.rename(database, saved.id, name="late", version=1)
    saved_views.delete(database, saved.id)
    for gone in (
        lambda: saved_views.delete(database, saved.id),
        lambda: saved_views.get(database, saved.id),
        lambda: saved_views.rename(database, uuid4(), name="x", version=1),
    ):
        with pytest.raises(NotFoundError):
            gone()
    assert saved_views.all_views(database) == [other]


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        (" ", "", f"1 to {MAX_NAME} characters, not 0"),
        ("x" * (MAX_NAME + 1), "", "not 81"),
        ("\x1b[2J", "", r"control character U\+001B"),
        ("long", "q=" + "x" * MAX_QUERY, "at most 16,000"),
        ("many", "&".join(["a=1"] * 1_001), "cannot be read"),
    ],
)
def test_a_view_that_cannot_be_saved_is_refused_before_anything_is_asked(name: str, query: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        saved_views.save(NOWHERE, name=name, page=ViewPage.RUNS, query=query)


def test_views_have_a_limit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MAX_VIEWS", 1)
    saved_views.save(database, name="one", page=ViewPage.RUNS, query="")
    with pytest.raises(InputError, match="Delete one first"):
        saved_views.save(database, name="two", page=ViewPage.RUNS, query="")
