"""Runs the Dockerfile's steps and the compose file's commands where there is no container engine. `make image-check`.

Each stage is a Debian tree (debootstrap, with Debian's Python 3.11 in place of the official image's) in which the steps
are run by chroot; what is copied has to pass .dockerignore. Then, with network, processes and mounts of its own, the
final tree is used as compose would: read-only but for /tmp, the home, /storage and /dev/shm, as the image's user, with
the environment and the commands of compose.yaml; a sweep has to come through. PostgreSQL is the one that the image
brings, for `postgres:18` cannot be pulled.

Needs root, debootstrap and the network; takes ten minutes or so. No container engine runs: layers, `--init`, published
ports, memory limits and dropped capabilities are not checked.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]
CLUSTER = REPOSITORY / "cluster"
DEBIAN = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
PASSED_ON = re.compile(r"PIP_|SSL_CERT|REQUESTS_CA|HTTPS?_PROXY|NO_PROXY", re.IGNORECASE)
SECRETS = {"RAY_AUTH_TOKEN": "0" * 64, "POSTGRES_PASSWORD": "1" * 64, "RLSWEEP_TOKEN": "2" * 64}

SWEEP = """
set -euo pipefail
export {environment}
mkdir --parents /tmp/database
programs=$(dirname "$(python3 -c 'from rlsweep.store.embedded import program; print(program("postgres"))')")
echo "$POSTGRES_PASSWORD" > /tmp/password
"$programs/initdb" --pgdata=/tmp/database/data --username=rlsweep --auth=scram-sha-256 --pwfile=/tmp/password > /dev/null
"$programs/pg_ctl" start --silent --wait --pgdata=/tmp/database/data --log=/tmp/database/log \\
  --options='-c listen_addresses=127.0.0.1 -c unix_socket_directories='
PGPASSWORD=$POSTGRES_PASSWORD "$programs/psql" --host=127.0.0.1 --username=rlsweep --dbname=postgres --quiet \\
  --command='create database rlsweep'
test "$(id -u)" = 1000
! touch /app/file /opt/rlsweep/file 2> /dev/null
{head} &
until {healthy}; do sleep 1; done
{worker} &
until rlsweep submit config/agents/ppo_agent_sweep_lr_low.yaml --address auto --episodes 20 --name image-check; do
  test $((tries=${{tries:-0}} + 1)) -lt 20; tries=$((${{tries:-0}} + 1)); sleep 3
done
rlsweep status image-check
test -n "$(find /storage/checkpoints -name '*.zip')"
{page} &
until wget -q -O- --header "Authorization: Bearer $RLSWEEP_TOKEN" http://127.0.0.1:5173/api/sweeps | grep image-check
do sleep 1; done
! wget -q -O- http://127.0.0.1:5173/api/sweeps
! wget -q -O- http://127.0.0.1:8265/api/jobs/
RAY_AUTH_TOKEN=wrong timeout 60 ray job list --address http://127.0.0.1:8265 2>&1 | grep --ignore-case token
ray job list --address http://127.0.0.1:8265
echo "The image's parts work."
"""


@dataclass
class Stage:
    """A stage of the Dockerfile on its way: its tree, and what the steps so far have set."""

    tree: Path
    environ: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """The instructions and what they are given, comments left out and continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            instruction, _, given = line.partition(" ")
            yield instruction, given.strip()


class Builder:
    """Follows a Dockerfile of the kind that lies in cluster/: what it cannot follow is an error."""

    def __init__(self, work: Path, binds: Sequence[Path], arguments: dict[str, str]) -> None:
        self._work = work
        self._binds = binds
        self._arguments = arguments
        self._base = work / "base"
        self.stages: dict[str, Stage] = {}

    def build(self) -> Stage:
        """Run all steps; returns the last stage."""
        if not (self._base / "debootstrap-done").exists():
            run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", DEBIAN, self._base)
            (self._base / "debootstrap-done").touch()
        stage: Stage | None = None
        for instruction, given in instructions((CLUSTER / "Dockerfile").read_text()):
            print(f"{instruction} {given}", flush=True)
            if instruction == "FROM":
                stage = self._from(given)
            else:
                assert stage is not None, "a Dockerfile begins with FROM"
                getattr(self, f"_{instruction.lower()}")(stage, given)
        assert stage is not None
        return stage

    def _from(self, given: str) -> Stage:
        image, _, name = given.partition(" AS ")
        assert image == f"python:3.11-slim-{DEBIAN}", f"{image} has no stand-in here"
        tree = self._work / (name or "final")
        shutil.rmtree(tree, ignore_errors=True)
        run("cp", "--archive", "--reflink=auto", self._base, tree)
        self.stages[name or "final"] = Stage(tree, {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"})
        return self.stages[name or "final"]

    def _arg(self, stage: Stage, given: str) -> None:
        name, _, default = given.partition("=")
        stage.environ[name] = self._arguments.get(name, default)

    def _env(self, stage: Stage, given: str) -> None:
        for setting in shlex.split(given):
            name, _, value = setting.partition("=")
            stage.environ[name] = value.replace("$PATH", stage.environ["PATH"])

    def _workdir(self, stage: Stage, given: str) -> None:
        stage.folder = given
        (stage.tree / given.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _user(self, stage: Stage, given: str) -> None:
        stage.user = given

    def _cmd(self, stage: Stage, given: str) -> None:
        with self.network_of(stage.tree):
            run("chroot", f"--userspec={stage.user}", stage.tree, *yaml.safe_load(given), environ=stage.environ)

    def _copy(self, stage: Stage, given: str) -> None:
        *sources, target = given.split()
        context = REPOSITORY
        if sources[0].startswith("--from="):
            context = self.stages[sources.pop(0).removeprefix("--from=")].tree
        else:
            allowed = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line[0] == "!"}
            assert {source.split("/")[0] for source in sources} <= allowed, f".dockerignore leaves {sources} out"
        destination = stage.tree / os.path.join(stage.folder, target).lstrip("/")
        for source in sources:
            origin = context / source.lstrip("/")
            if origin.is_dir():
                shutil.copytree(origin, destination, symlinks=True, dirs_exist_ok=True)
            else:
                into = destination / origin.name if target.endswith("/") else destination
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(origin, into)

    def _run(self, stage: Stage, given: str) -> None:
        passed_on = {name: value for name, value in os.environ.items() if PASSED_ON.match(name)}
        script = f"cd {shlex.quote(stage.folder)}\n{given}"
        with self.network_of(stage.tree):
            run("chroot", stage.tree, "/bin/sh", "-ec", script, environ=stage.environ | passed_on)

    @contextmanager
    def network_of(self, tree: Path) -> Iterator[None]:
        """The machine's names, certificates and what --bind names, inside the tree while the context lasts."""
        shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
        mounted: list[Path] = []
        try:
            for path in (Path("/dev"), Path("/proc"), Path("/etc/ssl/certs"), *self._binds):
                inside = tree / str(path).lstrip("/")
                if path.is_dir():
                    inside.mkdir(parents=True, exist_ok=True)
                else:
                    inside.touch()
                run("mount", "--bind", path, inside)
                mounted.append(inside)
            yield
        finally:
            for inside in reversed(mounted):
                run("umount", inside)


def use(stage: Stage) -> None:
    """Start what compose.yaml starts, in the final tree, and run a sweep."""
    compose = yaml.safe_load(re.sub(r"\$\{(\w+):-([^}]*)\}", r"\2", (CLUSTER / "compose.yaml").read_text()))
    services = compose["services"]
    environ = services["head"]["environment"] | services["page"]["environment"] | SECRETS
    for name, value in environ.items():
        secret = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: SECRETS[found[1]], str(value))
        environ[name] = secret.replace("@postgres:", "@127.0.0.1:")
    script = SWEEP.format(
        environment=" ".join(f"{name}={shlex.quote(value)}" for name, value in environ.items()),
        head=services["head"]["command"],
        worker=services["worker"]["command"].replace("head:6379", "127.0.0.1:6379"),
        healthy=shlex.join(services["head"]["healthcheck"]["test"][1:]),
        page=services["page"]["command"],
    )
    tree = stage.tree
    for folder in ("dev/shm", "proc", "tmp", "storage"):
        (tree / folder).mkdir(parents=True, exist_ok=True)
    mounts = f"""
        set -e
        ip link set lo up
        mount --bind {tree} {tree}
        mount -o remount,ro,bind {tree}
        mount -t proc proc {tree}/proc
        mount -t tmpfs -o mode=755 dev {tree}/dev
        for device in null zero random urandom; do
            touch {tree}/dev/$device; mount --bind /dev/$device {tree}/dev/$device
        done
        mkdir {tree}/dev/shm
        mount -t tmpfs -o size={services["head"]["shm_size"].removesuffix("b")},mode=1777 shm {tree}/dev/shm
        mount -t tmpfs -o mode=1777 tmp {tree}/tmp
        mount -t tmpfs -o uid=1000,gid=1000,mode=700 home {tree}/home/rlsweep
        mount -t tmpfs -o uid=1000,gid=1000 storage {tree}/storage
        exec chroot --userspec={stage.user} {tree} /bin/bash -c 'cd {stage.folder}; source /dev/stdin'
    """
    # The whole family ends with its first process, since the processes have a namespace of their own.
    namespaces = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
    run(*namespaces, "/bin/sh", "-c", mounts, environ=stage.environ, given=script)


def run(*command: str | Path, environ: dict[str, str] | None = None, given: str | None = None) -> None:
    """Run a command, its output going where ours goes; CalledProcessError where it fails."""
    inside = None if environ is None else {**environ, "PATH": f"{environ['PATH']}:/usr/sbin:/sbin"}
    subprocess.run(command, check=True, env=inside, input=given, text=True)


def main() -> None:
    """Build the image's stages, then use what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bind", type=Path, action="append", default=[], help="a file or folder pip needs, seen inside")
    parser.add_argument("--build-arg", action="append", default=[], help="NAME=VALUE, as docker build takes it")
    parser.add_argument("--keep", type=Path, help="folder to work in and to leave; a new one that goes away without")
    options = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        sys.exit("image-check needs root and debootstrap (apt-get install debootstrap).")
    arguments = dict(argument.split("=", 1) for argument in options.build_arg)
    with tempfile.TemporaryDirectory(prefix="rlsweep-image-") as temporary:
        builder = Builder(options.keep or Path(temporary), options.bind, arguments)
        final = builder.build()
        for stage in builder.stages.values():
            size = subprocess.run(["du", "-sm", stage.tree], check=True, capture_output=True, text=True).stdout
            print(f"{stage.tree.name}: {size.split()[0]} MB")
        use(final)


if __name__ == "__main__":
    main()
