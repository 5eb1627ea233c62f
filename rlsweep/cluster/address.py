"""Which Ray a command works with, as `--address` and RAY_ADDRESS name it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from rlsweep.errors import InputError

JOBS_PORT = 8265
"""Where a head node's dashboard answers, the Jobs API with it, unless it is told otherwise."""

_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:/\s\[\]]+):\d{1,5}")


class Reach(Enum):
    """How a Ray is reached."""

    OWN = auto()
    """One of our own, on this machine, that ends with the command."""
    JOINED = auto()
    """A running cluster that this process joins: it has to be on one of the cluster's nodes."""
    JOBS = auto()
    """A running cluster that a driver is sent to, from wherever its Jobs API can be reached."""


@dataclass(frozen=True, slots=True)
class Address:
    """text: as Ray takes it, `10.0.0.1:6379`, `auto` or `http://head:8265`; empty for a Ray of our own."""

    reach: Reach
    text: str


def read_address(given: str | None, environ: Mapping[str, str] = os.environ) -> Address | None:
    """The address of the flag, else of RAY_ADDRESS; None where neither says one.

    `ray://head:10001` is Ray's own client, whose drivers end with their connection: a driver is sent to that head
    instead, through its Jobs API. Raises InputError for what names no Ray.
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
        f"{said_by} {text}: write the head's Jobs API, http://HEAD:{JOBS_PORT}; on a node of the cluster auto or "
        "HEAD:6379; or local for a Ray of this machine alone."
    )


def jobs_url(given: str) -> str:
    """The address of a Jobs API. Raises InputError for any other."""
    address = read_address(given)
    if address is None or address.reach is not Reach.JOBS:
        raise InputError(f"--address {given}: logs are kept by a head's Jobs API: http://HEAD:{JOBS_PORT}.")
    return address.text


def _scheme_and_host(text: str) -> tuple[str, str | None]:
    """Of a URL; no host where it cannot be read, or its port is none."""
    try:
        parts = urlsplit(text)
        return parts.scheme, parts.hostname if parts.port != 0 else None
    except ValueError:
        return "", None
