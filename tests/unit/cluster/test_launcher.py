"""The files for Ray's cluster launcher, as the launcher itself reads them, and the scripts that they run on nodes."""

import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

NAMES = ("aws", "gcp", "machines")
SCRIPTS = ("setup.sh", "database.sh", "node.sh")


@pytest.fixture(params=NAMES)
def config(request: pytest.FixtureRequest, repository: Path) -> dict[str, Any]:
    return yaml.safe_load((repository / "cluster" / "launcher" / f"{request.param}.yaml").read_text())


def prepared(config: dict[str, Any]) -> dict[str, Any]:
    from ray.autoscaler._private.util import prepare_config

    return prepare_config(config)


def test_rays_schema_takes_it(config: dict[str, Any]) -> None:
    from ray.autoscaler._private.util import validate_config

    validate_config(prepared(config))
    config["file_mount"] = {}
    with pytest.raises(jsonschema.ValidationError, match="file_mount"):
        validate_config(prepared(config))


def test_workers_are_there_from_the_start_and_the_head_is_no_cloud_worker(config: dict[str, Any]) -> None:
    types = prepared(config)["available_node_types"]
    assert sum(node_type["min_workers"] for node_type in types.values()) == 2
    if config["provider"]["type"] != "local":
        assert types["head"]["resources"] == {"CPU": 0}
        assert "--num-cpus=0" in config["head_start_ray_commands"][-1]


def test_authentication_is_on_and_the_dashboard_at_home(config: dict[str, Any], repository: Path) -> None:
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    assert (
        "export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 RAY_worker_niceness=0"
        in (repository / "cluster" / "launcher" / "node.sh").read_text()
    )
    head, worker = config["head_start_ray_commands"][-1], config["worker_start_ray_commands"][-1]
    assert "--dashboard-host=127.0.0.1" in head
    assert "source ~/rlsweep/cluster/launcher/node.sh" in worker
    assert "setup.sh" in config["setup_commands"][0], "which has ~/.bashrc source node.sh, for the head"


def test_what_the_nodes_get_is_there(config: dict[str, Any], repository: Path) -> None:
    mounts = config["file_mounts"]
    for target, source in mounts.items():
        if not source.startswith("~"):
            assert (repository / source).exists()
            assert target == f"~/rlsweep/{source}"
    assert {"pyproject.toml", ".constraints.txt", "README.md", "rlsweep", "config", "dashboards"} <= set(
        mounts.values()
    )
    assert ".env" in config["rsync_exclude"]
    for command in (*config["setup_commands"], *config["head_setup_commands"]):
        script = command.split()[1]
        assert (repository / script.removeprefix("~/rlsweep/")).exists()


@pytest.mark.parametrize("script", SCRIPTS)
def test_bash_takes_the_scripts(script: str, repository: Path) -> None:
    file = repository / "cluster" / "launcher" / script
    subprocess.run(["bash", "-n", file], check=True, timeout=10)


def url_on_a_node(repository: Path, home: Path, settings: str, **environ: str) -> str:
    """The database's address that node.sh gives."""
    (home / ".rlsweep").mkdir()
    (home / ".rlsweep" / "cluster.env").write_text(settings)
    script = repository / "cluster" / "launcher" / "node.sh"
    done = subprocess.run(
        [
            "bash",
            "-euc",
            f"source {script}; source {script}; printenv RLSWEEP_DATABASE_URL RLSWEEP_STORAGE RAY_AUTH_MODE",
        ],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    url, storage, mode = done.stdout.split()
    assert (storage, mode) == ("/shared/rlsweep", "token")
    return url


def test_nodes_use_the_heads_database(repository: Path, tmp_path: Path) -> None:
    settings = "RLSWEEP_STORAGE=/shared/rlsweep\nRLSWEEP_DATABASE_PASSWORD=abc\n"
    stale = "postgresql://left@by.an.earlier/source"
    url = url_on_a_node(repository, tmp_path, settings, RAY_HEAD_IP="10.0.0.7", RLSWEEP_DATABASE_URL=stale)
    assert url == "postgresql://rlsweep:abc@10.0.0.7:5432/rlsweep?sslmode=require"


def test_a_database_of_ones_own_comes_first(repository: Path, tmp_path: Path) -> None:
    theirs = "postgresql://me:pw@db.example.org/sweeps"
    settings = f"RLSWEEP_STORAGE=/shared/rlsweep\nRLSWEEP_DATABASE_URL={theirs}\n"
    assert url_on_a_node(repository, tmp_path, settings, RAY_HEAD_IP="10.0.0.7") == theirs
