"""cluster/README.md: each command in it exists and takes what it is given, and each file that it names is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from rlsweep.cli.app import app

CLUSTER = Path(__file__).parents[3] / "cluster"
README = (CLUSTER / "README.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```bash\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


def rlsweep_commands() -> list[str]:
    """Everything that the folder has rlsweep do, wherever it is typed or written."""
    typed = [line[line.index("rlsweep ") :] for line in LINES if re.search(r"(^|head )rlsweep ", line)]
    job = yaml.safe_load((CLUSTER / "kubernetes" / "sweep" / "rayjob.yaml").read_text())["spec"]["entrypoint"]
    page = yaml.safe_load((CLUSTER / "compose.yaml").read_text())["services"]["page"]["command"]
    pages = list(yaml.safe_load_all((CLUSTER / "kubernetes" / "page.yaml").read_text()))
    return [*typed, job, page, shlex.join(pages[-1]["spec"]["template"]["spec"]["containers"][0]["command"])]


def parse(root: Any, words: list[str]) -> None:
    """Have a click command take its words, without doing anything."""
    context = root.make_context(words[0], words[1:2], resilient_parsing=True)
    command = root.get_command(context, words[1])
    assert command is not None, words[1]
    command.make_context(words[1], words[2:], parent=context)


@pytest.mark.parametrize("command", rlsweep_commands())
def test_rlsweep_takes_the_command(command: str) -> None:
    parse(typer.main.get_command(app), shlex.split(command))


@pytest.mark.parametrize("command", [line for line in LINES if line.startswith("ray ")])
def test_ray_takes_the_command(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ray.scripts.scripts import cli

    monkeypatch.chdir(CLUSTER.parent)
    parse(cli, shlex.split(command))


@pytest.mark.parametrize("command", [line for line in LINES if line.startswith("docker compose ")])
def test_docker_compose_takes_the_command(command: str) -> None:
    words = shlex.split(command)[2:]
    assert words[:2] == ["--file", "cluster/compose.yaml"]
    options = [word for word in words[3:] if word.startswith("--")] if words[2] != "exec" else []
    tool = Path(sys.executable).parent / "docker-compose"
    helped = subprocess.run([tool, words[2], "--help"], capture_output=True, text=True, timeout=20, check=True).stdout
    assert f"docker compose {words[2]}" in helped
    assert all(re.search(rf"{option}\b", helped) for option in options)


def test_the_files_that_are_named_are_there() -> None:
    named = re.findall(r"(?<!/)\bcluster/[\w./-]*\w", README) + re.findall(
        r"\b(?:launcher|kubernetes)/[\w.-]*\w", README
    )
    named += re.findall(r"`((?:Dockerfile|compose)[\w.]*)`", README)
    assert len(named) > 20
    for name in set(named) - {"cluster/.env"}:
        assert (CLUSTER / name.removeprefix("cluster/")).exists(), name


def test_every_file_is_named() -> None:
    files = [file.relative_to(CLUSTER) for file in CLUSTER.rglob("*") if file.is_file() and file.suffix != ".md"]
    comments = "".join((CLUSTER / file).read_text() for file in files) + README
    for file in files:
        assert file.name in comments, f"nothing says what {file} is for"


def test_secrets_are_made_as_the_manifests_want_them() -> None:
    example = yaml.safe_load_all((CLUSTER / "kubernetes" / "secrets.example.yaml").read_text())
    wanted = {secret["metadata"]["name"]: set(secret["stringData"]) for secret in example}
    made = {}
    for line in LINES:
        if found := re.search(r"kubectl create secret generic (\S+) --namespace rlsweep", line):
            made[found[1]] = set(re.findall(r"(?:^echo \"|'|\\n)(\w+)=", line))
    assert made == wanted
    assert "/cluster/.env" in (CLUSTER.parent / ".gitignore").read_text().splitlines()
