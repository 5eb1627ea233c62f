"""What kubectl makes of the manifests, with the shipped values and with other ones, and of README's commands."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

CLUSTER = Path(__file__).parents[3] / "cluster"
README = (CLUSTER / "README.md").read_text()
VALUES = Path("values", "kustomization.yaml")
Manifests = dict[tuple[str, str], dict[str, Any]]


def kubectl_version() -> tuple[int, int]:
    """The version of the kubectl on the path, (0, 0) without one. Components of kustomize need 1.21."""
    if shutil.which("kubectl") is None:
        return 0, 0
    told = subprocess.run(
        ["kubectl", "version", "--client", "--output=json"], capture_output=True, text=True, check=True
    )
    version = json.loads(told.stdout)["clientVersion"]
    return int(version["major"]), int(re.sub(r"\D", "", version["minor"]))


pytestmark = pytest.mark.skipif(kubectl_version() < (1, 21), reason="needs kubectl 1.21 or newer")


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
def secrets() -> dict[str, dict[str, str]]:
    """The secrets that README's commands make; kubectl prints them instead of creating them."""
    creating = [line for line in README.splitlines() if "kubectl create secret" in line or line.startswith("password=")]
    kubectl = 'kubectl() { command kubectl "$@" --dry-run=client --output=json; }'
    script = "\n".join(["set -euo pipefail", kubectl, *creating])
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    made: dict[str, dict[str, str]] = {}
    decoder = json.JSONDecoder()
    while told := told.lstrip():
        secret, end = decoder.raw_decode(told)
        assert secret["metadata"]["namespace"] == "rlsweep"
        values = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
        made[secret["metadata"]["name"]] = values
        told = told[end:]
    return made


def test_readmes_commands_make_the_secrets(manifests: Manifests, secrets: dict[str, dict[str, str]]) -> None:
    for name, values in secrets.items():
        example = manifests["Secret", name]["stringData"]
        assert values.keys() == example.keys()
        for key, value in values.items():
            secret = re.escape(example[key]).replace("PLACEHOLDER", "([0-9a-f]{64})")
            assert re.fullmatch(secret, value), (name, key)
    assert secrets["rlsweep-database"]["password"] in secrets["rlsweep-database"]["url"]
    assert len(secrets) == 3


def test_readmes_commands_read_the_secrets() -> None:
    reading = re.findall(
        r"kubectl get secret \S+ --namespace rlsweep --output '(go-template=\{\{.data.(\w+) [^']*)'", README
    )
    assert len(reading) == 3
    for template, key in reading:
        literal = f"--from-literal={key}=what-it-holds"
        create = ["kubectl", "create", "secret", "generic", "made", literal, "--dry-run=client", "--output", template]
        assert subprocess.run(create, capture_output=True, text=True, check=True).stdout == "what-it-holds"


def test_kubectl_takes_readmes_options() -> None:
    commands = re.findall(r"kubectl (create (?:secret generic|configmap)|[a-z-]+) ([^|)&\n`]*)", README)
    assert len(commands) > 12
    told = {verb: ["kubectl", *verb.split(), "--help"] for verb, _ in commands} | {"": ["kubectl", "options"]}
    helps = {verb: subprocess.run(asked, capture_output=True, text=True).stdout for verb, asked in told.items()}
    for verb, rest in commands:
        for option in re.findall(r"--[a-z-]+", re.sub(r"'[^']*'", "", rest)):
            assert f"{option}=" in helps[verb] + helps[""], (verb, option)
