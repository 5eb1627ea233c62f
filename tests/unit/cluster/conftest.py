from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[3]
CLUSTER = REPOSITORY / "cluster"


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    return yaml.safe_load((CLUSTER / "compose.yaml").read_text())


@pytest.fixture(scope="session")
def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    """Every document in cluster/kubernetes by kind and name; kustomize's own files left out."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for file in sorted((CLUSTER / "kubernetes").rglob("*.yaml")):
        if file.name in ("kustomization.yaml", "images.yaml"):
            continue
        for document in yaml.safe_load_all(file.read_text()):
            found[document["kind"], document["metadata"]["name"]] = document
    return found


@pytest.fixture(scope="session")
def pinned() -> dict[str, str]:
    """The versions in .constraints.txt."""
    lines = (REPOSITORY / ".constraints.txt").read_text().split()
    return dict(line.split("==", 1) for line in lines)
