"""Runs every container of the Kubernetes manifests with podman, as pods would run them. Part of `make image-check`.

kubectl (1.21 or newer) renders the manifests with an image of this machine. KubeRay's part is that of kuberay.py: the
commands of Ray's containers, the container that waits for the head, and the pod that submits a RayJob. Then each
container starts with its user, read-only file system, dropped capabilities, limits, variables and volumes: database,
head, a worker, page, and the RayJob's submitter with its sweep. Every probe has to pass.

There is no Kubernetes: what schedules pods, network policies, services, access modes and claims are not checked.
"""

import json
import secrets
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.kuberay import (
    AGENT_PORT,
    DASHBOARD_PORT,
    GCS_PORT,
    METRICS_PORT,
    head_service,
    ray_pod,
    submitter_pod,
)
from tests.cluster.podman import Podman
from tests.cluster.pods import Node

REPOSITORY = Path(__file__).parents[2]
MANIFESTS = REPOSITORY / "cluster" / "kubernetes"
NAME = "rlsweep-kubernetes-check"
EPISODES = 20
Object = dict[str, Any]


def render(work: Path, image: str) -> dict[str, Object]:
    """The objects of the services and of the RayJob by kind and name, with the image in place of the registry's."""
    folder = work / "manifests"
    shutil.copytree(MANIFESTS, folder)
    name, _, tag = image.rpartition(":")
    values = folder / "values" / "kustomization.yaml"
    text = (
        values.read_text().replace("registry.example.org/rlsweep ", f"{name} ").replace("newTag: cpu", f"newTag: {tag}")
    )
    values.write_text(text)
    rendered: dict[str, Object] = {}
    for root in (folder, folder / "sweep"):
        told = subprocess.run(["kubectl", "kustomize", root], check=True, capture_output=True, text=True).stdout
        for document in yaml.safe_load_all(told):
            rendered[f"{document['kind']}/{document['metadata']['name']}"] = document
    assert image in json.dumps(rendered)
    return rendered


def make_secrets() -> dict[str, dict[str, str]]:
    """The secrets of the example, with random values."""
    made = {}
    for document in yaml.safe_load_all((MANIFESTS / "secrets.example.yaml").read_text()):
        value = secrets.token_hex(32)
        made[document["metadata"]["name"]] = {
            key: text.replace("PLACEHOLDER", value) for key, text in document["stringData"].items()
        }
    return made


def database_pod(rendered: dict[str, Object]) -> Object:
    """The pod of the StatefulSet, with the claim that Kubernetes makes of its template."""
    spec = rendered["StatefulSet/postgres"]["spec"]
    pod: Object = spec["template"]["spec"]
    for claim in spec["volumeClaimTemplates"]:
        name = claim["metadata"]["name"]
        pod["volumes"].append({"name": name, "persistentVolumeClaim": {"claimName": f"{name}-postgres-0"}})
    return pod


def ask(node: Node, path: str, token: str | None) -> tuple[int, Any]:
    """The status and the JSON that Training History answers."""
    request = urllib.request.Request(f"http://{node.address('page')}:5173{path}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


def check_kubernetes(podman: Podman, image: str) -> None:
    """Start the manifests' containers in order and run the RayJob's sweep; AssertionError where something is wrong."""
    made = make_secrets()
    with tempfile.TemporaryDirectory(prefix=f"{NAME}-") as folder:
        work = Path(folder)
        work.chmod(0o755)
        rendered = render(work, image)
        cluster, job = rendered["RayCluster/rlsweep"], rendered["RayJob/first"]
        short = "--episodes 2000"
        assert short in job["spec"]["entrypoint"]
        job["spec"]["entrypoint"] = job["spec"]["entrypoint"].replace(short, f"--episodes {EPISODES}")
        configs = sorted((REPOSITORY / "config" / "agents").glob("*lr_*.yaml"))
        with Node(podman, NAME, work, made) as node:
            node.config_maps["rlsweep-agents"] = {path.name: path.read_text() for path in configs}
            start_services(node, rendered)
            check_rights(node)
            say("submitter: " + submit(node, cluster, job))
            check_results(node, made["rlsweep-page"]["token"], len(configs))
            check_end(node, rendered["Deployment/page"]["spec"]["template"]["spec"]["containers"][0]["readinessProbe"])
    say("The containers of the Kubernetes manifests work.")


def start_services(node: Node, rendered: dict[str, Object]) -> None:
    """Database, head, one worker and page, each once those before it are ready."""
    cluster = rendered["RayCluster/rlsweep"]
    service, spec = head_service(cluster), cluster["spec"]
    pods = {
        "postgres": (database_pod(rendered), ("postgres",)),
        "head": (ray_pod(cluster, spec["headGroupSpec"], "head"), (service, service.split(".")[0])),
        "worker": (ray_pod(cluster, spec["workerGroupSpecs"][0], "worker"), ()),
        "page": (rendered["Deployment/page"]["spec"]["template"]["spec"], ("page",)),
    }
    for name, (pod, names) in pods.items():
        waited = node.start(name, pod)
        ready = node.until_ready(name, pod)
        node.serve(name, *names)
        say(f"{name}: ready after {ready:.0f} s" + (f", waited {waited:.0f} s for the head" if waited > 1 else ""))


def submit(node: Node, cluster: Object, job: Object) -> str:
    """Run the RayJob's submitter to its end; what is to be said of it."""
    began = time.monotonic()
    node.start("submitter", submitter_pod(cluster, job))
    code = node.wait("submitter")
    assert code == 0, f"the submitter ended with {code}"
    print(node.log("submitter"), flush=True)
    return f"the sweep is over after {time.monotonic() - began:.0f} s"


def check_rights(node: Node) -> None:
    """No container can gain a right or change its image, and none but Ray's has ports that no policy names."""
    for name in ("postgres", "head", "worker", "page"):
        status = dict(line.split(":", 1) for line in node.execute(name, "cat", "/proc/self/status").stdout.splitlines())
        assert "0" not in status["Uid"].split(), name
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, name
        assert status["NoNewPrivs"].strip() == "1", name
        assert node.execute(name, "touch", "/etc/file").returncode != 0, name
    assert node.listening("postgres") == {5432}
    assert node.listening("page") == {5173}
    assert {GCS_PORT, DASHBOARD_PORT, AGENT_PORT, METRICS_PORT} <= node.listening("head")
    assert {AGENT_PORT, METRICS_PORT} <= node.listening("worker")


def check_results(node: Node, token: str, trials: int) -> None:
    """The sweep is on record, its checkpoints are on the volume, and no door is open without its token."""
    status, sweeps = ask(node, "/api/sweeps", token)
    assert status == 200
    assert "first" in json.dumps(sweeps), sweeps
    assert ask(node, "/api/sweeps", None)[0] == 401
    told = node.execute("head", "rlsweep", "status", "first", "--json")
    assert told.returncode == 0, told.stderr
    assert [run["status"] for run in json.loads(told.stdout)["runs"]] == ["completed"] * trials, told.stdout
    found = node.execute("worker", "find", "/storage/checkpoints", "-name", "*.zip").stdout.split()
    assert len(found) >= trials, found
    refused = node.execute("worker", "env", "--unset=RAY_AUTH_TOKEN", "ray", "job", "list", "--address=auto")
    assert refused.returncode != 0
    wget = ("wget", "--quiet", "--output-document=-", "http://rlsweep-head-svc:8265/api/jobs/")
    assert node.execute("worker", *wget).returncode != 0, "the Jobs API answers without a token"


def check_end(node: Node, probe: Object) -> None:
    """The page is not ready without the database, and each container ends within Kubernetes' 30 seconds."""
    for name in ("postgres", "worker", "head", "page"):
        seconds, code = node.stop(name)
        say(f"{name}: ended after {seconds:.0f} s with {code}")
        assert seconds < 30, f"{name} had to be killed"
        if name == "postgres":
            assert not node.passes("page", probe), "the page is ready without the database"


def say(line: str) -> None:
    print(line, flush=True)
