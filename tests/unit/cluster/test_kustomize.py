"""What kubectl makes of the manifests, with the shipped values and with other ones, and of README's commands."""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_api import kubernetes_api

from tests.cluster.kubectl import kubectl_is_missing

CLUSTER = Path(__file__).parents[3] / "cluster"
README = (CLUSTER / "README.md").read_text()
VALUES = Path("values", "kustomization.yaml")
KUBECTL = """
kubectl() {{
  case "$1 $2" in
    "create secret" | "create configmap")
      command kubectl "$@" --dry-run=client --output=json | kubectl create --filename - ;;
    "apply "* | "create "*) command kubectl "$@" --server {address} --validate=false ;;
    *) command kubectl "$@" --server {address} ;;
  esac
}}
"""
"""kubectl with the API of a test, which has no schemas to validate with and reads JSON alone."""
Manifests = dict[tuple[str, str], dict[str, Any]]


pytestmark = pytest.mark.skipif(kubectl_is_missing(), reason="needs kubectl 1.21 or newer")


def render(folder: Path) -> Manifests:
    """The objects that kubectl would apply, by kind and name."""
    told = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=True)
    assert not told.stderr
    documents = yaml.safe_load_all(told.stdout)
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def render_with(folder: Path, *edits: tuple[str | Path, str, str]) -> Manifests:
    """Services and sweep of a copy of the manifests, of which each edit replaces one place in one file."""
    copied = folder / "kubernetes"
    shutil.copytree(CLUSTER / "kubernetes", copied)
    for name, old, new in edits:
        text = (copied / name).read_text()
        assert text.count(old) == 1, old
        (copied / name).write_text(text.replace(old, new))
    return render(copied) | render(copied / "sweep")


def ray_containers(rendered: Manifests) -> dict[str, dict[str, Any]]:
    cluster = rendered["RayCluster", "rlsweep"]["spec"]
    templates = {
        "head": cluster["headGroupSpec"]["template"],
        "worker": cluster["workerGroupSpecs"][0]["template"],
        "submitter": rendered["RayJob", "first"]["spec"]["submitterPodTemplate"],
        "page": rendered["Deployment", "page"]["spec"]["template"],
    }
    return {name: template["spec"]["containers"][0] for name, template in templates.items()}


def test_the_values_that_are_shipped_change_the_image_alone(manifests: Manifests, tmp_path: Path) -> None:
    rendered = render_with(tmp_path)
    assert {key for key in manifests if key[0] != "Secret"} == rendered.keys()
    for container in ray_containers(rendered).values():
        assert container["image"] == "registry.example.org/rlsweep:cpu"
        container["image"] = "rlsweep"
    for key, manifest in rendered.items():
        if key[0] != "Namespace":
            assert manifest["metadata"].pop("namespace") == "rlsweep"
        source = manifests[key]
        assert (
            manifest["spec" if "spec" in manifest else "metadata"] == source["spec" if "spec" in source else "metadata"]
        )


def test_values_reach_every_place(tmp_path: Path) -> None:
    size = 'value: {requests: {cpu: "2", memory: 4Gi}, limits: {cpu: "2", memory: 4Gi}}'
    wanted = {"cpu": "8", "memory": "16Gi", "nvidia.com/gpu": 1}
    rendered = render_with(
        tmp_path,
        (VALUES, "registry.example.org/rlsweep", "ghcr.io/someone/rlsweep"),
        (VALUES, "newTag: cpu", "newTag: cuda"),
        (VALUES, "value: 50Gi", "value: 1Ti"),
        (VALUES, "# - {op: add", "- {op: add"),
        (VALUES, "value: 20Gi", "value: 7Gi"),
        (VALUES, "replicas, value: 2}", "replicas, value: 9}"),
        (VALUES, size, f"value: {json.dumps({'requests': wanted, 'limits': wanted})}"),
    )
    containers = ray_containers(rendered)
    assert {container["image"] for container in containers.values()} == {"ghcr.io/someone/rlsweep:cuda"}
    assert containers["worker"]["resources"] == {"requests": wanted, "limits": wanted}
    group = rendered["RayCluster", "rlsweep"]["spec"]["workerGroupSpecs"][0]
    assert group["minReplicas"] <= group["replicas"] == 9 <= group["maxReplicas"]
    claim = rendered["PersistentVolumeClaim", "storage"]["spec"]
    assert claim["storageClassName"] == "nfs"
    assert claim["resources"]["requests"]["storage"] == "1Ti"
    (database,) = rendered["StatefulSet", "postgres"]["spec"]["volumeClaimTemplates"]
    assert database["spec"]["resources"]["requests"]["storage"] == "7Gi"
    for (kind, _), manifest in rendered.items():
        if not kind.startswith("Ray"):
            kubernetes_validate.validate(manifest, "1.37", strict=True)


def test_volume_and_database_can_be_left_out(tmp_path: Path) -> None:
    rendered = render_with(tmp_path, ("kustomization.yaml", "storage.yaml, postgres.yaml, ", ""))
    assert {kind for kind, _ in rendered}.isdisjoint({"PersistentVolumeClaim", "StatefulSet"})


@pytest.fixture(scope="module")
def readme_commands(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifests, list[str]]:
    """What README's commands for Kubernetes create in an empty cluster, and what they ask for that is not there."""
    section = README[README.index("## Kubernetes") : README.index("## What was tested")]
    lines = "".join(re.findall(r"```bash\n(.*?)```", section, flags=re.DOTALL)).splitlines()
    typed = [line.removesuffix(" &") for line in lines if "kubectl" in line or line.startswith("password=")]
    with kubernetes_api() as (address, created, asked):
        kubectl = KUBECTL.format(address=address)
        environ = {**os.environ, "HOME": str(tmp_path_factory.mktemp("home"))}
        script = "\n".join(["set -uo pipefail", kubectl, *typed])
        done = subprocess.run(["bash", "-c", script], cwd=CLUSTER.parent, env=environ, capture_output=True, text=True)
    assert not [line for line in done.stderr.splitlines() if "NotFound" not in line]
    return {(made["kind"], made["metadata"]["name"]): made for made in created}, asked


def test_readmes_commands_reach_what_the_manifests_make(readme_commands: tuple[Manifests, list[str]]) -> None:
    created, asked = readme_commands
    rendered = render(CLUSTER / "kubernetes") | render(CLUSTER / "kubernetes" / "sweep")
    assert created.keys() - {key for key in created if key[0] == "Secret"} == {
        *rendered,
        ("ConfigMap", "rlsweep-agents"),
    }
    configs = {path.name for path in (CLUSTER.parent / "config" / "agents").iterdir()}
    assert created["ConfigMap", "rlsweep-agents"]["data"].keys() == configs
    in_namespace = "/api/v1/namespaces/rlsweep/"
    wanted = {f"{in_namespace}services/{name}" for name in ("page", "postgres", "rlsweep-head-svc")}
    wanted |= {f"{in_namespace}secrets/{name}" for name in ("rlsweep-page", "rlsweep-ray", "rlsweep-database")}
    assert wanted | {f"{in_namespace}pods", "/apis/batch/v1/namespaces/rlsweep/jobs/first"} <= set(asked)


def test_readmes_commands_make_the_secrets(manifests: Manifests, readme_commands: tuple[Manifests, list[str]]) -> None:
    made = {name: secret["data"] for (kind, name), secret in readme_commands[0].items() if kind == "Secret"}
    secrets = {name: {key: base64.b64decode(value).decode() for key, value in made[name].items()} for name in made}
    assert secrets.keys() == {name for kind, name in manifests if kind == "Secret"}
    for name, values in secrets.items():
        example = manifests["Secret", name]["stringData"]
        assert values.keys() == example.keys()
        for key, value in values.items():
            secret = re.escape(example[key]).replace("PLACEHOLDER", "([0-9a-f]{64})")
            assert re.fullmatch(secret, value), (name, key)
    assert secrets["rlsweep-database"]["password"] in secrets["rlsweep-database"]["url"]


def test_readmes_commands_read_the_secrets() -> None:
    reading = re.findall(
        r"kubectl get secret \S+ --namespace rlsweep --output '(go-template=\{\{.data.(\w+) [^']*)'", README
    )
    assert len(reading) == 3
    for template, key in reading:
        literal = f"--from-literal={key}=what-it-holds"
        create = ["kubectl", "create", "secret", "generic", "made", literal, "--dry-run=client", "--output", template]
        assert subprocess.run(create, capture_output=True, text=True, check=True).stdout == "what-it-holds"
