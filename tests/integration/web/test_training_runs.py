"""The list of runs, its filters, orders and pages, and one run."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import httpx
import pytest

from rlsweep.config.stepped import last_value
from rlsweep.reports import history, score_order
from rlsweep.runs import Checkpoint, EndReason, Episode, NewRun, Outcome
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.listing import Place
from rlsweep.store.listing_order import Hyperparameter, Order, SortKey, key_of, values_of
from rlsweep.sweep_records import NewSweep
from rlsweep.web.parameters import write_cursor

pytestmark = pytest.mark.integration

HOSTILE = '<script>alert("x")</script>\'\u202e%_\\' + "x" * 10_000


NO_SCORE = Place(value="none", id=UUID(int=0), as_of=None)


def nobody(_run: dict[str, Any]) -> bool:
    return False


def everybody(_run: dict[str, Any]) -> bool:
    return True


@pytest.fixture(scope="module")
def crowded(
    embedded_database: Database,
    copy_of: Callable[[Database], AbstractContextManager[Database]],
    new_run: Callable[..., NewRun],
    new_sweep: Callable[..., NewSweep],
) -> Iterator[Database]:
    """Forty runs of two sweeps and of none, in every status, many of them alike in what they are sorted by."""
    with copy_of(embedded_database) as database:
        _fill(database, new_run, new_sweep)
        yield database


@pytest.fixture(scope="module")
def crowd(crowded: Database, serving: Callable[..., AbstractContextManager[httpx.Client]]) -> Iterator[httpx.Client]:
    """A client over those, which no test changes."""
    with serving(crowded) as client:
        yield client


@pytest.fixture
def growing(crowded: Database, copy_of: Callable[[Database], AbstractContextManager[Database]]) -> Iterator[Database]:
    """A copy of those for this test alone."""
    with copy_of(crowded) as database:
        yield database


def _fill(database: Database, new_run: Callable[..., NewRun], new_sweep: Callable[..., NewSweep]) -> None:
    planned = [
        new_run(
            agent_id=f"agent_{number % 3}",
            seed=number % 4,
            config_short_name=f"agent_{number % 3}_v{number % 5}",
            config={
                "agent": {
                    "learning_rate": [0.001, 3e-05, "linear_0.001", 0.25, {"0": 0.01, "9": 0.3, "10": 5e-4}][
                        number % 5
                    ],
                    "ppo": {"target_kl": None if number % 3 else 0.01 * (number % 6)},
                    "network": {"net_arch": [[64, 64], [8], [64]][number % 3]} if number % 5 else {},
                    "description": f"about {number % 7}",
                },
                "budget": {"episodes": 100, "total_timesteps": None},
                "training": {"environment": {"id": "CliffWalking-v1" if number < 30 else "CartPole-v1"}},
            },
        )
        for number in range(40)
    ]
    for name, part in (("spring", planned[:15]), ("autumn", planned[15:30])):
        sweeps.create(database, new_sweep(name=name), part)
    for run in planned[30:]:
        transitions.create_single(database, run)
    runs = training_runs.list_runs(database, limit=None)
    for number, run in enumerate(runs):
        if number % 5 == 0:
            continue
        taken = transitions.begin_attempt(database, run.id, {})
        assert taken is not None
        progress = recording.Progress(
            episodes=number % 6,
            updates=1,
            env_steps=10 * (number % 6),
            mean_reward=None if number % 4 == 0 else float(number % 3),
            win_rate=None if number % 3 == 0 else 0.5,
        )
        recording.flush(database, run.id, 1, recording.Batch(progress=progress))
        if number % 5 != 1:
            ends = (EndReason.COMPLETED, EndReason.STOPPED, EndReason.FAILED)
            transitions.finish(
                database, run.id, 1, ends[number % 5 - 2], "a\nValueError: no" if number % 5 == 4 else None
            )


def listed(web: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = web.get("/api/training-runs", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def pages(web: httpx.Client, **asked: Any) -> Iterator[dict[str, Any]]:
    page = listed(web, **asked)
    yield page
    while page["next_cursor"] is not None:
        page = listed(web, cursor=page["next_cursor"], **asked)
        yield page


def column(run: dict[str, Any], key: str) -> Any:
    """What a row is sorted by."""
    if key == "started_at":
        return run["started_at"] or run["created_at"]
    return run[{"sweep": "sweep_name", "duration": "seconds"}.get(key, key)]


@pytest.mark.parametrize("sort", [sign + key for key in SortKey for sign in ("", "-")])
def test_every_order_lists_every_run_once_and_in_order(crowd: httpx.Client, sort: str) -> None:
    found = list(pages(crowd, sort=sort, limit=7))
    assert {page["total"] for page in found} == {40}
    assert [len(page["runs"]) for page in found] == [7, 7, 7, 7, 7, 5]
    rows = [run for page in found for run in page["runs"]]
    assert len({run["id"] for run in rows}) == 40
    values = [column(run, sort.removeprefix("-")) for run in rows]
    known = [value for value in values if value is not None]
    assert values[: len(known)] == known, "what is not known comes last"
    if sort not in ("duration", "-duration"):  # those that run go on, from page to page
        assert known == sorted(known, reverse=sort.startswith("-"))


def test_newest_come_first(crowd: httpx.Client) -> None:
    rows = listed(crowd, limit=500)["runs"]
    moments = [column(run, "started_at") for run in rows]
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize("sort", ["-started_at", "-mean_reward", "seed"])
def test_pages_go_on_where_they_were_whatever_comes_in(
    growing: Database, serving: Any, new_run: Callable[..., NewRun], sort: str
) -> None:
    there = {str(run.id) for run in training_runs.list_runs(growing, limit=None)}
    seen = []
    with serving(growing) as web:
        for page in pages(web, sort=sort, limit=5):
            seen += [run["id"] for run in page["runs"]]
            transitions.create_single(growing, new_run(seed=0))
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_filters(crowd: httpx.Client) -> None:
    everything = listed(crowd, limit=500)["runs"]
    autumn = next(run["sweep_id"] for run in everything if run["sweep_name"] == "autumn")
    spring = next(run["sweep_id"] for run in everything if run["sweep_name"] == "spring")
    for asked, fits in (
        ({"agent_id": "agent_1"}, lambda run: run["agent_id"] == "agent_1"),
        ({"agent_id": ["agent_1", "agent_2"]}, lambda run: run["agent_id"] != "agent_0"),
        ({"status": ["failed", "running"]}, lambda run: run["status"] in ("failed", "running")),
        ({"sweep_id": autumn}, lambda run: run["sweep_name"] == "autumn"),
        ({"sweep_id": [autumn, spring]}, lambda run: run["sweep_name"] is not None),
        (
            {"agent_id": "agent_0", "status": "completed", "sweep_id": spring},
            lambda run: (run["agent_id"], run["status"], run["sweep_name"]) == ("agent_0", "completed", "spring"),
        ),
        ({"agent_id": "nobody"}, nobody),
    ):
        expected = [run["id"] for run in everything if fits(run)]
        page = listed(crowd, limit=500, **asked)
        assert [run["id"] for run in page["runs"]] == expected
        assert page["total"] == len(expected)


def test_words_are_found_wherever_people_look(crowd: httpx.Client) -> None:
    everything = listed(crowd, limit=500)["runs"]
    some = everything[3]["id"]
    for words, fits in (
        ("AGENT_1_V3", lambda run: run["config_short_name"] == "agent_1_v3"),
        ("autumn", lambda run: run["sweep_name"] == "autumn"),
        ("bout 3", None),
        ("maskableppo", everybody),
        ("cartpole", lambda run: run["sweep_id"] is None),
        ("cliffwalking", lambda run: run["sweep_id"] is not None),
        (some[:8], lambda run: run["id"] == some),
        (some, lambda run: run["id"] == some),
        ("100%", nobody),
        ("agent%v", nobody),
        ("agentx1", nobody),
        ("'; drop table training_runs; --", nobody),
        ("  ", everybody),
    ):
        found = {run["id"] for run in listed(crowd, limit=500, q=words)["runs"]}
        if fits is None:
            assert 0 < len(found) < len(everything)
        else:
            assert found == {run["id"] for run in everything if fits(run)}, words


def test_the_best_scores_come_first(
    database: Database, serving: Any, record_sweep: Any, course: Any, new_run: Callable[..., NewRun], monkeypatch: Any
) -> None:
    record_sweep({None: course(win_rate=0.5), "good": course(win_rate=0.9), "bad": course(win_rate=0.1)}, seeds=2)
    transitions.create_single(database, new_run())
    with serving(database) as web:
        for sort in ("score", "-score"):
            rows = [run for page in pages(web, sort=sort, limit=2) for run in page["runs"]]
            known = web.get("/api/training-runs/scores", params={"id": [run["id"] for run in rows]}).json()["scores"]
            values = [known[run["id"]]["value"] for run in rows[:-1]]
            assert values == sorted(values, reverse=sort == "-score")
            assert len(set(values)) > 2
            assert rows[-1]["id"] not in known, "what is not known comes last"
            assert {run["id"] for run in rows} == {run["id"] for run in listed(web)["runs"]}
        assert web.get(f"/api/training-runs?sort=score&cursor={write_cursor(NO_SCORE, 'score')}").status_code == 422
        read: list[UUID] = []
        scored = score_order.run_scores
        monkeypatch.setattr(
            score_order, "run_scores", lambda at, runs: read.extend(r.id for r in runs) or scored(at, runs)
        )
        with database.connect() as connection:
            connection.execute("update training_runs set heartbeat_at = now() where id = %s", (rows[0]["id"],))
        assert listed(web, sort="-score")["runs"][0]["id"] == rows[0]["id"]
        assert [str(run_id) for run_id in read] == [rows[0]["id"]], "only what has recorded more is read again"
        monkeypatch.setattr(score_order, "MOST_BY_SCORE", 6)
        refused = web.get("/api/training-runs?sort=score")
        assert (refused.status_code, "7 runs match" in refused.json()["error"]["message"]) == (422, True)
        assert len(listed(web, sort="score", q="good")["runs"]) == 2


def test_hyperparameters_of_rows(crowd: httpx.Client) -> None:
    ids = [run["id"] for run in listed(crowd, limit=3)["runs"]]
    found = crowd.get("/api/training-runs/hyperparameters", params={"id": [*ids, str(UUID(int=0))]}).json()
    assert found["hyperparameters"].keys() == set(ids)
    for run_id, values in found["hyperparameters"].items():
        agent = crowd.get(f"/api/training-runs/{run_id}").json()["config"]["agent"]
        shown = {"learning_rate": agent["learning_rate"], "ppo.target_kl": agent["ppo"]["target_kl"]}
        assert {key: values[key] for key in shown} == shown
        assert values.get("network.net_arch") == agent["network"].get("net_arch")
        assert values["network.ortho_init"] is True  # which older versions did not write
        assert "description" not in values


def test_percent_underscore_quote_and_backslash_are_letters(
    web: httpx.Client, database: Database, new_run: Callable[..., NewRun]
) -> None:
    for name in ("50%_sure", "50x1sure", "it's", "back\\slash"):
        transitions.create_single(database, new_run(config_name=name))
    for words, names in (
        ("%_", ["50%_sure"]),
        ("50", ["50%_sure", "50x1sure"]),
        ("'", ["it's"]),
        ("\\", ["back\\slash"]),
    ):
        assert sorted(run["config_name"] for run in listed(web, q=words)["runs"]) == names


def test_a_row(crowd: httpx.Client, crowded: Database) -> None:
    failed = listed(crowd, status="failed", limit=1)["runs"][0]
    run = training_runs.get(crowded, failed["id"])
    assert failed["error"] == "ValueError: no"
    assert failed["budget"] == {"episodes": 100, "total_timesteps": None}
    assert failed["progress"] == run.episodes / 100
    assert failed["seconds"] == pytest.approx((run.ended_at - run.started_at).total_seconds())
    assert failed["created_at"].endswith("+00:00")
    waiting = listed(crowd, status="pending", limit=1)["runs"][0]
    assert (waiting["seconds"], waiting["started_at"], waiting["progress"]) == (None, None, 0.0)
    assert listed(crowd, status="completed", limit=1)["runs"][0]["progress"] == 1.0


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("sort=mean_rewad", "did you mean mean_reward"),
        ("sort=id", "columns are "),
        ("sort=-hyperparameter:gama", "did you mean gamma"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("status=done", "status"),
        ("sweep_id=1", "sweep_id"),
        ("cursor=nonsense", "cursor"),
        ("cursor=W10", "cursor"),
        (f"q={'x' * 501}", "q"),
        ("q=%00", "value"),
        ("agent_id=a%00b", "value"),
        (f"sort=seed&cursor={write_cursor(Place(value='no number', id=UUID(int=0), as_of=None), 'seed')}", "value"),
    ],
)
def test_what_cannot_be_meant_is_said(web: httpx.Client, asked: str, says: str) -> None:
    answer = web.get(f"/api/training-runs?{asked}")
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "invalid"
    assert any(part in error["message"] for part in says.split("|"))


@pytest.mark.parametrize("key", ["learning_rate", "ppo.target_kl", "network.net_arch", "network.ortho_init"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_sorts_by_a_hyperparameter(crowd: httpx.Client, key: str, sign: str) -> None:
    found = list(pages(crowd, sort=f"{sign}hyperparameter:{key}", limit=7))
    ids = [run["id"] for page in found for run in page["runs"]]
    assert len(set(ids)) == len(ids) == 40
    shown = crowd.get("/api/training-runs/hyperparameters", params={"id": ids}).json()["hyperparameters"]
    values = [last_value(shown[each].get(key)) for each in ids]
    known = [value for value in values if value is not None]
    assert values[: len(known)] == known, "what is not known comes last"
    assert len(known) == {"ppo.target_kl": 14, "network.net_arch": 32}.get(key, 40)

    def place(value: Any) -> Any:  # as PostgreSQL compares JSON: texts before numbers, short lists before long ones
        return (len(value), value) if isinstance(value, list) else (not isinstance(value, str), value)

    assert known == sorted(known, key=place, reverse=sign == "-")


@pytest.mark.parametrize("key", ["learning_rate", "network.ortho_init"])
def test_the_config_of_a_run_is_read_once_to_sort_by_a_hyperparameter(crowded: Database, key: str) -> None:
    order = Order(key=Hyperparameter(key=key))
    by = key_of(order)
    statement = (
        f"explain select run.id, {by.expression} from {by.source} "
        f"where {by.expression} is not null order by {by.expression} desc, run.id desc limit 50"
    )
    with crowded.readonly() as connection:
        plan = "\n".join(row["QUERY PLAN"] for row in connection.execute(statement.encode(), values_of(order)))
    assert "Filter: (hyperparameter.value IS NOT NULL)" in plan, plan
    assert "Sort Key: hyperparameter.value DESC, run.id DESC" in plan, plan


def test_a_cursor_of_another_order_is_refused(crowd: httpx.Client) -> None:
    cursor = listed(crowd, limit=1)["next_cursor"]
    assert crowd.get("/api/training-runs", params={"cursor": cursor, "sort": "seed"}).status_code == 422


def test_what_is_left_blank_asks_for_nothing(crowd: httpx.Client) -> None:
    for address in ("/api/training-runs", "/api/sweeps"):
        blank = crowd.get(f"{address}?agent_id=&status=&sweep_id=&q=&sort=&cursor=")
        assert blank.status_code == 200, blank.text
        assert blank.json()["total"] == crowd.get(address).json()["total"]
    one = crowd.get("/api/training-runs?status=&status=completed&agent_id=").json()
    assert one["total"] == crowd.get("/api/training-runs?status=completed").json()["total"]


def test_nothing_on_record(web: httpx.Client) -> None:
    assert listed(web) == {"runs": [], "next_cursor": None, "total": 0}
    assert web.get("/api/training-runs/agents/list").json() == {"agents": []}


def test_agents(crowd: httpx.Client) -> None:
    agents = crowd.get("/api/training-runs/agents/list").json()["agents"]
    assert {agent["agent_id"]: agent["runs"] for agent in agents} == {"agent_0": 14, "agent_1": 13, "agent_2": 13}
    assert [agent["latest_at"] for agent in agents] == sorted((agent["latest_at"] for agent in agents), reverse=True)


def test_sparklines_follow_the_reward(
    web: httpx.Client, database: Database, record_sweep: Any, course: Any, new_run: Callable[..., NewRun]
) -> None:
    sweep = record_sweep({None: course(win_rate=1.0)}, seeds=1)
    (rising,) = training_runs.ids_of_sweep(database, sweep.id)
    waiting = str(transitions.create_single(database, new_run()).id)
    lines = web.get("/api/training-runs/sparklines", params={"id": [str(rising), waiting]}).json()["sparklines"]
    assert lines[waiting] == []
    assert len(lines[str(rising)]) == 24
    assert all(-1 <= value <= 1 for value in lines[str(rising)])
    assert sum(lines[str(rising)][12:]) > sum(lines[str(rising)][:12])


def test_five_hundred_sparklines_fit_into_one_address(web: httpx.Client) -> None:
    ids = [str(UUID(int=number)) for number in range(501)]
    answer = web.get("/api/training-runs/sparklines", params={"id": ids[:500]})
    assert answer.status_code == 200
    assert len(answer.json()["sparklines"]) == 500
    assert web.get("/api/training-runs/sparklines", params={"id": ids}).status_code == 422
    assert web.get("/api/training-runs/sparklines").status_code == 422


def test_a_run_with_all_that_is_known_of_it(
    web: httpx.Client, database: Database, record_sweep: Any, course: Any
) -> None:
    sweep = record_sweep({None: course(win_rate=0.8), "lr_high": course(learning_rate=1e-3)}, seeds=1)
    base, variant = training_runs.of_sweep(database, sweep.id)
    shown = web.get(f"/api/training-runs/{str(variant.id)[:8]}").json()
    assert shown["id"] == str(variant.id)
    assert shown["config"] == variant.config
    assert shown["hyperparameters"]["learning_rate"] == 1e-3
    assert shown["hyperparameters"]["network.net_arch"] == [256, 256]
    assert shown["base"] == {
        "name": "ppo_agent_v1",
        "run_id": str(base.id),
        "source": "the base config in the same sweep",
    }
    assert shown["differs_from_base"] == [{"key": "learning_rate", "value": 1e-3, "base": 3e-4}]
    figures = {each["name"]: each for each in shown["statistics"]}
    assert figures["episodes"]["text"] == "400"
    assert figures["last_reward"]["value"] > figures["first_reward"]["value"]
    assert figures["gain"]["text"].startswith("+")
    assert shown["score"] == figures["last_reward"]["value"]
    assert shown["score_definition"] == "training reward, mean of the last fifth"
    assert shown["score_win_rate"] == figures["training_win_rate"]["value"]
    asked = {"id": [shown["id"], "00000000-0000-0000-0000-000000000000"]}
    assert web.get("/api/training-runs/scores", params=asked).json()["scores"] == {
        shown["id"]: {
            "value": shown["score"],
            "definition": shown["score_definition"],
            "win_rate": shown["score_win_rate"],
        }
    }
    assert shown["environment"] == "open_spiel/connect_four"
    assert shown["reproduce"]["command"] == (
        "rlsweep train --agent-config config/agents/ppo_agent_sweep_lr_high.yaml --mode smoke --seed 0 --episodes 400"
    )
    assert shown["long_run_command"].endswith("--mode full --total-timesteps 1000000")
    assert web.get(f"/api/training-runs/{base.id}").json()["base"] is None


def test_checkpoints_come_with_the_command_that_goes_on(
    web: httpx.Client, database: Database, new_run: Callable[..., NewRun]
) -> None:
    run = transitions.create_single(database, new_run())
    transitions.begin_attempt(database, run.id, {"command": "rlsweep train", "versions": {"torch": "2"}})
    checkpoint = Checkpoint(episode=5, env_steps=50, uri="/with a space/5.zip", sha256="00", bytes=10)
    progress = recording.Progress(episodes=5, updates=1, env_steps=50)
    recording.flush(database, run.id, 1, recording.Batch(progress=progress, checkpoints=[checkpoint]))
    (shown,) = web.get(f"/api/training-runs/{run.id}").json()["checkpoints"]
    assert shown["resume_command"] == "rlsweep train --resume '/with a space/5.zip'"
    transitions.finish(database, run.id, 1, EndReason.COMPLETED)
    detail = web.get(f"/api/training-runs/{run.id}").json()
    assert detail["checkpoints"][0]["resume_command"].endswith("--total-timesteps 100")
    assert detail["reproduce"]["recorded_command"] == "rlsweep train"


def test_a_run_of_no_sweep_is_made_again_as_it_was_typed(
    web: httpx.Client, database: Database, new_run: Callable[..., NewRun]
) -> None:
    given = (
        "--agent-config 'my agents/a.yaml' --base-config base.yaml --set gamma=0.9 --learning-rate 0.001 --mode smoke"
    )
    config = {"agent": {}, "mode": "smoke", "budget": {"episodes": 300, "total_timesteps": None}}
    run = transitions.create_single(database, new_run(config=config))
    transitions.begin_attempt(database, run.id, {"command": f"__main__.py train {given} --episodes=200"})
    shown = web.get(f"/api/training-runs/{run.id}").json()
    assert shown["reproduce"]["command"] == f"rlsweep train {given} --episodes=200"
    steps = "--mode full --total-timesteps 1000000"
    assert shown["long_run_command"] == f"rlsweep train {given} {steps}".replace(" --mode smoke", "")
    # Gone on with, to a larger budget: that command says nothing of the config.
    transitions.finish(database, run.id, 1, EndReason.STOPPED)
    transitions.begin_attempt(database, run.id, {"command": "rlsweep train --resume 0123 --episodes 300"})
    shown = web.get(f"/api/training-runs/{run.id}").json()
    assert shown["reproduce"]["command"] == f"rlsweep train {given} --episodes 300"


@pytest.mark.parametrize("command", ["rlsweep train --resume 0123", "train 'unclosed", None, 7])
def test_a_run_whose_command_says_too_little(
    web: httpx.Client, database: Database, new_run: Callable[..., NewRun], command: object
) -> None:
    run = transitions.create_single(database, new_run())
    transitions.begin_attempt(database, run.id, {"command": command})
    shown = web.get(f"/api/training-runs/{run.id}").json()
    assert shown["reproduce"]["command"] == f"rlsweep train --agent-config {run.config_path} --mode full --seed 0"


def test_a_page_of_what_is_not_there_says_404(web: httpx.Client, database: Database, record_sweep: Any) -> None:
    sweep = record_sweep({})
    pages_of_it = {
        f"/training/sweeps/{sweep.name}": 200,
        "/training/sweeps/latest": 200,
        "/training/sweeps/none-such": 404,
        "/training/runs/nope": 404,
        f"/training/runs/{UUID(int=0)}": 404,
    }
    for path, status in pages_of_it.items():
        answer = web.get(path)
        assert answer.status_code == status, path
        assert "<html" in answer.text


def test_no_such_run(web: httpx.Client) -> None:
    for reference in ("00000000-0000-0000-0000-000000000000", "nonsense", "%3Cscript%3E"):
        answer = web.get(f"/api/training-runs/{reference}")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"
        assert "rlsweep runs" in answer.json()["error"]["message"]


def test_hostile_text_is_data(web: httpx.Client, database: Database, new_run: Callable[..., NewRun]) -> None:
    config = {"agent": {"description": HOSTILE, "learning_rate": 1}, "budget": {}, "training": {}}
    hostile = new_run(
        agent_id=HOSTILE[:2000],
        config_name=HOSTILE,
        config_short_name=HOSTILE[:2000],
        sweep_variant=HOSTILE,
        config=config,
    )
    run = transitions.create_single(database, hostile)
    transitions.begin_attempt(database, run.id, {"host": HOSTILE})
    transitions.finish(database, run.id, 1, EndReason.FAILED, HOSTILE)
    (row,) = listed(web, q="<SCRIPT>")["runs"]
    assert row["config_name"] == HOSTILE
    assert row["error"] == HOSTILE[-2000:]
    detail = web.get(f"/api/training-runs/{run.id}")
    assert detail.headers["content-type"] == "application/json"
    assert detail.json()["description"] == HOSTILE
    assert detail.json()["error_text"] == HOSTILE
    assert listed(web, agent_id=HOSTILE[:2000])["total"] == 1


def test_what_is_not_finite_is_null(web: httpx.Client, database: Database, new_run: Callable[..., NewRun]) -> None:
    run = transitions.create_single(database, new_run())
    with database.connect() as connection:
        connection.execute("update training_runs set mean_reward = 'NaN', steps_per_second = 'Infinity'")
    text = web.get(f"/api/training-runs/{run.id}").text
    assert json.loads(text, parse_constant=pytest.fail)["mean_reward"] is None


def test_nothing_is_sent_twice(web: httpx.Client, database: Database, record_sweep: Any, course: Any) -> None:
    record_sweep({None: course()})
    path = "/api/training-runs?status=completed&limit=5"
    first = web.get(path)
    assert first.headers["etag"].startswith("W/")
    again = web.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    with database.connect() as connection:
        connection.execute("update training_runs set episodes = episodes + 1 where status = 'completed'")
    assert web.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_an_episode_more_is_seen(web: httpx.Client, database: Database, new_run: Callable[..., NewRun]) -> None:
    run = transitions.create_single(database, new_run())
    transitions.begin_attempt(database, run.id, {})
    before = listed(web)["runs"][0]
    episode = Episode(episode=1, env_steps=9, reward=1.0, length=9, outcome=Outcome.WIN, seconds=0.1)
    progress = recording.Progress(episodes=1, updates=0, env_steps=9, mean_reward=1.0)
    recording.flush(database, run.id, 1, recording.Batch(progress=progress, episodes=[episode]))
    after = listed(web)["runs"][0]
    assert (before["episodes"], after["episodes"], after["mean_reward"]) == (0, 1, 1.0)


def test_a_run_that_has_not_changed_is_not_worked_out_again(
    web: httpx.Client, database: Database, record_sweep: Any, course: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = training_runs.of_sweep(database, record_sweep({None: course()}, seeds=1).id)[0]
    address = f"/api/training-runs/{run.id}"
    etag = web.get(address).headers["etag"]

    def refuse(*_arguments: object) -> None:
        raise AssertionError("its episodes are read again")

    with monkeypatch.context() as patched:
        patched.setattr(history, "recorded_of", refuse)
        assert web.get(address, headers={"If-None-Match": etag}).status_code == 304
    transitions.reopen(database, run.id, config=run.config)
    again = web.get(address, headers={"If-None-Match": etag})
    assert (again.status_code, again.json()["status"]) == (200, "pending")
    transitions.begin_attempt(database, run.id, {})
    seconds = [web.get(address, headers={"If-None-Match": etag}).json()["seconds"] for _ in range(2)]
    assert seconds[1] > seconds[0]
