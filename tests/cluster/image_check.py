"""Runs the Dockerfile's steps and the compose file's commands where there is no container engine. `make image-check`.

Each stage is a Debian tree (debootstrap, with Debian's Python 3.11 in place of the official image's) in which the steps
are run by chroot; what is copied has to pass .dockerignore. Then, with network, processes and mounts of its own, the
final tree is used as compose would: read-only but for /tmp, the home, /storage and /dev/shm, as the image's user, with
the environment and the commands of compose.yaml; a sweep has to come through. PostgreSQL is the one that the image
brings, for `postgres:18` cannot be pulled.

Last, the launcher's scripts set up a bare tree as a node, with PostgreSQL as on a head.

Needs root, debootstrap and the network; takes five minutes or so. No container engine runs: layers, `--init`, published
ports, memory limits and dropped capabilities are not checked.
"""

import argparse
import os
import re
import shlex
import shutil
import socket
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
PACKAGES = "python3,python3-venv,ca-certificates,sudo"
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
PASSED_ON = re.compile(r"PIP_|SSL_CERT|REQUESTS_CA|HTTPS?_PROXY|NO_PROXY", re.IGNORECASE)
SECRETS = {"RAY_AUTH_TOKEN": "0" * 64, "POSTGRES_PASSWORD": "1" * 64, "RLSWEEP_TOKEN": "2" * 64}
NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
"""All that is started inside ends with its first process, and its ports are its own."""

SWEEP = """
set -euo pipefail
export {environment}
refused() {{ if "$@" > /tmp/refused 2>&1; then echo "this was let through: $*" >&2; exit 1; fi; }}
test "$(id -u)" = 1000
refused touch /app/file
refused touch /opt/rlsweep/file
programs=$(dirname "$(python3 -c 'from rlsweep.store.embedded import program; print(program("postgres"))')")
mkdir /tmp/database
echo "$POSTGRES_PASSWORD" > /tmp/password
"$programs/initdb" --pgdata=/tmp/database/data --encoding=UTF8 --username=rlsweep --auth=scram-sha-256 \\
  --pwfile=/tmp/password > /dev/null
"$programs/pg_ctl" start --silent --wait --pgdata=/tmp/database/data --log=/tmp/database/log \\
  --options='-c listen_addresses=127.0.0.1 -c unix_socket_directories='
PGPASSWORD=$POSTGRES_PASSWORD "$programs/psql" --host=127.0.0.1 --username=rlsweep --dbname=postgres --quiet \\
  --command='create database rlsweep'
{head} &
until {healthy}; do sleep 1; done
{worker} &
until ray status --address 127.0.0.1:6379 2> /dev/null | grep --quiet '/2.0 CPU'; do sleep 1; done
rlsweep submit config/agents/ppo_agent_sweep_lr_low.yaml --address auto --episodes 20 --name image-check
rlsweep status image-check
test -n "$(find /storage/checkpoints -name '*.zip')"
{page} &
until wget -q -O- --header "Authorization: Bearer $RLSWEEP_TOKEN" http://127.0.0.1:5173/api/sweeps | grep image-check
do sleep 1; done
refused wget -q -O- http://127.0.0.1:5173/api/sweeps
# KubeRay's probes, which know no token; nothing else is answered without the right one.
wget -q -O- http://127.0.0.1:8265/api/gcs_healthz | grep success
wget -q -O- http://127.0.0.1:52365/api/local_raylet_healthz | grep success
ray job list --address http://127.0.0.1:8265
refused wget -q -O- http://127.0.0.1:8265/api/jobs/
export RAY_AUTH_TOKEN=wrong
refused ray job list --address http://127.0.0.1:8265
grep --ignore-case 'invalid.*token' /tmp/refused
unset RAY_AUTH_TOKEN
refused ray start --address 127.0.0.1:6379
echo "The image's parts work."
"""

NODE = """
set -euo pipefail
ip link set lo up
mount -t proc proc /proc
ip address add 10.0.0.5/32 dev lo
ip address add 203.0.113.5/32 dev lo
export RAY_HEAD_IP=10.0.0.5
source ~/.bashrc  # as each command of the launcher does
for round in 1 2; do bash ~/rlsweep/cluster/launcher/database.sh; done
test "$RLSWEEP_STORAGE" = /shared/rlsweep
command -v ray rlsweep
rlsweep sweeps
psql --dbname "$RLSWEEP_DATABASE_URL" --command 'select version(), ssl from pg_stat_ssl where pid = pg_backend_pid()'
for refused in 's/require/disable/' 's/10\\.0\\.0\\.5/203.0.113.5/'; do
  if psql --dbname "$(echo "$RLSWEEP_DATABASE_URL" | sed "$refused")" --command 'select 1'; then exit 1; fi
done
echo "A node's set-up works."
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

    def bare(self, name: str) -> Path:
        """A new tree with nothing but Debian and Python in it."""
        if not (self._base / "debootstrap-done").exists():
            run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", DEBIAN, self._base)
            (self._base / "debootstrap-done").touch()
        tree = self._work / name
        shutil.rmtree(tree, ignore_errors=True)
        run("cp", "--archive", "--reflink=auto", self._base, tree)
        return tree

    def _from(self, given: str) -> Stage:
        image, _, name = given.partition(" AS ")
        assert image == f"python:3.11-slim-{DEBIAN}", f"{image} has no stand-in here"
        stage = Stage(self.bare(name or "final"), {"PATH": PATH, "LANG": "C.UTF-8"})
        self.stages[stage.tree.name] = stage
        return stage

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
            copy(origin, destination / origin.name if target.endswith("/") and origin.is_file() else destination)

    def _run(self, stage: Stage, given: str) -> None:
        self.step(stage, given)

    def step(self, stage: Stage, script: str, *inside: str, shell: str = "/bin/sh") -> None:
        """Run a script in a stage's tree, by way of a command that is put before it."""
        passed_on = {name: value for name, value in os.environ.items() if PASSED_ON.match(name)}
        script = f"cd {shlex.quote(stage.folder)}\n{script}"
        with self.network_of(stage.tree):
            run(*inside, "chroot", stage.tree, shell, "-ec", script, environ=stage.environ | passed_on)

    @contextmanager
    def network_of(self, tree: Path) -> Iterator[None]:
        """The machine's names, certificates and what --bind names, inside the tree while the context lasts."""
        for file in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
            shutil.copy(Path("/") / file, tree / file)
        mounted: list[Path] = []
        try:
            for path in (Path("/dev"), Path("/proc"), *self._binds):
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
        exec chroot --userspec={stage.user} {tree} /bin/bash -c 'cd {stage.folder}; eval "$(cat)"'
    """
    run(*NAMESPACES, "/bin/sh", "-c", mounts, environ=stage.environ, given=script)


def set_up_node(builder: Builder) -> None:
    """Run the launcher's scripts in a bare tree, as on a head; the server's part in a network of its own."""
    tree = builder.bare("node")
    files = yaml.safe_load((CLUSTER / "launcher" / "machines.yaml").read_text())["file_mounts"]
    for target, source in files.items():
        if not source.startswith("~"):
            copy(REPOSITORY / source, tree / target.replace("~", "root"))
    settings = tree / "root/.rlsweep/cluster.env"
    settings.parent.mkdir()
    settings.write_text(f"RLSWEEP_DATABASE_PASSWORD={'3' * 64}\nRLSWEEP_STORAGE=/shared/rlsweep\n")
    node = Stage(tree, {"PATH": PATH, "HOME": "/root", "LANG": "C"}, "/root")
    (tree / "etc/hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")  # sudo looks its machine up
    # The server is not started while it is installed, for that would be in this machine's network.
    (tree / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (tree / "usr/sbin/policy-rc.d").chmod(0o755)
    builder.step(
        node, "apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql ssl-cert iproute2"
    )
    for _ in range(2):
        builder.step(node, "bash ~/rlsweep/cluster/launcher/setup.sh")
    builder.step(node, NODE, *NAMESPACES, shell="/bin/bash")


def copy(origin: Path, target: Path) -> None:
    """Copy a file, or a folder with its links as they are."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if origin.is_dir():
        shutil.copytree(origin, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(origin, target)


def run(*command: str | Path, environ: dict[str, str] | None = None, given: str | None = None) -> None:
    """Run a command, its output going where ours goes; CalledProcessError where it fails."""
    inside = None if environ is None else {**environ, "PATH": f"{environ['PATH']}:/usr/sbin:/sbin"}
    subprocess.run(command, check=True, env=inside, input=given, text=True)


def main() -> None:
    """Build the image's stages, then use what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bind", type=Path, action="append", default=[], help="a file or folder that pip needs inside")
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
        set_up_node(builder)


if __name__ == "__main__":
    main()
