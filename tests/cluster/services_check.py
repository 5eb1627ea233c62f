"""The services of compose.yaml at rest: how they start, what their containers may do, and whom they refuse.

Each function takes a Stack and asserts.
"""

import time

from tests.cluster.stack import Stack, readme_line

CONFIGS = "'config/agents/ppo_agent_sweep_*.yaml'"
GET = "curl --silent --output /dev/null --write-out '%{http_code}'"


def refuse_to_start_without_settings(stack: Stack) -> None:
    """`up` in a new clone says what is missing and where that is described; nothing is started."""
    done = stack.compose("up --detach --wait", check=False)
    assert done.returncode != 0
    assert "make cluster/.env first, cluster/README.md says how" in done.stdout
    assert not stack.containers()


def start(stack: Stack) -> float:
    """README's command starts all services and waits until they are healthy; returns the seconds that it takes.

    Without its --build: `images.rlsweep_image` has built the image, which needs folders of this machine for that.
    """
    begun = time.monotonic()
    stack.shell(readme_line("docker compose --file cluster/compose.yaml up").replace(" --build", ""))
    seconds = time.monotonic() - begun
    health = {name: stack.inspect(name)["State"]["Health"]["Status"] for name in stack.containers()}
    assert set(health.values()) == {"healthy"}, health
    return seconds


def are_held_to_what_they_need(stack: Stack) -> None:
    """In each container: no root, no capability, a read-only root, limits of memory and CPUs, ports of 127.0.0.1."""
    for name in stack.containers():
        lines = stack.inside(name, "cat", "/proc/self/status").stdout.splitlines()
        status = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
        assert "0" not in status["Uid"], name
        assert int(status["CapEff"][0], 16) == int(status["CapBnd"][0], 16) == 0, name
        assert status["NoNewPrivs"] == ["1"], name
        for folder in ("/", "/etc", "/app", "/opt/rlsweep", "/usr/bin"):
            assert stack.inside(name, "touch", f"{folder}/file").returncode != 0, (name, folder)
        settings = stack.inspect(name)["HostConfig"]
        assert settings["Memory"] > 0, name
        assert settings["NanoCpus"] > 0 or settings["CpuQuota"] > 0, name
        for bindings in (settings["PortBindings"] or {}).values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}, name


def refuse_strangers(stack: Stack) -> None:
    """Without the right secret: no page, no job, no node, no database. Health checks of Kubernetes know no token."""
    ports = stack.settings
    for port, path, expected in (
        ("PAGE_PORT", "/api/sweeps", "401"),
        ("DASHBOARD_PORT", "/api/jobs/", "401"),
        ("DASHBOARD_PORT", "/api/gcs_healthz", "200"),
    ):
        assert stack.shell(f"{GET} http://127.0.0.1:{ports[port]}{path}").stdout == expected, path
    wrong_token = f"RAY_AUTH_TOKEN=wrong rlsweep submit {CONFIGS} --address {stack.address}"
    assert stack.shell(stack.client(wrong_token), check=False).returncode == 2
    wrong_password = "RLSWEEP_DATABASE_URL=${RLSWEEP_DATABASE_URL/$POSTGRES_PASSWORD/wrong} rlsweep sweeps"
    assert "password" in stack.shell(stack.client(wrong_password), check=False).stdout
    node = stack.inside("rlsweep-head-1", "env", "--unset=RAY_AUTH_TOKEN", "ray", "start", "--address=head:6379")
    assert node.returncode != 0
