"""The images that a check runs: stand-ins for those of registries, made from Debian's packages, and rlsweep's own.

`python_image` and `postgres_image` take the names that cluster/ asks for. They are stand-ins: Debian's Python 3.11 and
PostgreSQL 15, with an entry point that understands what the official image's does.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster.podman import Podman

REPOSITORY = Path(__file__).parents[2]
DEBIAN = "bookworm"
TREE_PACKAGES = "ca-certificates,python3,python3-venv"
PYTHON_IMAGE = f"docker.io/library/python:3.11-slim-{DEBIAN}"
POSTGRES_IMAGE = "docker.io/library/postgres:18"
RLSWEEP_IMAGE = "localhost/rlsweep:cpu"
PYTHON_INDEX = "https://pypi.org/simple"
"""Where the check's torch comes from unless it is told otherwise; the Dockerfile's own default is PyTorch's index."""


def python_image(podman: Podman, *, cache: Path | None = None) -> None:
    """Make the stand-in for Python's image: a Debian tree, with this machine's settings of pip and certificates.

    cache: a folder that keeps the tree, as an archive, for the next time
    """
    archive = (cache or podman.folder) / f"debian-{DEBIAN}.tar"
    if not archive.exists():
        _debian_tree(podman.folder / "tree", archive)
    changes = ("ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "ENV LANG=C.UTF-8")
    podman.run("import", "--quiet", *(f"--change={change}" for change in changes), archive, PYTHON_IMAGE)


def _debian_tree(tree: Path, archive: Path) -> None:
    """Archive a new Debian tree with Python."""
    try:
        command = ("debootstrap", "--variant=minbase", f"--include={TREE_PACKAGES}", DEBIAN, tree)
        with (archive.parent / "debootstrap.log").open("wb") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log)
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", tree / "etc/ssl/certs/ca-certificates.crt")
        (tree / "etc/pip.conf").write_text(pip_settings())
        policy = tree / "usr/sbin/policy-rc.d"  # a package that is installed starts no server, as in Debian's images
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        patterns = ("./dev/*", "./proc/*", "./sys/*", "./var/cache/apt/archives/*.deb", "./var/lib/apt/lists/*")
        left_out = [f"--exclude={pattern}" for pattern in patterns]
        subprocess.run(("tar", "--directory", tree, *left_out, "--create", "--file", archive, "."), check=True)
    finally:
        shutil.rmtree(tree, ignore_errors=True)


def pip_settings() -> str:
    """The settings with which pip runs on this machine, from files and variables, as a pip.conf."""
    command = (sys.executable, "-m", "pip", "config", "list")
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE)
    lines = [f"{name} = {value}" for name, value in dict(found).items()]
    return "\n".join(("[global]", "progress-bar = off", *lines, ""))


def pip_folders() -> list[Path]:
    """Folders of this machine that the settings of pip name; a build mounts them."""
    settings = pip_settings()
    indexes = {Path(index).parent for index in re.findall(r"file://(/\S+)", settings)}  # whose pages link to its files
    named = {Path(word) for word in re.findall(r"(?<=\s)(/\S+)", settings)}
    folders = indexes | {path if path.is_dir() else path.parent for path in named}
    return sorted(folder for folder in folders if folder.exists() and folder != Path("/etc/ssl/certs"))


def mounted_settings() -> list[str]:
    """The options of a build with which pip reaches those folders."""
    return [f"--volume={folder}:{folder}:ro" for folder in pip_folders()]


def postgres_image(podman: Podman) -> None:
    """Make the stand-in for PostgreSQL's image, on top of `python_image`."""
    folder = Path(__file__).parent / "postgres"
    podman.run("build", "--layers=false", "--tag", POSTGRES_IMAGE, "--file", folder / "Containerfile", folder)


def rlsweep_image(podman: Podman, *, tag: str = RLSWEEP_IMAGE, torch_index: str = PYTHON_INDEX) -> None:
    """Build cluster/Dockerfile as it is, on top of `python_image`.

    torch_index: where torch's build comes from, as --build-arg TORCH_INDEX
    """
    podman.run(
        "build", "--layers=false", *mounted_settings(), f"--build-arg=TORCH_INDEX={torch_index}", f"--tag={tag}",
        f"--file={REPOSITORY}/cluster/Dockerfile", f"--ignorefile={REPOSITORY}/.dockerignore", REPOSITORY,
    )  # fmt: skip
