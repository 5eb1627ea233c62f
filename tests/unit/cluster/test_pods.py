"""What the check of the Kubernetes manifests has podman run. The check itself runs it (`make image-check`)."""

import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ray.scripts.scripts import cli

from tests.cluster import kuberay
from tests.cluster.pods import Node

Manifests = dict[tuple[str, str], dict[str, Any]]
HEAD = "rlsweep-head-svc.rlsweep.svc.cluster.local"
IN_NAMESPACE = {"metadata": {"name": "rlsweep", "namespace": "rlsweep"}}


@pytest.fixture(scope="module")
def cluster(manifests: Manifests) -> dict[str, Any]:
    return {**manifests["RayCluster", "rlsweep"], **IN_NAMESPACE}


def test_kuberay_starts_ray_with_the_sizes_of_its_container(cluster: dict[str, Any]) -> None:
    head = kuberay.start_command(cluster, cluster["spec"]["headGroupSpec"])
    worker = kuberay.start_command(cluster, cluster["spec"]["workerGroupSpecs"][0])
    assert head.startswith("ray start --head --block ")
    assert {"--num-cpus=0", "--memory=4294967296", "--dashboard-host=0.0.0.0"} <= set(head.split())
    assert {f"--address={HEAD}:6379", "--num-cpus=2", "--memory=4294967296"} <= set(worker.split())
    for command in (head, worker):
        start, *options = shlex.split(command)[1:]
        cli.commands[start].make_context(start, options)


def test_ray_answers_kuberays_probe_without_a_token() -> None:
    from ray.dashboard.http_server_agent import PUBLIC_EXACT_PATHS

    assert kuberay.PROBE["httpGet"]["path"] in PUBLIC_EXACT_PATHS


def test_a_pod_becomes_a_command_of_podman(cluster: dict[str, Any], tmp_path: Path) -> None:
    secrets = {"rlsweep-ray": {"auth_token": "t"}, "rlsweep-database": {"url": "u"}}
    node = Node(cast(Any, SimpleNamespace(environ={})), "check", tmp_path, secrets)
    node.config_maps["rlsweep-agents"] = {"a.yaml": "b"}
    spec = kuberay.ray_pod(cluster, cluster["spec"]["workerGroupSpecs"][0], "worker")
    first, container = (spec[kind][0] for kind in ("initContainers", "containers"))
    options = node.options("worker", spec, container)
    told = " ".join(options)
    for part in (
        "--read-only --read-only-tmpfs=false --cap-drop=ALL --security-opt no-new-privileges --user 1000:1000",
        "--cpus 2.0 --memory 4294967296",
        "--env RAY_AUTH_TOKEN=t",
        "--env RLSWEEP_DATABASE_URL=u",
        f"--volume {tmp_path}/claims/storage:/storage:rw",
        f"--volume {tmp_path}/worker/agents:/agents:ro",
        "--mount type=tmpfs,destination=/dev/shm,tmpfs-size=536870912,tmpfs-mode=0777",
        '--entrypoint ["/bin/bash", "-c", "--"] rlsweep ulimit -n',
    ):
        assert part in told
    assert "RAY_AUTH_TOKEN=t" in node.options("worker", spec, first), "the container that waits needs the token"
    assert (tmp_path / "worker" / "agents" / "a.yaml").read_text() == "b"
    with pytest.raises(AssertionError, match="lifecycle"):
        node.options("worker", spec, {**container, "lifecycle": {}})
