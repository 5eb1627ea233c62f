"""Lays the old home out in a folder and a database, and reads what a resumed run left there.

It imports nothing of rlsweep: the same code runs with the version that wrote the home and with every later one.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

DATA = Path(__file__).parent
PLACE = "@HOME@"
"""Stands for the home's absolute path in `database.sql` and `spool/`."""

_RUN_COMMANDS = """
import contextlib, io, json, sys
from rlsweep.cli import main
done = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["rlsweep", *words]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main() or 0  # since 0.2 it returns the exit code
        except SystemExit as end:
            code = end.code or 0
    done.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(done))
"""

_FIGURES = {
    "episodes": "select episode, env_steps, reward, length, outcome from episodes where run_id = %s order by episode",
    "attempts": "select attempt, count(*) from episodes where run_id = %s group by attempt order by attempt",
    "updates": """
        select "update", env_steps, policy_loss, value_loss, entropy, approx_kl, clip_fraction, explained_variance,
            learning_rate
        from updates where run_id = %s order by "update"
    """,
    "evaluations": """
        select env_steps, episodes, mean_reward, reward_sd, mean_length, win_rate, is_best
        from evaluations where run_id = %s order by env_steps
    """,
}


def lay_out(url: str, home: Path) -> None:
    """Fill the empty database at `url` with the home's schema, version 6, and its rows; put its files into `home`."""
    with psycopg.connect(url) as connection:
        connection.execute(_placed(DATA / "database.sql", home))
    (home / "spool").mkdir(parents=True)
    for path in (DATA / "spool").iterdir():
        (home / "spool" / path.name).write_bytes(_placed(path, home))
    with tarfile.open(DATA / "checkpoints.tar.xz") as archive:
        archive.extractall(home, filter="data")


def _placed(path: Path, home: Path) -> bytes:
    return path.read_text(encoding="utf-8").replace(PLACE, str(home)).encode()


def expected() -> dict[str, Any]:
    """What the version that wrote the home lists, reports and records when it resumes the runs."""
    found: dict[str, Any] = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))
    return found


def environ(url: str, home: Path) -> dict[str, str]:
    """The environment of a command that opens the home."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RLSWEEP_", "RAY_"))}
    path = os.pathsep.join([str(DATA), *filter(None, [kept.get("PYTHONPATH")])])
    own = {"RLSWEEP_HOME": str(home), "RLSWEEP_DATABASE_URL": url, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return kept | own


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def run_commands(commands: list[list[str]], url: str, home: Path, *, first: str = "") -> list[Done]:
    """Run rlsweep commands, one after the other in one process, which imports torch once.

    first: code that it runs before them
    """
    done = subprocess.run(
        [sys.executable, "-c", first + _RUN_COMMANDS, json.dumps(commands)],
        cwd=home,
        env=environ(url, home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return [Done(*each) for each in json.loads(done.stdout.splitlines()[-1])]


def recorded(url: str, run_id: str) -> dict[str, Any]:
    """What a run has on record, but for clocks and paths, and checksums of the policy and optimizer it ended with.

    attempts: pairs of an attempt's number and how many of the run's episodes it recorded
    """
    with psycopg.connect(url) as connection:
        rows: dict[str, Any] = {
            name: [list(row) for row in connection.execute(query.encode(), [run_id])]
            for name, query in _FIGURES.items()
        }
    last = last_checkpoint(url, run_id)
    assert last is not None
    return rows | {"env_steps": last[1], "weights": checksums(last[0])}


def last_checkpoint(url: str, run_id: str) -> tuple[Path, int] | None:
    """The file that a run goes on from, and the env steps that it was saved at; None for a run that has none."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select uri, env_steps from checkpoints where run_id = %s and uri not like '%%/best.zip' "
            "order by env_steps desc limit 1",
            [run_id],
        ).fetchone()
    return None if row is None else (Path(row[0]), row[1])


def checksums(checkpoint: Path) -> dict[str, str]:
    """SHA-256 over the tensors of the policy and of the optimizer in a checkpoint."""
    import torch

    with zipfile.ZipFile(checkpoint) as archive:
        found = {}
        for member in ("policy.pth", "policy.optimizer.pth"):
            with archive.open(member) as file:
                digest = hashlib.sha256()
                _add(digest, torch.load(file, map_location="cpu", weights_only=True))
                found[member] = digest.hexdigest()
    return found


def _add(digest: Any, value: Any) -> None:
    """Take a tree of tensors and numbers into a digest, by its keys in order."""
    if hasattr(value, "numpy"):
        digest.update(value.numpy().tobytes())
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            digest.update(str(key).encode())
            _add(digest, value[key])
    elif isinstance(value, list | tuple):
        for each in value:
            _add(digest, each)
    else:
        digest.update(repr(value).encode())


def arithmetic() -> dict[str, str]:
    """What decides the last bits of a float: on another processor, or with another library, they may differ."""
    import numpy
    import torch

    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    return {
        "cpu": cpu,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
    }
