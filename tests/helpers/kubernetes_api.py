"""So much of Kubernetes' API that kubectl finds the kinds that we use and creates objects. None is there before."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

KINDS = {
    "v1": ("Namespace", "Service", "Secret", "ConfigMap", "Pod", "PersistentVolumeClaim"),
    "apps/v1": ("Deployment", "StatefulSet"),
    "batch/v1": ("Job",),
    "networking.k8s.io/v1": ("NetworkPolicy",),
    "ray.io/v1": ("RayCluster", "RayJob"),
}
NOT_FOUND = {"kind": "Status", "apiVersion": "v1", "reason": "NotFound", "code": 404}
VERBS = ["create", "delete", "get", "list", "patch", "watch"]


def plural(kind: str) -> str:
    return re.sub("y$", "ie", kind.lower()) + "s"


def discovery(path: str) -> dict[str, Any] | None:
    """What the API says of itself at a path, None where it says nothing."""
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        versions = [{"groupVersion": group, "version": group.split("/")[1]} for group in KINDS if "/" in group]
        groups = [{"name": version["groupVersion"].split("/")[0], "versions": [version]} for version in versions]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    group = path.removeprefix("/apis/").removeprefix("/api/")
    if group not in KINDS:
        return None
    resources = [
        {
            "name": plural(kind),
            "singularName": kind.lower(),
            "kind": kind,
            "verbs": VERBS,
            "namespaced": kind != "Namespace",
        }
        for kind in KINDS[group]
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": resources}


@contextmanager
def kubernetes_api() -> Iterator[tuple[str, list[dict[str, Any]], list[str]]]:
    """The address of an API, the objects that are created with it, and the paths that are asked for, in their order."""
    created: list[dict[str, Any]] = []
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self, code: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            told = discovery(path)
            if told is None:
                asked.append(path)
            self.answer(200 if told else 404, told or NOT_FOUND)

        do_DELETE = do_GET  # noqa: N815

        def do_POST(self) -> None:
            created.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(201, created[-1])

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", created, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
