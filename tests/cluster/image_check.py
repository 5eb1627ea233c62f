"""Build the image of cluster/ and use it in containers, as cluster/README.md says. `make image-check`.

Podman takes the Docker API's place, Docker Compose is the real one. No registry is needed: the images that cluster/
starts from are made of Debian's packages (see images.py). Nothing else on the machine is touched; what was made is
removed at the end, whether the check passes or not.

--short: the image, the head, one worker and one sweep.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import images, launcher_check, services_check, sweeps_check
from tests.cluster.kubectl import kubectl_is_missing
from tests.cluster.kubernetes_check import check_kubernetes
from tests.cluster.podman import PACKAGES, Podman
from tests.cluster.stack import Stack

FOLDER = Path("/var/tmp/rlsweep-image-check")
CHROMIUM = {"chromium": "/usr/bin/chromium"}


@contextmanager
def step(name: str) -> Iterator[None]:
    """Tell of a step, and how long it took."""
    begun = time.monotonic()
    print(f"== {name}", flush=True)
    yield
    print(f"== {name}: {time.monotonic() - begun:.0f} s", flush=True)


def problem(*, short: bool) -> str | None:
    """Why the check cannot run on this machine, and the way out; None if it can."""
    if os.geteuid() != 0:
        return "it needs root"
    if not short and kubectl_is_missing():
        return "it needs kubectl 1.21 or newer for the Kubernetes manifests; --short leaves them out"
    packages = PACKAGES if short else PACKAGES | CHROMIUM
    missing = " ".join(name for name, file in packages.items() if not Path(file).exists())
    if missing:
        return f"apt-get install --no-install-recommends {missing}"
    return Podman(FOLDER).refusal()


def make_images(podman: Podman, cache: Path | None, torch_index: str) -> None:
    """Make the images that compose.yaml names."""
    with step("base images from Debian's packages"):
        images.python_image(podman, cache=cache)
        images.postgres_image(podman)
    with step("podman build --file cluster/Dockerfile"):
        images.rlsweep_image(podman, torch_index=torch_index)
    print(podman.output("images", "--format={{.Repository}}:{{.Tag}} {{.Size}}"))


def check_services(podman: Podman, *, short: bool) -> None:
    """Start what compose.yaml describes, and run sweeps on it."""
    with podman.service() as docker_host:
        stack = Stack(podman, docker_host, podman.folder / "checkout")
        with step("docker compose up without cluster/.env"):
            services_check.refuse_to_start_without_settings(stack)
        stack.make_settings(**({"WORKERS": 1} if short else {}))
        with step("docker compose up"):
            print(f"{services_check.start(stack):.0f} s until all services are healthy")
        if not short:
            with step("what containers may do, and who is refused"):
                services_check.are_held_to_what_they_need(stack)
                services_check.refuse_strangers(stack)
        with step("a sweep, submitted from outside and followed to its end"):
            seconds = sweeps_check.submit(stack, "first", "config/agents/ppo_agent_v1.yaml", sweeps_check.SHORT)
            print(f"{seconds:.0f} s from `submit` to the first episode")
            sweeps_check.finish(stack, "first")
        if not short:
            with step("Training History in Chromium"):
                sweeps_check.page_shows(stack, "first")
            with step("a worker killed, the database restarted, resume"):
                sweeps_check.submit(stack, "long", services_check.CONFIGS, sweeps_check.LONG)
                sweeps_check.goes_on_after_faults(stack, "long")
            with step("docker compose down in the middle of a sweep, up, resume"):
                print(f"{sweeps_check.come_back(stack, 'long', 'first'):.0f} s for `down`")
        stack.compose("down --volumes")


def check(*, short: bool, cache: Path | None, torch_index: str) -> None:
    """Make the images and use them; AssertionError or CalledProcessError where something does not hold."""
    begun = time.monotonic()
    Podman(FOLDER).remove()  # what a run that was killed has left
    podman = Podman(FOLDER)
    try:
        make_images(podman, cache, torch_index)
        check_services(podman, short=short)
        if not short:
            with step("the launcher's scripts set up a head"):
                launcher_check.sets_up_a_head(podman)
            with step("the containers of the Kubernetes manifests"):
                check_kubernetes(podman, images.RLSWEEP_IMAGE)
    finally:
        podman.remove()
    print(f"image-check passed in {(time.monotonic() - begun) / 60:.0f} minutes.")


def main() -> None:
    """Run the check; exit code 1 if something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="only the image, and one sweep on a head and a worker")
    parser.add_argument("--optional", action="store_true", help="exit code 0 where the machine cannot run the check")
    parser.add_argument("--cache", type=Path, help="folder that keeps the Debian tree for the next time")
    parser.add_argument("--torch-index", default=images.PYTHON_INDEX, help="index of torch's builds")
    options = parser.parse_args()
    if (told := problem(short=options.short)) and options.optional:
        print(f"SKIPPED: image-check cannot run here: {told}")
    elif told:
        sys.exit(f"image-check cannot run here: {told}")
    else:
        check(short=options.short, cache=options.cache, torch_index=options.torch_index)


if __name__ == "__main__":
    main()
