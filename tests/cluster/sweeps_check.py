"""Sweeps on the services of compose.yaml, from the machine itself, while containers are killed, restarted and stopped.

Each function takes a Stack and asserts.
"""

import os
import signal
import time
from typing import NamedTuple

import psycopg
from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, PATIENCE_MS
from tests.cluster.podman import wait_until
from tests.cluster.stack import Stack

SHORT = "--episodes 50"
LONG = "--episodes 1000000 --set checkpoint_interval_episodes=50"
"""Longer than any check: how far it came does not depend on the machine's speed."""

PATIENCE_SECONDS = 300.0
DOWN_SECONDS = 30.0
"""For services that stop in three steps; each is killed after ten seconds if it does not end by itself."""

RECORDED = """
    select run.id::text, run.status, count(episode), coalesce(max(episode), 0), sum(reward)
    from training_runs run join sweeps on sweeps.id = run.sweep_id left join episodes on run_id = run.id
    where sweeps.name = %s group by run.id
"""


class Run(NamedTuple):
    """What is recorded of a run: its status, the number of its episodes, the last one's, the sum of rewards."""

    status: str
    number: int
    last: int
    reward: float | None


def recorded(stack: Stack, sweep: str) -> dict[str, Run]:
    """The runs of a sweep by id, read from the database's published port."""
    settings = stack.settings
    with psycopg.connect(
        host="127.0.0.1", port=settings["POSTGRES_PORT"], user="rlsweep", dbname="rlsweep",
        password=settings["POSTGRES_PASSWORD"],
    ) as connection:  # fmt: skip
        return {key: Run(*values) for key, *values in connection.execute(RECORDED, (sweep,))}


def submit(stack: Stack, name: str, configs: str, budget: str) -> float:
    """Submit a sweep to the head's Jobs API; returns the seconds to the first episode of each run."""
    begun = time.monotonic()
    stack.rlsweep(f"submit {configs} --address {stack.address} {budget} --name {name} --detach")
    go_on(stack, name, {})
    return time.monotonic() - begun


def go_on(stack: Stack, sweep: str, before: dict[str, Run]) -> None:
    """Wait until each run of the sweep has more episodes than before; each episode is recorded once."""

    def grown() -> bool:
        runs = recorded(stack, sweep)
        return bool(runs) and all(run.last > (before[key].last if key in before else 0) for key, run in runs.items())

    wait_until(grown, PATIENCE_SECONDS, f"not all runs of {sweep} go on")
    for run in recorded(stack, sweep).values():
        assert run.number == run.last, run


def finish(stack: Stack, sweep: str) -> None:
    """Follow a sweep to its end."""
    stack.rlsweep(f"attach {sweep}")
    assert {run.status for run in recorded(stack, sweep).values()} == {"completed"}


def kill_a_worker(stack: Stack) -> None:
    """End a worker as the kernel does when its memory runs out; its container comes back and is healthy again."""
    name = "rlsweep-worker-1"
    pid = stack.inspect(name)["State"]["Pid"]
    print(f"kill -9 {pid} ({name})", flush=True)
    os.kill(pid, signal.SIGKILL)

    def returned() -> bool:
        state = stack.inspect(name)["State"]
        return bool(state["Running"] and state["Pid"] != pid and state["Health"]["Status"] == "healthy")

    wait_until(returned, PATIENCE_SECONDS, "the worker that was killed does not come back")


def page_shows(stack: Stack, sweep: str) -> None:
    """The address with the token, in Chromium: the sweep is listed, and its page opens without an error."""
    settings = stack.settings
    address = f"http://localhost:{settings['PAGE_PORT']}/training?token={settings['RLSWEEP_TOKEN']}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(address)
        assert "token" not in page.url
        page.get_by_role("link", name=sweep, exact=True).click()
        expect(page.get_by_role("heading", name=sweep).first).to_be_visible(timeout=PATIENCE_MS)
        assert problems == []
        browser.close()


def goes_on_after_faults(stack: Stack, sweep: str) -> None:
    """While a sweep is followed: a worker is killed, the database restarts; then it is stopped, and all runs resume."""
    log = stack.folder / "attach.log"
    following = stack.start(f"attach {sweep}", log)
    kill_a_worker(stack)
    stack.compose("restart postgres")
    stack.rlsweep(f"stop {sweep}")
    code = following.wait(PATIENCE_SECONDS)
    print(log.read_text(), flush=True)
    assert code in (0, 1), code
    before = recorded(stack, sweep)
    stack.rlsweep(f"resume {sweep} --address {stack.address} --detach")
    go_on(stack, sweep, before)


def come_back(stack: Stack, running: str, finished: str) -> float:
    """`down` in the middle of a sweep, `up`, `resume`: no record is lost; returns the seconds of `down`."""
    before, complete = recorded(stack, running), recorded(stack, finished)
    begun = time.monotonic()
    stack.compose("down")
    seconds = time.monotonic() - begun
    assert seconds < DOWN_SECONDS, seconds
    assert not stack.containers()
    stack.compose("up --detach --wait")
    assert recorded(stack, finished) == complete
    after = recorded(stack, running)
    assert all(after[key].number >= run.number for key, run in before.items()), (before, after)
    stack.rlsweep(f"resume {running} --address {stack.address} --detach")
    go_on(stack, running, after)
    stack.rlsweep(f"stop {running}")
    return seconds
