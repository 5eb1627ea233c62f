"""The Dockerfile and the compose file, as the tools that read them see them. `make image-check` runs both."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

TOOLS = Path(sys.executable).parent
SECRETS = ("RAY_AUTH_TOKEN", "POSTGRES_PASSWORD", "RLSWEEP_TOKEN")
RAY = ("head", "worker")


def run(*command: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environ}
    return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60)


def resolved(repository: Path, *more: str, **environ: str) -> dict[str, Any]:
    """The compose file as Docker Compose understands it; no engine is asked for that."""
    files = [repository / "cluster" / name for name in ("compose.yaml", *more)]
    flags = [flag for file in files for flag in ("--file", str(file))]
    done = run(TOOLS / "docker-compose", *flags, "config", **(dict.fromkeys(SECRETS, "s3cret") | environ))
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


def test_a_linter_has_nothing_to_say_of_the_dockerfile(repository: Path) -> None:
    done = run(TOOLS / "hadolint", "--failure-threshold", "style", repository / "cluster" / "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_what_the_dockerfile_copies_is_there_and_not_ignored(repository: Path) -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (repository / "cluster" / "Dockerfile").read_text(), re.MULTILINE)
    ignored = (repository / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    sources = [source for line in copied for source in line.split()]
    assert sources
    for source in sources:
        assert (repository / source).exists()
        assert f"!{source.split('/')[0]}" in ignored


def test_the_image_runs_as_a_user_with_a_number_and_with_authentication(repository: Path) -> None:
    final = (repository / "cluster" / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER 1000:1000$", final, re.MULTILINE)
    assert "RAY_AUTH_MODE=token" in final
    assert "RAY_worker_niceness=0" in final
    assert 'CMD ["rlsweep", "--help"]' in final


def test_docker_compose_takes_the_file(repository: Path) -> None:
    services = resolved(repository)["services"]
    assert set(services) == {"postgres", "head", "worker", "page"}
    assert services["worker"]["deploy"]["replicas"] == 2
    gpu = resolved(repository, "compose.gpu.yaml", TORCH="cu130")["services"]
    assert gpu["worker"]["gpus"]
    assert "gpus" not in gpu["head"]
    assert gpu["worker"]["image"] == "rlsweep:cu130"


@pytest.mark.parametrize("missing", SECRETS)
def test_a_secret_that_is_missing_is_named(repository: Path, missing: str) -> None:
    given = {name: "s3cret" for name in SECRETS if name != missing}
    done = run(TOOLS / "docker-compose", "--file", repository / "cluster" / "compose.yaml", "config", **given)
    assert done.returncode != 0
    assert missing in done.stderr
    assert "cluster/.env" in done.stderr


def test_every_service_is_held_to_what_it_needs(repository: Path) -> None:
    for name, service in resolved(repository)["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert not service.get("privileged"), name
        assert service.get("user", "1000") != "root", name


def test_nothing_is_published_beyond_this_machine(repository: Path) -> None:
    for name, service in resolved(repository)["services"].items():
        for port in service.get("ports", []):
            assert port["host_ip"] == "127.0.0.1", name
            assert port["target"] not in (6379, 10001), "GCS and Ray's client server stay inside"


def test_ray_runs_with_authentication_and_says_its_cpus(repository: Path) -> None:
    services = resolved(repository)["services"]
    for name in RAY:
        service = services[name]
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
        assert service["environment"]["RAY_AUTH_TOKEN"] == "s3cret"
        assert service["environment"]["RAY_USAGE_STATS_ENABLED"] == "0"
        assert any(word.startswith("--num-cpus=") for word in service["command"])
        assert int(service["shm_size"]) > 200_000_000, "room for --object-store-memory"
        storage = service["environment"]["RLSWEEP_STORAGE"]
        assert [volume["target"] for volume in service["volumes"]] == [storage], "one folder that all nodes see"
    assert services["head"]["environment"] == services["worker"]["environment"]


def test_no_file_holds_a_secret(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            if name.endswith(("TOKEN", "PASSWORD", "URL")):
                assert re.search(r"\$\{\w+:\?", value), name


def test_what_the_version_is_read_from_is_there_before_the_package_is_installed(repository: Path) -> None:
    """Without it, the step that installs what rlsweep needs ends with an error of setuptools."""
    steps = (repository / "cluster" / "Dockerfile").read_text().partition('".${EXTRAS')[0]
    attribute = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["setuptools"]["dynamic"]["version"]
    module = attribute["attr"].rpartition(".")[0].replace(".", "/")
    assert f"{module}.py" in steps


def test_a_tmpfs_over_the_home_can_be_written_to(repository: Path, compose: dict[str, Any]) -> None:
    """A container engine gives it the mode of the image's folder, and root as its owner."""
    final = (repository / "cluster" / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"--mode=1777 /home/rlsweep$", final, re.MULTILINE)
    for name in (*RAY, "page"):
        assert "/home/rlsweep:mode=1777" in compose["services"][name]["tmpfs"]


def test_every_service_says_whether_it_works(repository: Path) -> None:
    for name, service in resolved(repository)["services"].items():
        assert service["healthcheck"]["test"], name


def test_one_command_makes_the_secrets(repository: Path, tmp_path: Path) -> None:
    (command,) = re.findall(r"^\(umask 077; for .*$", (repository / "cluster" / "README.md").read_text(), re.MULTILINE)
    (tmp_path / "cluster").mkdir()
    for _ in range(2):
        subprocess.run(["bash", "-ec", command], cwd=tmp_path, check=True, timeout=20)
        made = tmp_path / "cluster" / ".env"
        secrets = dict(line.split("=", 1) for line in made.read_text().splitlines())
        assert set(secrets) == set(SECRETS)
        assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in secrets.values())
        assert len(set(secrets.values())) == len(SECRETS)
        assert made.stat().st_mode & 0o077 == 0
