"""The kubectl on the path."""

import json
import re
import shutil
import subprocess

NEEDED = (1, 21)
"""The first version with components of kustomize, which the manifests use. Debian 12 has 1.20."""


def kubectl_version() -> tuple[int, int]:
    """Its version, (0, 0) without one."""
    if shutil.which("kubectl") is None:
        return 0, 0
    command = ("kubectl", "version", "--client", "--output=json")
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    version = json.loads(told)["clientVersion"]
    return int(version["major"]), int(re.sub(r"\D", "", version["minor"]))


def kubectl_is_missing() -> bool:
    """Whether there is none that renders the manifests."""
    return kubectl_version() < NEEDED
