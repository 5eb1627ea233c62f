"""Every command in the READMEs runs, in a copy of what a user has, with budgets that end soon.

README's example in Python runs in tests/integration/api/test_driving.py.
"""

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import psutil
import pytest
from in_process import call
from ray_head import authenticated
from unmeasured import measure_here, measuring_by

from rlsweep.planning import forecast
from rlsweep.settings import Settings
from rlsweep.store.database import Database
from rlsweep.store.opening import open_database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

REPOSITORY = Path(__file__).parents[3]
TIMEOUT_S = 240
QUICK = "--set n_steps=64 --set n_epochs=1 --set network.net_arch=[8]"
QUICK_SPACE = "--configs 2"
"""A space draws those keys itself."""
TRAINING_COMMANDS = ("submit", "race", "train")
DRIVING = ("submit", "race", "confirm", "resume", "retry", "attach", "logs")
LOOKING = ("status", "report", "runs", "show", "configs", "export")
IN_PROCESS = ("plan", "train", "eval", "promote", "delete", "import", *LOOKING, *DRIVING)
TOKEN = "d0c5" * 16
FOLDERS = ("", ".github", "config", "cluster", "dashboards", "rlsweep", "tests")
READMES = sorted(
    str(file.relative_to(REPOSITORY))
    for folder in FOLDERS
    for file in (REPOSITORY / folder).glob("**/*.md" if folder else "*.md")
)


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def commands_of(readme: str) -> list[str]:
    """The command lines of its bash blocks, in order."""
    lines = "\n".join(fenced((REPOSITORY / readme).read_text(), "bash")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def quickly(command: str) -> str:
    """The same command with a small budget; what trains nothing is left as it is."""
    command, _, _comment = command.partition("  #")
    words = shlex.split(command)
    if words[:2] == ["rlsweep", "confirm"]:
        return f"{command} --seeds 2"
    if words[0] != "rlsweep" or words[1] not in (*TRAINING_COMMANDS, "eval"):
        return command
    command = re.sub(r"--episodes \d+", "--episodes 10", command)
    command = re.sub(r"--seeds \d+", "--seeds 1", command)
    command = re.sub(r"--total-timesteps 2000000", "--total-timesteps 512", command)
    command = re.sub(r"--total-timesteps (?!512)\d+", "--total-timesteps 256", command)
    if words[1] in TRAINING_COMMANDS and "--resume" not in words:
        budget = "" if "--episodes" in words or "--total-timesteps" in words else "--total-timesteps 256"
        command = f"{command} {QUICK_SPACE if 'config/sweeps/' in command else QUICK} {budget}"
    return command


def needs_no_process(command: str) -> bool:
    """Whether it starts no Ray, for one runs already, and asks nothing of a shell."""
    words = shlex.split(command, comments=True)
    by_shell = set(command.partition("#")[0]) & set("|<>;&$")
    return words[0] == "rlsweep" and words[1] in IN_PROCESS and not by_shell and "rllib" not in command


class Shell:
    """Runs one command after the other, as somebody does who follows a README.

    measuring: what `plan` and `submit` measure with
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.measuring = measuring_by(measure_here)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RLSWEEP_", "RAY_"))}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environ = kept | {"RLSWEEP_HOME": str(home), "OMP_NUM_THREADS": "1", "PATH": path}

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, f"{command}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def follow(self, command: str) -> None:
        """Run a README's command in the way that fits it."""
        words = shlex.split(command, comments=True)
        if words[0] == "make":
            assert "rlsweep" in self.run(f"make --dry-run {words[1]}") or words[1] != "sweep"
        elif words[0] == "source":
            assert words[1] == ".venv/bin/activate", "what `make` makes; this test has it on its PATH already"
        elif words[0] == "export":
            name, _, value = words[1].partition("=")
            self.environ[name] = value
        elif words[:2] == ["rlsweep", "tensorboard"]:
            self.serve(words, "", "TensorBoard")
        elif words[:2] == ["rlsweep", "serve"]:
            self.serve(words, "/training", "rlsweep")
        elif words[:2] == ["rlsweep", "up"]:
            page, dashboard = free_port(), free_port()
            assert str(page) in self.run(f"rlsweep up --port {page} --dashboard-port {dashboard} --cpus 1")
        else:
            if "$RUN" in command:
                self.environ["RUN"] = self.newest_run()
                command = command.replace("$RUN", self.environ["RUN"])
            if needs_no_process(command):
                self.run_here(quickly(command))
            else:
                self.run(quickly(command))

    def run_here(self, command: str) -> None:
        """In this process, which has imported what the command needs."""
        with patch.object(forecast, "measuring", self.measuring), authenticated(self.environ):
            call(tuple(shlex.split(command, comments=True)[1:]), self.environ, self.folder, io.StringIO).expect(0)

    def newest_run(self) -> str:
        """A single run's id, for `$RUN`: a trial of a sweep takes no other budget."""
        runs = json.loads(call(("runs", "--json"), self.environ, self.folder, io.StringIO).expect(0).stdout)
        return next(str(run["id"])[:8] for run in runs if run["sweep_id"] is None)

    def serve(self, words: list[str], path: str, shows: str) -> None:
        """Start what serves a page, read the page, and end it."""
        port = free_port()
        with (self.folder / "serve.log").open("w+") as log:
            server = subprocess.Popen(
                [*words, "--port", str(port)], cwd=self.folder, env=self.environ, stdout=log, stderr=log
            )
            try:
                page = read_page(f"http://127.0.0.1:{port}{path}", server)
            finally:
                kill_family(server.pid)
                server.wait(10)
            log.seek(0)
            assert shows in page, log.read()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_page(url: str, server: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.2)
    return ""


def wait_for_answer(url: str) -> bool:
    """Whether something answers there before long, be it that it asks for a token."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.2)
    return False


def kill_family(pid: int) -> None:
    """Kill a process and all below it, by id."""
    root = psutil.Process(pid)
    family = [*root.children(recursive=True), root]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, timeout=20)


@pytest.fixture
def shell(home: Path, testrun_uid: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """In a copy of what a user has; its commands share a home, and its embedded server, which starts once.

    Of the variants one is kept, and measurements of earlier READMEs are those of commands that were typed before.
    """
    copy = tmp_path / "rlsweep"
    shutil.copytree(REPOSITORY / "config", copy / "config")
    shutil.copy(REPOSITORY / "Makefile", copy)
    shutil.copy(REPOSITORY / "pyproject.toml", copy)
    shutil.copy(REPOSITORY / ".constraints.txt", copy)
    for variant in (copy / "config" / "agents").glob("ppo_agent_sweep_*.yaml"):
        if variant.name != "ppo_agent_sweep_lr_high.yaml":
            variant.unlink()
    known = tmp_path_factory.getbasetemp().parent / f"measurements-{testrun_uid}.json"
    measurements = home / "measurements.json"
    if known.exists():
        shutil.copy(known, measurements)
    with open_database(Settings(home=home, storage=home, database_url=None)):
        yield Shell(copy, home)
    if measurements.exists():
        shutil.copy(measurements, aside := known.with_name(f"{known.name}.{os.getpid()}"))
        aside.replace(known)  # another worker may read it


@pytest.fixture
def jobs_url() -> Iterator[str]:
    """The Jobs API of a running cluster of one node."""
    port = free_port()
    # A folder with a short path, for sockets lie in it.
    with tempfile.TemporaryDirectory(prefix="rlsweep-head-", ignore_cleanup_errors=True) as folder:
        options = f"--head --block --port {free_port()} --num-cpus 2 --object-store-memory 80000000 --temp-dir {folder}"
        options += f" --dashboard-host 127.0.0.1 --dashboard-port {port} --dashboard-agent-listen-port {free_port()}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RLSWEEP_", "RAY_"))}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environ = kept | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "PYTHONPATH": "", "PATH": path}
        environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
        head = subprocess.Popen(["ray", "start", *options.split()], env=environ, stdout=subprocess.DEVNULL)
        try:
            assert wait_for_answer(f"http://127.0.0.1:{port}/api/gcs_healthz"), "the cluster does not answer"
            yield f"http://127.0.0.1:{port}"
        finally:
            kill_family(head.pid)
            head.wait(10)


@pytest.mark.xdist_group("ray head")
def test_the_way_from_a_question_to_a_trained_agent(shell: Shell, ray_head: dict[str, str]) -> None:
    shell.environ |= ray_head
    shell.measuring = forecast.measuring
    commands = commands_of("README.md")
    assert len(commands) > 15
    for command in commands:
        shell.follow(command)
    assert (shell.folder / "calibration" / "episodes.csv").exists()


def test_the_service_and_a_cluster(shell: Shell, database: Database, jobs_url: str, tmp_path: Path) -> None:
    ours = {
        "postgresql://sweeper:password@db.example.org:5432/sweeps": shlex.quote(database.url),
        "/shared/rlsweep": str(tmp_path / "shared"),
        "the-token-that-the-cluster-was-started-with": TOKEN,
        "http://head.example.org:8265": jobs_url,
    }
    for command in commands_of("rlsweep/places/README.md"):
        for theirs, instead in ours.items():
            command = command.replace(theirs, instead)
        shell.follow(command)
    assert list((tmp_path / "shared" / "checkpoints").rglob("*.zip")), "the cluster's trials use RLSWEEP_STORAGE"


@pytest.mark.xdist_group("ray head")
@pytest.mark.parametrize(
    "readme",
    ["config/agents/README.md", "config/training/README.md", "config/sweeps/README.md", "rlsweep/web/README.md"],
)
def test_the_readmes_beside_what_they_describe(shell: Shell, ray_head: dict[str, str], readme: str) -> None:
    shell.environ |= ray_head
    for number, example in enumerate(fenced((REPOSITORY / readme).read_text(), "python")):
        assert number == 0, "one environment, guess.py"
        (shell.folder / "guess.py").write_text(example)
    commands = commands_of(readme)
    assert commands
    for command in commands:
        shell.follow(command)


def test_every_readme_is_run() -> None:
    run_by_hand = {"dashboards/README.md", "cluster/README.md"}  # tests of their own look at their commands
    run_here = {
        *("README.md", "config/agents/README.md", "config/training/README.md", "config/sweeps/README.md"),
        *("rlsweep/places/README.md", "rlsweep/web/README.md"),
    }
    for readme in set(READMES) - run_by_hand - run_here:
        for command in commands_of(readme):
            assert command.startswith("make "), f"{readme}: {command}"
            assert f"\n{command.split()[1]}:" in (REPOSITORY / "Makefile").read_text()


@pytest.mark.parametrize("readme", READMES)
def test_links_lead_somewhere(readme: str) -> None:
    file = REPOSITORY / readme
    for target, _, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(#([^)]+))?\)", file.read_text()):
        linked = (file.parent / target).resolve() if target else file
        assert linked.exists(), f"{readme} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), flags=re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


def test_the_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_text().splitlines()) <= 200


def test_every_command_is_documented(tmp_path: Path) -> None:
    table = (REPOSITORY / "README.md").read_text().partition("## The commands")[2].partition("\n## ")[0]
    documented = set(re.findall(r"`rlsweep (\w+)", table))
    shown = call(("--help",), {}, tmp_path, io.StringIO).stdout
    assert documented == set(re.findall(r"^  (\w+)  ", shown.partition("Commands:")[2], re.MULTILINE))
