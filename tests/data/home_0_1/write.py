"""Writes the old home, beside this file: `database.sql`, `spool/`, `checkpoints.tar.xz` and `expected.json`.

It is run with rlsweep at commit 53098ae (schema version 6), never with a later one, which would write another home:

    git worktree add --detach /tmp/old 53098ae
    PYTHONPATH=/tmp/old python tests/data/home_0_1/write.py

Sweeps and runs are put on record by the functions that `rlsweep submit` and `rlsweep train` call. Ray is not started:
each trial is executed in this process, with the note that a Ray actor leaves on its run.
"""

# ruff: noqa: I001 - some of these modules are found in 53098ae alone

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import old_home
import old_home_envs
import psycopg
import yaml
from psycopg.conninfo import make_conninfo

import rlsweep
from rlsweep.config.plan import make_plan, make_run
from rlsweep.config.run import Mode
from rlsweep.paths import Paths
from rlsweep.runs import RunStatus, Sweep
from rlsweep.settings import Settings
from rlsweep.store import recording, sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.store.embedded import program
from rlsweep.store.opening import open_database
from rlsweep.sweep.execution import Workplace, execute_run
from rlsweep.sweep.provenance import Provenance, collect_provenance
from rlsweep.sweep.spool import Spool
from rlsweep.sweep.submission import create_sweep, run_of_trial

COMMIT = "53098ae"
HERE = Path(__file__).resolve().parent
PACKAGE = Path(rlsweep.__file__).parent
SITE = Path(psycopg.__file__).parents[1]
HOST = "old-host"
ACTOR = {"cluster": "session_2026-11-29_20-00-00_000000_1", "actor": "a" * 32, "node": "b" * 56, "pid": 4711}
"""As a trial's Ray actor notes where it is."""

GAME = "open_spiel/tic_tac_toe"
BOTH = {"normalize_observations": True, "normalize_rewards": True}
PROCESSES = {"n_envs": 2, "vec_env": "subproc"}
SINGLES: dict[str, dict[str, Any]] = {
    "fast": {"environment": GAME, "engine": "fast", "evaluate": True},
    "stock": {"environment": GAME, "engine": "stock"},
    "subproc": {"environment": GAME, "engine": "fast", "evaluate": True} | PROCESSES,
    "subproc_stock": {"environment": GAME, "engine": "stock"} | PROCESSES,
    "normalised": {"environment": "CartPole-v1", "engine": "fast", "n_envs": 2, "evaluate": True} | BOTH,
    "normalised_stock": {"environment": "CartPole-v1", "engine": "stock", "algorithm": "PPO"} | BOTH,
    "normalised_subproc": {"environment": "CartPole-v1", "engine": "fast"} | BOTH | PROCESSES,
    "tree_search": {"environment": {"id": GAME, "opponent": "mcts:3"}, "engine": "fast"},
    "pettingzoo": {"environment": "pettingzoo/connect_four_v3", "engine": "fast"},
}
"""Runs of `rlsweep train`, each stopped in the middle of a rollout but for `fast`, which is completed."""

STEPS = 320
MORE_STEPS = 576
WALK = "old_home_envs:TenSteps"
TRIAL_STEPS = 640


class Killed(BaseException):
    """Ends an attempt as a killed process would: nobody puts its end on record."""


class StopsAt(threading.Event):
    """Is set at the so manieth look, after calling `then`: a run looks at every env step and optimizer step."""

    def __init__(self, looks: int | None, then: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._left = looks
        self._then = then

    def is_set(self) -> bool:
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self._then()
                self.set()
        return super().is_set()


class Writer:
    """Puts runs on record in one home."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.home = settings.home
        self.resumable: dict[str, tuple[UUID, list[str]]] = {}
        (self.home / "configs").mkdir(parents=True)

    def config(self, name: str, /, **given: Any) -> Path:
        """An agent config or base config, as a file."""
        path = self.home / "configs" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(given))
        return path

    def agent(self, name: str, /, *, n_envs: int = 1, algorithm: str = "MaskablePPO", **given: Any) -> Path:
        tiny = {
            "agent_id": "tiny",
            "name": f"Tiny {name}",
            "algorithm": algorithm,
            "version": 1,
            "learning_rate": "linear_0.01",
            "n_steps": 64 // n_envs,
            "batch_size": 32,
            "n_epochs": 2,
            "network": {"net_arch": [8]},
            "ppo": {"clip_range": "linear_0.2"},
        }
        return self.config(name, **(tiny | given))

    def base(self, name: str, /, *, evaluate: bool = False, **given: Any) -> Path:
        evaluation = {"enabled": evaluate, "every_rollouts": 2, "episodes": 2}
        few = {"checkpoint_interval_episodes": 5, "keep_last_n_checkpoints": 1, "device": "cpu"}
        return self.config(name, evaluation=evaluation, **few, **given)

    def single(self, name: str, *, weights_from: Path | None = None, **given: Any) -> UUID:
        """A run of `rlsweep train`, pending."""
        algorithm = given.pop("algorithm", "MaskablePPO")
        agent = self.agent(f"single_{name}", n_envs=given.get("n_envs", 1), algorithm=algorithm, sweep_variant=name)
        base = self.base(f"base_{name}", **given)
        trial = make_run(agent, base_config=base, mode=Mode.FULL, episodes=None, total_timesteps=STEPS)
        source = None if weights_from is None else str(weights_from)
        return training_runs.create_single(self.database, run_of_trial(trial), weights_from=source).id

    def sweep(self, name: str, agents: list[Path], *, seeds: int) -> Sweep:
        """A sweep that a driver has the lease of."""
        plan = make_plan(
            [str(path) for path in agents],
            base_config=self.base(f"base_{name}", environment=WALK, engine="fast"),
            mode=Mode.FULL,
            episodes=None,
            total_timesteps=TRIAL_STEPS,
            seeds=seeds,
            with_base=False,
        )
        patterns = [path.name for path in agents]
        provenance = self.provenance(f"rlsweep submit --name {name}")
        sweep = create_sweep(self.database, plan, name=name, patterns=patterns, provenance=provenance)
        sweeps.assign(self.database, sweep.id, resources={"cpus_per_trial": 1.0, "gpus_per_trial": 0.0}, address=None)
        return sweeps.take_lease(self.database, sweep.id, f"{HOST}:4710:ab12")

    def provenance(self, command: str) -> Provenance:
        return replace(collect_provenance(self.home), command=command)

    def execute(self, run_id: UUID, stop: StopsAt | None = None, *, trouble: str = "", command: str = "") -> RunStatus:
        """One attempt; as a trial of a sweep without `command`."""
        metadata = self.provenance(command or "rlsweep submit").as_metadata() | ({} if command else {"ray": ACTOR})
        url = self.database.url
        workplace = Workplace(database_url=url, settings=self.settings, threads=1, metadata=metadata)
        os.environ[old_home_envs.TROUBLE] = trouble
        try:
            return execute_run(run_id, workplace, stop=stop or StopsAt(None))
        finally:
            del os.environ[old_home_envs.TROUBLE]

    def kill(self, run_id: UUID, looks: int) -> None:
        """One attempt whose process is killed, an hour ago."""

        def die() -> None:
            raise Killed

        try:
            self.execute(run_id, StopsAt(looks, die))
        except Killed:
            self.age("training_runs", run_id)
            return
        raise AssertionError("it was not killed")

    def age(self, table: str, row_id: UUID) -> None:
        """Put the last sign of life of a sweep or a run an hour back."""
        statement = f"update {table} set heartbeat_at = heartbeat_at - interval '1 hour' where id = %s"
        with self.database.connect() as connection:
            connection.execute(statement.encode(), [row_id])

    def can_be_resumed(self, name: str, run_id: UUID, *flags: str) -> None:
        self.resumable[name] = (run_id, list(flags))


def write_singles(writer: Writer) -> None:
    for name, given in SINGLES.items():
        run_id = writer.single(name, **given)
        command = f"rlsweep train --agent-config single_{name}.yaml --config base_{name}.yaml"
        is_complete = name == "fast"
        status = writer.execute(run_id, None if is_complete else StopsAt(170), command=command)
        assert status is (RunStatus.COMPLETED if is_complete else RunStatus.STOPPED), (name, status)
        writer.can_be_resumed(name, run_id, "--total-timesteps", str(MORE_STEPS))


def write_calibration(writer: Writer) -> None:
    """A sweep that failed: completed, stopped, abandoned and failed runs, a diverged one among them."""
    agents = [
        writer.agent("tiny_v1"),
        writer.agent("tiny_sweep_lr_high", sweep_variant="lr_high", learning_rate=0.05),
        writer.agent("tiny_sweep_odd", sweep_variant="odd", gamma=0.5),
    ]
    sweep = writer.sweep("calibration", agents, seeds=3)
    runs = {(run.sweep_variant or "v1", run.seed): run.id for run in training_runs.of_sweep(writer.database, sweep.id)}
    for key in (("v1", 0), ("v1", 1), ("lr_high", 0), ("odd", 1), ("odd", 2)):
        assert writer.execute(runs[key]) is RunStatus.COMPLETED
    stopped, abandoned = runs["lr_high", 1], runs["lr_high", 2]
    diverged, broken = runs["odd", 0], runs["v1", 2]
    asked = StopsAt(300, lambda: training_runs.request_stop(writer.database, stopped))
    assert writer.execute(stopped, asked) is RunStatus.STOPPED
    assert writer.execute(diverged, trouble="nan:250") is RunStatus.FAILED
    assert writer.execute(broken, trouble="raise:400") is RunStatus.FAILED
    writer.kill(abandoned, 400)
    sweeps.release(writer.database, sweep.id, f"{HOST}:4710:ab12")
    ended = training_runs.end_abandoned(writer.database, sweep_id=sweep.id)
    assert [run.id for run in ended] == [abandoned]
    assert sweeps.settle(writer.database, sweep.id).status == "failed"
    resumable = {"asked_to_stop": stopped, "abandoned": abandoned, "diverged": diverged, "broken": broken}
    for name, run_id in resumable.items():
        writer.can_be_resumed(name, run_id)
    source = training_runs.latest_checkpoint(writer.database, runs["v1", 0])
    assert source is not None
    shutil.copy(source.uri, writer.home / "weights.zip")


def write_again(writer: Writer) -> None:
    """A sweep whose failed run is to begin anew: `retry --from-start` was asked for, and its driver ended."""
    sweep = writer.sweep("again", [writer.agent("tiny_v1")], seeds=1)
    (run,) = training_runs.of_sweep(writer.database, sweep.id)
    assert writer.execute(run.id, trouble="nan:250") is RunStatus.FAILED
    run = training_runs.get(writer.database, run.id)
    checkpoint = training_runs.latest_checkpoint(writer.database, run.id)
    assert checkpoint is not None
    taken = training_runs.take_up(writer.database, sweep.id, {RunStatus.FAILED}, from_start=True)
    assert taken == [run.id]
    # its process had kept its last record for a while when the database was away; nobody may send it now
    progress = recording.Progress(episodes=run.episodes, updates=run.updates, env_steps=run.env_steps)
    left = Spool(Paths(writer.settings).spool, run.id, attempt=1)
    left.keep(recording.Batch(progress=progress, checkpoints=[checkpoint]))
    sweeps.release(writer.database, sweep.id, f"{HOST}:4710:ab12")
    writer.can_be_resumed("begins_anew", run.id)


def write_overnight(writer: Writer) -> None:
    """A sweep whose driver and worker were killed: one run still running on record, one lost, one pending."""
    sweep = writer.sweep("overnight", [writer.agent("tiny_v1")], seeds=3)
    running, lost, _ = training_runs.of_sweep(writer.database, sweep.id)
    writer.kill(running.id, 300)
    assert training_runs.begin_attempt(writer.database, lost.id, {"host": HOST, "ray": ACTOR}) is not None
    error = "The trial's process died.\nray.exceptions.ActorDiedError: killed"
    training_runs.fail_lost(writer.database, lost.id, error)
    writer.age("sweeps", sweep.id)
    writer.can_be_resumed("still_running", running.id)
    writer.can_be_resumed("lost", lost.id)


def write_with_weights(writer: Writer) -> None:
    """Two runs that begin with another one's weights: one waits, one was stopped."""
    given = {"environment": WALK, "weights_from": writer.home / "weights.zip"}
    waiting, begun = writer.single("weights_waiting", **given), writer.single("weights_begun", **given)
    command = "rlsweep train --agent-config single_weights_begun.yaml --resume weights.zip"
    assert writer.execute(begun, StopsAt(170), command=command) is RunStatus.STOPPED
    for name, run_id in {"weights_waiting": waiting, "weights_begun": begun}.items():
        writer.can_be_resumed(name, run_id, "--total-timesteps", str(MORE_STEPS))


def dump(url: str, home: Path) -> str:
    """The database as SQL that needs no psql."""
    options = ["--inserts", "--rows-per-insert=100", "--no-owner", "--no-privileges"]
    done = subprocess.run([program("pg_dump"), *options, url], check=True, capture_output=True, text=True)
    text = "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\", "--")) and line)
    places = {home: old_home.PLACE, HERE: "/home/user", PACKAGE.parent: "/opt/rlsweep", SITE: "/opt/site-packages"}
    for path, name in places.items():
        text = text.replace(str(path), name)
    return text + "\n"


def write_data(writer: Writer) -> None:
    """What was written so far, as this folder keeps it."""
    (HERE / "database.sql").write_text(dump(writer.database.url, writer.home), encoding="utf-8")
    shutil.rmtree(HERE / "spool", ignore_errors=True)
    (HERE / "spool").mkdir()
    for path in (writer.home / "spool").iterdir():
        text = path.read_text(encoding="utf-8").replace(str(writer.home), old_home.PLACE)
        (HERE / "spool" / path.name).write_text(text, encoding="utf-8")
    with tarfile.open(HERE / "checkpoints.tar.xz", "w:xz", preset=9) as archive:
        for path in [*sorted((writer.home / "checkpoints").rglob("*.zip")), writer.home / "weights.zip"]:
            archive.add(path, path.relative_to(writer.home), filter=plain)


def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without its owner and its time."""
    return member.replace(uid=0, gid=0, uname="", gname="", mtime=0, deep=False)


def write_expected(writer: Writer, server: Database, folder: Path) -> None:
    """List, report and resume a copy of the home with this version, and keep what comes of it."""
    home = folder / "copy"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("create database copy template template0")
    url = make_conninfo(server.url, dbname="copy")
    old_home.lay_out(url, home)
    looks = {"runs": ["runs"], "sweeps": ["sweeps"], **{f"report {name}": ["report", name] for name in REPORTED}}
    shown = old_home.run_commands([[*words, "--json"] for words in looks.values()], url, home)
    listed = {name: json.loads(done.out) for name, done in zip(looks, shown, strict=True)}
    kept = {"commit": COMMIT, "arithmetic": old_home.arithmetic(), "shown": without_clock_and_path(listed, home)}
    commands = [["train", "--resume", str(run_id), *flags] for run_id, flags in writer.resumable.values()]
    begun = [old_home.last_checkpoint(url, str(run_id)) for run_id, _ in writer.resumable.values()]
    for done in old_home.run_commands(commands, url, home):
        assert done.code == 0, done
    kept["resumed"] = {
        name: {"run_id": str(run_id), "command": command, "from_env_steps": 0 if checkpoint is None else checkpoint[1]}
        | old_home.recorded(url, str(run_id))
        for (name, (run_id, _)), command, checkpoint in zip(writer.resumable.items(), commands, begun, strict=True)
    }
    for name, resumed in kept["resumed"].items():
        assert resumed["env_steps"] >= STEPS, name
    (HERE / "expected.json").write_text(json_lines(kept), encoding="utf-8")


REPORTED = ("calibration", "again", "overnight")

LEFT_OUT = {
    "created_at", "started_at", "ended_at", "finished_at", "heartbeat_at", "seconds", "steps_per_second", "path",
    "config_path", "base_config_path", "weights_from", "command", "first_command", "next_steps",
    "config", "base_config", "versions", "host",
}  # fmt: skip


def without_clock_and_path(value: Any, home: Path) -> Any:
    if isinstance(value, dict):
        return {key: without_clock_and_path(each, home) for key, each in value.items() if key not in LEFT_OUT}
    if isinstance(value, list):
        return [without_clock_and_path(each, home) for each in value]
    return value.replace(str(home), old_home.PLACE) if isinstance(value, str) else value


def json_lines(value: Any, indent: str = "") -> str:
    """JSON with a line for each inner list or short record, so that a difference can be read."""
    inner = indent + " "
    if isinstance(value, dict) and len(json.dumps(value)) > 110:
        entries = [f"{inner}{json.dumps(key)}: {json_lines(each, inner)}" for key, each in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        return "[\n" + ",\n".join(inner + json_lines(each, inner) for each in value) + f"\n{indent}]"
    return json.dumps(value)


def check_version() -> None:
    """End where rlsweep is not the one that this home is to be written by."""
    commit = subprocess.run(
        ["git", "-C", str(PACKAGE), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout
    if not commit.startswith(COMMIT):
        sys.exit(f"rlsweep in {PACKAGE} is at {commit.strip()}; this home is written by {COMMIT}.")


def main() -> None:
    check_version()
    socket.gethostname = lambda: HOST  # noted on each run
    with tempfile.TemporaryDirectory(prefix="rlsweep-old-home-") as name:
        settings = Settings(home=Path(name) / "home", storage=Path(name) / "home", database_url=None)
        with open_database(settings) as database:
            writer = Writer(database, settings)
            for write in (write_singles, write_calibration, write_again, write_overnight, write_with_weights):
                write(writer)
                print(f"{write.__name__} done", flush=True)
            write_data(writer)
            write_expected(writer, database, Path(name))


if __name__ == "__main__":
    main()
