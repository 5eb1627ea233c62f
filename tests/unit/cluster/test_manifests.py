"""The manifests: the schemas of Kubernetes and KubeRay accept them, and who may do and reach what."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import kubernetes_validate
import pytest
import yaml

Manifests = dict[tuple[str, str], dict[str, Any]]

KUBERNETES = ("1.30", "1.37")


def pod_templates(manifests: Manifests) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every template of a pod, with a name for it."""
    cluster = manifests["RayCluster", "rlsweep"]["spec"]
    yield "head", cluster["headGroupSpec"]["template"]
    for group in cluster["workerGroupSpecs"]:
        yield group["groupName"], group["template"]
    yield "submitter", manifests["RayJob", "first"]["spec"]["submitterPodTemplate"]
    yield "postgres", manifests["StatefulSet", "postgres"]["spec"]["template"]
    yield "page", manifests["Deployment", "page"]["spec"]["template"]


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_schemas_take_them(manifests: Manifests, version: str) -> None:
    checked = 0
    for manifest in manifests.values():
        if not manifest["apiVersion"].startswith("ray.io/"):
            kubernetes_validate.validate(manifest, version, strict=True)
            checked += 1
    assert checked == len(manifests) - 2
    for _, template in pod_templates(manifests):
        kubernetes_validate.validate(
            {"apiVersion": "v1", "kind": "PodTemplate", "template": template}, version, strict=True
        )


def test_a_misspelled_field_of_a_pod_is_found() -> None:
    container = {"name": "a", "image": "b", "volumeMount": []}
    pod = {"apiVersion": "v1", "kind": "PodTemplate", "template": {"spec": {"containers": [container]}}}
    with pytest.raises(kubernetes_validate.ValidationError, match="volumeMount"):
        kubernetes_validate.validate(pod, KUBERNETES[0], strict=True)


def test_kuberays_schema_takes_them(manifests: Manifests) -> None:
    schema = yaml.safe_load((Path(__file__).parent / "kuberay.yaml").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    kuberay = jsonschema.Draft7Validator(schema)
    cluster = manifests["RayCluster", "rlsweep"]
    for manifest in (cluster, manifests["RayJob", "first"]):
        kuberay.validate(manifest)
    head = cluster["spec"]["headGroupSpec"]
    misspelled = {**head, "rayStartParameters": {}}
    mistyped = {**head, "rayStartParams": {**head["rayStartParams"], "num-cpus": 0}}
    for wrong in (misspelled, mistyped):
        with pytest.raises(jsonschema.ValidationError):
            kuberay.validate({**cluster, "spec": {**cluster["spec"], "headGroupSpec": wrong}})


def test_kuberay_refuses_none_of_their_combinations(manifests: Manifests, pinned: dict[str, str]) -> None:
    """What KubeRay checks beyond its schema, before it makes pods."""
    cluster, job = manifests["RayCluster", "rlsweep"]["spec"], manifests["RayJob", "first"]
    assert cluster["rayVersion"] == pinned["ray"], "the token needs 2.52 or newer, the probes depend on it"
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,46}(?<!-)", job["metadata"]["name"])
    assert job["spec"]["clusterSelector"] == {"ray.io/cluster": "rlsweep"}
    assert job["spec"]["backoffLimit"] == job["spec"]["submitterConfig"]["backoffLimit"] == 0
    assert job["spec"].keys().isdisjoint({"suspend", "rayClusterSpec", "shutdownAfterJobFinishes"})


def test_pods_have_no_privilege_and_write_only_to_volumes(manifests: Manifests) -> None:
    for name, template in pod_templates(manifests):
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        volumes = {volume["name"] for volume in pod["volumes"]} | ({"database"} if name == "postgres" else set())
        (container,) = pod["containers"]
        held = container["securityContext"]
        assert held["allowPrivilegeEscalation"] is False, name
        assert held["readOnlyRootFilesystem"] is True, name
        assert held["capabilities"] == {"drop": ["ALL"]}, name
        assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys() == {"cpu", "memory"}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes, name
        if name not in ("submitter", "page"):
            memory = [volume for volume in pod["volumes"] if volume.get("emptyDir", {}).get("medium") == "Memory"]
            assert [volume["name"] for volume in memory] == ["shm"], name
    assert manifests["Namespace", "rlsweep"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_ray_asks_for_its_token_and_shows_itself_to_nobody(manifests: Manifests) -> None:
    cluster = manifests["RayCluster", "rlsweep"]["spec"]
    assert cluster["authOptions"] == {"mode": "token", "secretName": "rlsweep-ray"}
    assert cluster["headGroupSpec"]["serviceType"] == "ClusterIP"
    for (kind, name), manifest in manifests.items():
        assert kind != "Ingress"
        if kind == "Service":
            assert manifest["spec"].get("type", "ClusterIP") == "ClusterIP", name
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0", "no trials on the head"


def test_every_secret_that_is_named_is_in_the_example_as_a_placeholder(manifests: Manifests) -> None:
    secrets = {name: manifest["stringData"] for (kind, name), manifest in manifests.items() if kind == "Secret"}
    for values in secrets.values():
        assert all("PLACEHOLDER" in value for value in values.values())
    assert "auth_token" in secrets["rlsweep-ray"], "KubeRay looks for this key"
    for name, template in pod_templates(manifests):
        for variable in template["spec"]["containers"][0].get("env", []):
            if "value" in variable:
                assert not variable["name"].endswith(("TOKEN", "PASSWORD", "URL")), name
            else:
                wanted = variable["valueFrom"]["secretKeyRef"]
                assert wanted["key"] in secrets[wanted["name"]]


def allowed_into(manifests: Manifests, pods: dict[str, str], port: int) -> set[str]:
    """Who may reach a port of pods with these labels, by the labels that the policies name."""
    peers = set()
    for (kind, _), policy in manifests.items():
        if kind != "NetworkPolicy" or policy["spec"]["podSelector"].get("matchLabels", {}).items() - pods.items():
            continue
        for rule in policy["spec"].get("ingress", []):
            if "ports" not in rule or any(entry["port"] == port for entry in rule["ports"]):
                peers |= {",".join(peer["podSelector"]["matchLabels"].values()) for peer in rule["from"]}
    return peers


def test_who_reaches_what(manifests: Manifests) -> None:
    ray, postgres, page = {"ray.io/cluster": "rlsweep"}, {"app": "postgres"}, {"app": "page"}
    assert allowed_into(manifests, ray, 6379) == {"rlsweep"}, "GCS: the cluster's own pods"
    assert allowed_into(manifests, ray, 8265) == {"rlsweep", "submitter", "kuberay-operator"}
    assert allowed_into(manifests, postgres, 5432) == {"rlsweep", "page"}
    assert allowed_into(manifests, page, 5173) == set()
    nobody = manifests["NetworkPolicy", "nobody"]["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress"]}, "whoever is not named is refused"


def test_the_labels_that_policies_name_are_those_of_pods(manifests: Manifests) -> None:
    labels = {name: template.get("metadata", {}).get("labels") for name, template in pod_templates(manifests)}
    assert labels["postgres"] == {"app": "postgres"}
    assert labels["page"] == {"app": "page"}
    assert labels["submitter"] == {"app": "submitter"}


def test_services_lead_to_a_port_of_one_pod(manifests: Manifests) -> None:
    pods = dict(pod_templates(manifests))
    for (kind, name), service in manifests.items():
        if kind == "Service":
            wanted = service["spec"]["selector"].items()
            (pod,) = [pod for pod in pods.values() if wanted <= pod.get("metadata", {}).get("labels", {}).items()]
            (container,) = pod["spec"]["containers"]
            assert {port["port"] for port in service["spec"]["ports"]} == {
                port["containerPort"] for port in container["ports"]
            }, name
    url = urlsplit(manifests["Secret", "rlsweep-database"]["stringData"]["url"])
    assert ("Service", url.hostname) in manifests
    assert {"port": url.port} in manifests["Service", str(url.hostname)]["spec"]["ports"]
    head = pods["head"]["spec"]["containers"][0]
    assert {(port["name"], port["containerPort"]) for port in head["ports"]} == {
        ("gcs-server", 6379),
        ("dashboard", 8265),
    }
    (port,) = manifests["Service", "page"]["spec"]["ports"]
    probe = pods["page"]["spec"]["containers"][0]["readinessProbe"]["exec"]["command"][-1]
    assert f"http://127.0.0.1:{port['port']}/api/health" in probe


def test_every_volume_is_one_that_is_made(manifests: Manifests) -> None:
    for name, template in pod_templates(manifests):
        for volume in template["spec"]["volumes"]:
            assert volume.keys() - {"name"} <= {"emptyDir", "configMap", "persistentVolumeClaim"}, name
            if claim := volume.get("persistentVolumeClaim"):
                modes = manifests["PersistentVolumeClaim", claim["claimName"]]["spec"]["accessModes"]
                assert modes == ["ReadWriteMany"], "head and workers are on several nodes"


def test_the_configs_of_a_config_map_are_found(repository: Path, tmp_path: Path) -> None:
    """A ConfigMap's files are links into a folder whose name begins with two dots."""
    from rlsweep.config.patterns import expand

    data = tmp_path / "..2026_11_24"
    data.mkdir()
    (tmp_path / "..data").symlink_to(data.name)
    names = sorted(file.name for file in (repository / "config" / "agents").iterdir())
    for name in names:
        (data / name).write_bytes((repository / "config" / "agents" / name).read_bytes())
        (tmp_path / name).symlink_to(f"..data/{name}")
    assert [path.name for path in expand([str(tmp_path)])] == [name for name in names if name.endswith(".yaml")]
