"""What KubeRay 1.6 makes of a RayCluster and a RayJob: commands, variables and probes of their containers.

No KubeRay can run here. This is written from what its source does (https://github.com/ray-project/kuberay, Apache-2.0:
pod.go and job.go in ray-operator/controllers/ray/common). Only what our manifests use is here: no autoscaler, no Redis.
"""

import re
from copy import deepcopy
from typing import Any

GCS_PORT, DASHBOARD_PORT, AGENT_PORT, METRICS_PORT = 6379, 8265, 52365, 8080
PROBE = {"httpGet": {"path": "/api/healthz", "port": AGENT_PORT}}
"""Of head and workers, for readiness and liveness. Older versions of KubeRay use `wget_probe`."""

Object = dict[str, Any]


def head_service(cluster: Object) -> str:
    """The full name of the service of a RayCluster's head."""
    metadata = cluster["metadata"]
    return f"{metadata['name']}-head-svc.{metadata['namespace']}.svc.cluster.local"


def number(quantity: str) -> float:
    """A quantity of Kubernetes: 200m is 0.2, 4Gi is 4294967296."""
    found = re.fullmatch(r"([0-9.]+)(m|[KMGT]i)?", quantity)
    assert found, quantity
    factor = {"m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}.get(found[2] or "", 1)
    return float(found[1]) * factor


def start_command(cluster: Object, group: Object) -> str:
    """`ray start` with the parameters of a group and those that KubeRay adds."""
    is_head = "groupName" not in group
    limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
    parameters = {
        "num-cpus": str(round(number(limits["cpu"]))),
        "memory": str(round(number(limits["memory"]))),
        **({"dashboard-host": "0.0.0.0"} if is_head else {"address": f"{head_service(cluster)}:{GCS_PORT}"}),
        "metrics-export-port": str(METRICS_PORT),
        "dashboard-agent-listen-port": str(AGENT_PORT),
        **group["rayStartParams"],
    }
    assert not {"true", "false"} & {value.lower() for value in parameters.values()}, "switches have no value"
    options = [f"--{name}={value}" for name, value in parameters.items()]
    return " ".join(["ray", "start", *(["--head"] if is_head else []), *sorted([*options, "--block"])])


def token(cluster: Object) -> list[Object]:
    """The variables of every container that speaks to Ray."""
    options = cluster["spec"]["authOptions"]
    assert options["mode"] == "token"
    secret = {"secretKeyRef": {"name": options["secretName"], "key": "auth_token"}}
    return [{"name": "RAY_AUTH_MODE", "value": options["mode"]}, {"name": "RAY_AUTH_TOKEN", "valueFrom": secret}]


def wget_probe(*, is_head: bool) -> Object:
    """The command with which older versions of KubeRay ask the raylet, and on the head the GCS too."""
    asked = [(AGENT_PORT, "local_raylet_healthz"), *([(DASHBOARD_PORT, "gcs_healthz")] if is_head else [])]
    commands = [f"wget --tries 1 -T 2 -q -O- http://localhost:{port}/api/{path} | grep success" for port, path in asked]
    return {"exec": {"command": ["bash", "-c", " && ".join(commands)]}}


def ray_pod(cluster: Object, group: Object, name: str) -> Object:
    """The spec of a pod of the head group or of a worker group."""
    is_head, service = "groupName" not in group, head_service(cluster)
    pod: Object = deepcopy(group["template"]["spec"])
    (container,) = pod["containers"]
    assert not {"command", "args", "readinessProbe", "livenessProbe"} & container.keys()
    address = "127.0.0.1" if is_head else service
    variables = {
        "RAY_CLUSTER_NAME": cluster["metadata"]["name"],
        "RAY_CLUSTER_NAMESPACE": cluster["metadata"]["namespace"],
        "RAY_CLOUD_INSTANCE_ID": name,
        "RAY_NODE_TYPE_NAME": group.get("groupName", "headgroup"),
        "KUBERAY_GEN_RAY_START_CMD": start_command(cluster, group),
        "RAY_PORT": str(GCS_PORT),
        "RAY_ADDRESS": f"{address}:{GCS_PORT}",
        "RAY_USAGE_STATS_KUBERAY_IN_USE": "1",
        "RAY_DASHBOARD_ENABLE_K8S_DISK_USAGE": "1",
    }
    if not is_head:
        variables |= {"FQ_RAY_IP": service, "RAY_IP": service.split(".")[0]}
        pod["initContainers"] = [waiting_container(cluster, container)]
    container["env"] += token(cluster) + [{"name": key, "value": value} for key, value in variables.items()]
    container["command"] = ["/bin/bash", "-c", "--"]
    container["args"] = [f"ulimit -n ${{RAY_START_ULIMIT_OPEN_FILES:-65536}}; {start_command(cluster, group)}"]
    container |= {"readinessProbe": PROBE, "livenessProbe": wget_probe(is_head=is_head)}  # both kinds, to check both
    return pod


def waiting_container(cluster: Object, container: Object) -> Object:
    """The container that runs before a worker's, until the head's GCS answers, within limits of its own."""
    asked = f"ray health-check --address {head_service(cluster)}:{GCS_PORT}"
    return {
        "name": "wait-gcs-ready",
        "image": container["image"],
        "command": ["/bin/bash", "-c", "--"],
        "args": [f"until {asked}; do sleep 5; done"],
        "securityContext": container["securityContext"],
        "env": container["env"] + token(cluster),
        "volumeMounts": container["volumeMounts"],
        "resources": {"limits": {"cpu": "200m", "memory": "256Mi"}, "requests": {"cpu": "200m", "memory": "256Mi"}},
    }


def submitter_pod(cluster: Object, job: Object) -> Object:
    """The spec of the pod that submits a RayJob to a cluster that runs already."""
    pod: Object = deepcopy(job["spec"]["submitterPodTemplate"]["spec"])
    (container,) = pod["containers"]
    assert not {"command", "args", "env"} & container.keys()
    address, name = f"{head_service(cluster)}:{DASHBOARD_PORT}", f"{job['metadata']['name']}-submission"
    variables = {"PYTHONUNBUFFERED": "1", "RAY_DASHBOARD_ADDRESS": address, "RAY_JOB_SUBMISSION_ID": name}
    container["env"] = token(cluster) + [{"name": key, "value": value} for key, value in variables.items()]
    to = f"--address http://{address}"
    container["command"] = ["/bin/bash", "-ce", "--"]
    container["args"] = [
        f"if ! ray job status {to} {name} >/dev/null 2>&1 ; "
        f"then ray job submit {to} --no-wait --submission-id {name} -- {job['spec']['entrypoint']} ; fi ; "
        f"ray job logs {to} --follow {name}"
    ]
    return pod
