"""Runs the containers of pods with podman, as the agent of a Kubernetes node would."""

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.cluster.kuberay import number
from tests.cluster.podman import Podman

RESTARTS = 2
"""Ray ends a node that does not start within its 30 seconds; on a busy machine that happens."""

Object = dict[str, Any]
KNOWN = {
    "pod": {"automountServiceAccountToken", "containers", "enableServiceLinks", "initContainers", "restartPolicy"}
    | {"securityContext", "volumes"},
    "container": {"args", "command", "env", "image", "name", "ports", "resources", "securityContext", "volumeMounts"}
    | {"livenessProbe", "readinessProbe"},
    "pod's securityContext": {"fsGroup", "fsGroupChangePolicy", "runAsGroup", "runAsNonRoot", "runAsUser"}
    | {"seccompProfile"},
    "container's securityContext": {"allowPrivilegeEscalation", "capabilities", "readOnlyRootFilesystem"},
}


class Node:
    """A network, volumes in a folder, secrets and config maps; the containers that were started end with it."""

    def __init__(self, podman: Podman, name: str, work: Path, secrets: Mapping[str, Mapping[str, str]]) -> None:
        self._podman = podman
        self._name = name
        self._work = work
        self._secrets = secrets
        self._hosts: dict[str, str] = {}
        self.config_maps: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        self._remove()
        self._run("network", "create", self._name)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            for container in self._containers():
                print(f"--- {container}\n{self.log(container)}", flush=True)
        self._remove()

    def _run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a podman command, which prints nothing here."""
        told = ("podman", *command)
        return subprocess.run(told, env=self._podman.environ, capture_output=True, text=True, check=check)

    def _containers(self) -> list[str]:
        listed = self._run("ps", "--all", "--filter", f"name=^{self._name}-", "--format", "{{.Names}}").stdout
        return listed.split()

    def _remove(self) -> None:
        for container in self._containers():
            self._run("rm", "--force", "--time", "0", container)
        if self._run("network", "exists", self._name, check=False).returncode == 0:
            self._run("network", "rm", self._name)

    def serve(self, pod: str, *names: str) -> None:
        """Give services names: pods that start later reach this one by them."""
        self._hosts |= {name: self.address(pod) for name in names}

    def address(self, pod: str) -> str:
        """The IP address of a pod."""
        told = json.loads(self._run("inspect", f"{self._name}-{pod}").stdout)[0]
        return str(told["NetworkSettings"]["Networks"][self._name]["IPAddress"])

    def log(self, container: str) -> str:
        """What a container of the given full name, or of a pod, has printed."""
        name = container if container.startswith(self._name) else f"{self._name}-{container}"
        done = self._run("logs", name, check=False)
        return done.stdout + done.stderr

    def start(self, pod: str, spec: Object) -> float:
        """Start a pod, its first containers one after the other; the seconds that these took."""
        began = time.monotonic()
        for container in spec.get("initContainers", []):
            name = f"{self._name}-{pod}-{container['name']}"
            self._run("run", "--name", name, "--hostname", pod, *self.options(pod, spec, container))
        took = time.monotonic() - began
        (container,) = spec["containers"]
        self._run(
            "run", "--detach", "--name", f"{self._name}-{pod}", "--hostname", pod, *self.options(pod, spec, container)
        )
        return took

    def wait(self, pod: str) -> int:
        """The exit code of a pod's container, once it has ended."""
        return int(self._run("wait", f"{self._name}-{pod}").stdout)

    def stop(self, pod: str, grace: int = 30) -> tuple[float, int]:
        """End a pod as Kubernetes does; the seconds that it took, and the exit code."""
        began = time.monotonic()
        self._run("stop", "--time", str(grace), f"{self._name}-{pod}")
        return time.monotonic() - began, self.wait(pod)

    def execute(self, pod: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a pod's container."""
        return self._run("exec", f"{self._name}-{pod}", *command, check=False)

    def listening(self, pod: str) -> set[int]:
        """The ports on which a pod's processes accept connections from other pods."""
        table = self.execute(pod, "cat", "/proc/net/tcp", "/proc/net/tcp6").stdout
        rows = [line.split() for line in table.splitlines()]
        sockets = [row[1].split(":") for row in rows if row[3] == "0A"]
        return {int(port, 16) for address, port in sockets if not address.endswith(("0100007F", "01000000"))}

    def until_ready(self, pod: str, spec: Object, seconds: float = 180) -> float:
        """Wait until the probes of a pod's container pass, and start it again if it ends; the seconds that it took.

        Raises:
            TimeoutError: it is not ready in time, or has ended more than RESTARTS times
        """
        (container,) = spec["containers"]
        probes = [container[name] for name in ("readinessProbe", "livenessProbe") if name in container]
        assert probes, f"{pod} has no probe"
        began, restarts = time.monotonic(), 0
        while not all(self.passes(pod, probe) for probe in probes):
            state = self._run("inspect", "--format", "{{.State.Status}}", f"{self._name}-{pod}").stdout.strip()
            if state == "exited" and restarts < RESTARTS:
                restarts += 1
                print(f"{pod} ended and is started again, as Kubernetes does", flush=True)
                self._run("start", f"{self._name}-{pod}")
            elif state == "exited" or time.monotonic() - began > seconds:
                raise TimeoutError(f"{pod} is not ready after {seconds:.0f} s")
            time.sleep(1)
        return time.monotonic() - began

    def passes(self, pod: str, probe: Object) -> bool:
        """Whether a probe passes: commands run in the container, requests come from the node."""
        (kind,) = probe.keys() & {"exec", "httpGet", "tcpSocket"}
        if kind == "exec":
            return self.execute(pod, *probe[kind]["command"]).returncode == 0
        address, port = self.address(pod), probe[kind]["port"]
        try:
            if kind == "tcpSocket":
                socket.create_connection((address, port), timeout=1).close()
            else:
                urllib.request.urlopen(f"http://{address}:{port}{probe[kind]['path']}", timeout=2).close()
        except OSError:
            return False
        return True

    def options(self, pod: str, spec: Object, container: Object) -> list[str]:
        """What podman run is given for a container, from the image on. An unknown field is an error."""
        rights, of_pod = container["securityContext"], spec["securityContext"]
        for kind, given in (("pod", spec), ("container", container)):
            assert given.keys() <= KNOWN[kind], given.keys() - KNOWN[kind]
            named = f"{kind}'s securityContext"
            assert given["securityContext"].keys() <= KNOWN[named], given["securityContext"].keys() - KNOWN[named]
        assert rights["readOnlyRootFilesystem"]
        assert not rights["allowPrivilegeEscalation"]
        assert of_pod["runAsUser"] > 0
        assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
        limits = container["resources"]["limits"]
        options = ["--network", self._name, "--read-only", "--read-only-tmpfs=false"]
        options += [f"--cap-drop={name}" for name in rights["capabilities"]["drop"]]
        options += ["--security-opt", "no-new-privileges", "--user", f"{of_pod['runAsUser']}:{of_pod['runAsGroup']}"]
        options += ["--group-add", str(of_pod["fsGroup"])] if "fsGroup" in of_pod else []
        memory = str(round(number(limits["memory"])))
        options += ["--cpus", str(number(limits["cpu"])), "--memory", memory, "--memory-swap", memory]
        for name, address in self._hosts.items():
            options += ["--add-host", f"{name}:{address}"]
        for variable in container.get("env", []):
            options += ["--env", f"{variable['name']}={self._value(variable)}"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        for mount in container["volumeMounts"]:
            options += self._mount(pod, volumes[mount["name"]], mount, of_pod.get("fsGroup", 0))
        if "command" in container:
            options += ["--entrypoint", json.dumps(container["command"])]
        return [*options, container["image"], *container.get("args", [])]

    def _value(self, variable: Object) -> str:
        if "value" in variable:
            return str(variable["value"])
        wanted = variable["valueFrom"]["secretKeyRef"]
        return self._secrets[wanted["name"]][wanted["key"]]

    def _mount(self, pod: str, volume: Object, mount: Object, group: int) -> list[str]:
        """A claim is a folder that pods share, a config map one of links, an emptyDir memory or a folder of the pod."""
        path = mount["mountPath"]
        if size := volume.get("emptyDir", {}).get("sizeLimit"):
            assert volume["emptyDir"]["medium"] == "Memory"
            return ["--mount", f"type=tmpfs,destination={path},tmpfs-size={round(number(size))},tmpfs-mode=0777"]
        if claim := volume.get("persistentVolumeClaim"):
            folder = self._work / "claims" / claim["claimName"]
        else:
            folder = self._work / pod / volume["name"]
        if not folder.exists():
            folder.mkdir(parents=True)
            if "configMap" in volume:
                write_config_map(folder, self.config_maps[volume["configMap"]["name"]])
            os.chown(folder, 0, group)
            folder.chmod(0o2775 if claim else 0o2777)
        return ["--volume", f"{folder}:{path}:{'ro' if mount.get('readOnly') else 'rw'}"]


def write_config_map(folder: Path, files: Mapping[str, str]) -> None:
    """Links to files of a folder that has two dots before its name, as in a pod."""
    (folder / "..files").mkdir()
    (folder / "..data").symlink_to("..files")
    for name, text in files.items():
        (folder / "..files" / name).write_text(text)
        (folder / name).symlink_to(f"..data/{name}")
