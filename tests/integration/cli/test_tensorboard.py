"""`rlsweep tensorboard`: the Custom Scalars tab has its layout, and every chart of it has something to show."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.custom_scalar import metadata
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

from rlsweep.metrics import METRICS
from rlsweep.reports.tensorboard_layout import layout

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[3]
QUICK = "n_steps=64 n_epochs=1 network.net_arch=[8] evaluation.every_rollouts=1 evaluation.episodes=2"


@pytest.fixture
def tensorboard(cli_on_database: Any) -> Callable[..., Any]:
    """A context with the address of a real `rlsweep tensorboard`, ended by Ctrl-C; it leaves no process behind."""

    @contextmanager
    def serve(*arguments: str) -> Iterator[str]:
        output = cli_on_database.folder / "tensorboard.log"
        server = cli_on_database.start("tensorboard", *arguments, "--port", "0", output=output)
        family = []
        try:
            said = _wait_for(lambda: re.search(r" at (http://127\.0\.0\.1:\d+/) ", output.read_text()), server)
            family = psutil.Process(server.pid).children(recursive=True)
            yield str(said[1])
        finally:
            server.send_signal(signal.SIGINT)
            try:
                code = server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                raise
        assert (code, len(output.read_text().splitlines())) == (130, 1), output.read_text()
        _wait_for(lambda: not [process for process in family if _lives(process)], seconds=10)

    return serve


def _lives(process: psutil.Process) -> bool:
    """A zombie does not: it waits for the machine's first process to take notice."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait_for(look: Callable[[], Any], server: subprocess.Popen[bytes] | None = None, *, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing came"
        assert server is None or server.poll() is None, "it ended"
        time.sleep(0.2)
    return found


def _get(address: str, path: str, **query: str) -> Any:
    with urllib.request.urlopen(f"{address}data/{path}?{urlencode(query)}", timeout=10) as answer:
        return json.load(answer)


def _tags(answer: Any) -> list[str]:
    return [tag for category in answer["category"] for chart in category["chart"] for tag in chart["multiline"]["tag"]]


def test_the_layout_is_made_of_what_is_recorded() -> None:
    ours = [tag for category in layout().category for chart in category.chart for tag in chart.multiline.tag]
    assert sorted(ours) == sorted(metric.tag for metric in METRICS), "every metric once, and nothing else"
    titles = [chart.title for category in layout().category for chart in category.chart]
    assert len(set(titles)) == len(titles)
    assert all(titles)


@pytest.mark.slow
def test_every_chart_of_a_trained_run_has_points(cli_on_database: Any, tensorboard: Callable[..., Any]) -> None:
    settings = [word for setting in QUICK.split() for word in ("--set", setting)]
    agent = REPOSITORY / "config" / "agents" / "ppo_agent_v1.yaml"
    cli_on_database.run("train", "--agent-config", str(agent), "--total-timesteps", "256", *settings)
    logs = cli_on_database.home / "tensorboard"
    before = sorted(logs.rglob("*"))
    with tensorboard() as address:
        (run,) = _wait_for(lambda: _get(address, "runs"))
        assert _get(address, "plugins_listing")["custom_scalars"]["enabled"]
        answer = _get(address, "plugin/custom_scalars/layout")
        assert [category["title"] for category in answer["category"]] == [each.title for each in layout().category]
        for pattern in _tags(answer):
            shown = _get(address, "plugin/custom_scalars/scalars", run=run, tag=pattern)
            assert shown["regex_valid"]
            tag = pattern.removesuffix("$")
            is_scored = tag.startswith("score/")  # which only the runs of a race are
            assert list(shown["tag_to_events"]) == ([] if is_scored else [tag]), "one line a tag"
            assert all(events for events in shown["tag_to_events"].values())
    assert sorted(logs.rglob("*")) == before, "nothing is written"


def test_one_sweep_alone_and_the_layout_that_its_runs_bring(
    cli_on_database: Any, recorded_sweep: Callable[[], Any], tensorboard: Callable[..., Any]
) -> None:
    sweep = recorded_sweep()
    logs = cli_on_database.home / "tensorboard"
    _write_layout(logs / str(sweep.id) / "mine", title="Mine")
    _write_layout(logs / "another-sweep" / "theirs", title="Theirs")
    with tensorboard(sweep.name) as address:
        _wait_for(lambda: _get(address, "runs") == ["mine"])
        answer = _get(address, "plugin/custom_scalars/layout")
        assert [category["title"] for category in answer["category"]] == [
            *(category.title for category in layout().category),
            "Mine",
        ]


def _write_layout(folder: Path, *, title: str) -> None:
    content = Layout()
    content.category.add(title=title).chart.add(title="Loss").multiline.tag.append("train/loss")
    value = Summary.Value(
        tag=metadata.CONFIG_SUMMARY_TAG,
        tensor=make_tensor_proto(content.SerializeToString()),
        metadata=metadata.create_summary_metadata(),
    )
    writer = EventFileWriter(str(folder))
    writer.add_event(Event(wall_time=time.time(), step=0, summary=Summary(value=[value])))
    writer.close()


def test_a_port_that_is_taken(cli_on_database: Any) -> None:
    (cli_on_database.home / "tensorboard").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = cli_on_database.run("tensorboard", "--port", str(port), expect=2)
    assert (done.stdout, done.stderr) == (
        "",
        f"Error: Port {port} is taken, perhaps by another TensorBoard. "
        "Name another with --port, or 0 for any free one.\n",
    )


def test_logs_that_are_not_there(cli_on_database: Any, recorded_sweep: Callable[[], Any]) -> None:
    sweep = recorded_sweep()
    for arguments in ((), (sweep.name,)):
        done = cli_on_database.run("tensorboard", *arguments, expect=2)
        assert "No TensorBoard logs in" in done.stderr


def test_the_viewer_needs_no_torch() -> None:
    code = "import sys, rlsweep.reports.tensorboard; print({'torch', 'ray', 'stable_baselines3'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert done.stdout == "set()\n"


def test_a_wheel_carries_the_layout(tmp_path: Path) -> None:
    for folder in ("rlsweep", "dashboards"):
        shutil.copytree(
            REPOSITORY / folder, tmp_path / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / file, tmp_path)
    build = "import setuptools.build_meta as backend; backend.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = archive.read("rlsweep/reports/tensorboard_layout.yaml")
    assert carried == (REPOSITORY / "dashboards" / "tensorboard" / "layout.yaml").read_bytes()
