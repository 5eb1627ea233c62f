"""What a local Ray without a dashboard starts in place of its two agents: it costs nothing until somebody calls.

`idle_agent.py dashboard_agent SCRIPT ARGUMENTS…` says that there is no metrics agent, and waits for the raylet's end.
`idle_agent.py runtime_env_agent SCRIPT ARGUMENTS…` becomes Ray's own agent at the first connection, which comes with
the first actor or task that has a runtime environment. Only the standard library is imported: Ray's agents take 1.5
CPU seconds, and no worker starts before them.
"""

import argparse
import os
import selectors
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

RAYLET_VARIABLE = "RAY_RAYLET_PID"
"""Process id of the raylet, in the environment of its agents."""

PORTS = {
    "dashboard_agent": ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port"),
    "runtime_env_agent": ("runtime_env_agent_port",),
}
"""The ports that each agent of Ray writes into files of its session, which the raylet waits for."""

NO_PORT = -1
"""What Ray's agents write for a service that they lack."""

START_SECONDS = 60.0
"""Time limit for the start of Ray's own agent."""

LOOK_SECONDS = 0.02
CHUNK_BYTES = 2**16


def write_port(file: Path, port: int) -> None:
    """Write a port where the raylet looks for it."""
    aside = file.with_name(f"{file.name}.new")
    aside.write_text(str(port))
    aside.rename(file)


def wait_for_connection(listener: socket.socket | None, raylet: int) -> bool:
    """Wait for a connection, or the raylet's end; return whether it is a connection."""
    with selectors.DefaultSelector() as selector:
        ended = os.pidfd_open(raylet)
        selector.register(ended, selectors.EVENT_READ)
        if listener is not None:
            selector.register(listener, selectors.EVENT_READ)
        is_over = any(key.fileobj == ended for key, _ in selector.select())
        os.close(ended)
        return not is_over


def become(command: Sequence[str], listener: socket.socket, file: Path) -> None:
    """Be Ray's own agent, with a port of its own; a child passes on to it what comes to the listener."""
    file.unlink()
    agent = os.getpid()
    if os.fork() == 0:
        pass_on(listener, file, agent)
        os._exit(0)
    listener.close()
    os.execv(sys.executable, [sys.executable, "-u", *command])


def pass_on(listener: socket.socket, file: Path, agent: int) -> None:
    """Connect each client with the agent, whose port will be in the file, until the agent ends."""
    host = listener.getsockname()[0]
    deadline = time.monotonic() + START_SECONDS
    while not file.exists():
        if time.monotonic() > deadline:
            return
        time.sleep(LOOK_SECONDS)
    port = int(file.read_text())
    while wait_for_connection(listener, agent):
        client, _ = listener.accept()
        server = socket.create_connection((host, port))
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=copy, args=(source, target), daemon=True).start()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Copy what comes from one end to the other, up to its end."""
    try:
        while chunk := source.recv(CHUNK_BYTES):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one of them is gone: the other one is told
        for end in (source, target):
            end.close()


def main(arguments: list[str]) -> None:
    """Take Ray's arguments; they say where the ports are written."""
    agent, *command = arguments
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("--session-dir", "--node-id", "--node-ip-address"):
        parser.add_argument(name, required=True)
    given, _ = parser.parse_known_args(command)
    raylet = int(os.environ[RAYLET_VARIABLE])
    files = [Path(given.session_dir) / f"{port}_{given.node_id}" for port in PORTS[agent]]
    if agent == "dashboard_agent":
        for file in files:
            write_port(file, NO_PORT)
        wait_for_connection(None, raylet)
        return
    (file,) = files
    family = socket.AF_INET6 if ":" in given.node_ip_address else socket.AF_INET
    with socket.create_server((given.node_ip_address, 0), family=family) as listener:
        write_port(file, listener.getsockname()[1])
        if wait_for_connection(listener, raylet):
            become(command, listener, file)


if __name__ == "__main__":
    main(sys.argv[1:])
