"""Read the Ray address of a command, from `--address` or RAY_ADDRESS."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from rlsweep.errors import InputError

JOBS_PORT = 8265
"""Default port of a head's dashboard, which includes the Jobs API."""

_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:/\s\[\]]+):\d{1,5}")


class Reach(Enum):
    """How a command uses a Ray."""

    OWN = auto()
    """Start a local Ray, which ends with the command."""
    JOINED = auto()
    """Join a running cluster; this process must run on one of its nodes."""
    JOBS = auto()
    """Submit a driver to a running cluster through its Jobs API."""


@dataclass(frozen=True, slots=True)
class Address:
    """text: in Ray's notation, such as `10.0.0.1:6379`, `auto` or `http://head:8265`; empty for a local Ray."""

    reach: Reach
    text: str


def read_address(given: str | None, environ: Mapping[str, str] = os.environ) -> Address | None:
    """Read the address of the flag, else of RAY_ADDRESS; return None if neither is set.

    `ray://head:10001` is the address of Ray Client, whose drivers end with their connection; it becomes the address of
    the same head's Jobs API. Raises InputError for an invalid address.
    """
    text = (given if given is not None else environ.get("RAY_ADDRESS", "")).strip().rstrip("/")
    if not text:
        return None
    said_by = "--address" if given is not None else "RAY_ADDRESS"
    if text == "local":
        return Address(Reach.OWN, "")
    if text == "auto" or _HOST_AND_PORT.fullmatch(text):
        return Address(Reach.JOINED, text)
    scheme, host = _scheme_and_host(text)
    if host and scheme in ("http", "https"):
        return Address(Reach.JOBS, text)
    if host and scheme == "ray":
        shown = f"[{host}]" if ":" in host else host
        return Address(Reach.JOBS, f"http://{shown}:{JOBS_PORT}")
    raise InputError(
        f"{said_by} {text}: write http://HEAD:{JOBS_PORT}, the head's Jobs API. On a node of the cluster auto or "
        "HEAD:6379 work too; local starts a Ray on this machine."
    )


def jobs_url(given: str) -> str:
    """Read the address of a Jobs API. Raises InputError for any other address."""
    address = read_address(given)
    if address is None or address.reach is not Reach.JOBS:
        raise InputError(f"--address {given}: logs need the address of a Jobs API, http://HEAD:{JOBS_PORT}.")
    return address.text


def _scheme_and_host(text: str) -> tuple[str, str | None]:
    """Scheme and host of a URL; the host is None if the URL or its port is invalid."""
    try:
        parts = urlsplit(text)
        return parts.scheme, parts.hostname if parts.port != 0 else None
    except ValueError:
        return "", None
