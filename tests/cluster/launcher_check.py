"""The launcher's scripts set up a machine as a head, in a container. `image_check.py` calls `sets_up_a_head`."""

import shutil
import tempfile
from pathlib import Path

import yaml

from tests.cluster.images import PYTHON_INDEX, REPOSITORY, mounted_settings
from tests.cluster.podman import Podman

IMAGE = "localhost/rlsweep-node:check"
NODE = Path(__file__).parent / "node"


def sets_up_a_head(podman: Podman) -> None:
    """Run setup.sh and database.sh twice on a bare machine; PostgreSQL takes private addresses alone, over TLS."""
    with tempfile.TemporaryDirectory(prefix="rlsweep-node-") as temporary:
        context = Path(temporary)
        copy_what_is_mounted(context / "home")
        shutil.copy(NODE / "head.sh", context)
        index = f"--build-arg=PIP_EXTRA_INDEX_URL={PYTHON_INDEX}"  # setup.sh otherwise asks PyTorch's
        made = ("--layers=false", f"--file={NODE}/Containerfile", f"--tag={IMAGE}")
        podman.run("build", *mounted_settings(), index, *made, context)
    print(podman.container(IMAGE, options=("--network=none", "--cap-add=NET_ADMIN")))


def copy_what_is_mounted(home: Path) -> None:
    """What file_mounts of machines.yaml copies into a node's home, with a new password instead of the user's."""
    files = yaml.safe_load((REPOSITORY / "cluster" / "launcher" / "machines.yaml").read_text())["file_mounts"]
    for target, source in files.items():
        origin, copied = REPOSITORY / source, home / target.removeprefix("~/")
        copied.parent.mkdir(parents=True, exist_ok=True)
        if source.startswith("~"):
            continue
        if origin.is_dir():
            shutil.copytree(origin, copied, symlinks=True)
        else:
            shutil.copy2(origin, copied)
    settings = f"RLSWEEP_DATABASE_PASSWORD={'3' * 64}\nRLSWEEP_STORAGE=/shared/rlsweep\n"
    (home / ".rlsweep" / "cluster.env").write_text(settings)
