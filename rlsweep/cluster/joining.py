"""Check that a running Ray cluster answers and accepts the token, before joining it.

Without this check, Ray would wait forever, or for a minute and then end the process.
"""

import json
import os
import socket
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from rlsweep.cluster.ray_internals import ask_cluster_id, token_headers
from rlsweep.errors import ClusterUnavailableError

CONNECT_SECONDS = 5.0
"""Time limit for a connection."""

ANSWER_SECONDS = 15.0
"""Time limit for the answer to a first small request; a busy head takes seconds."""

TOKEN_WAYS = (
    "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to the cluster's own token (on its head: "
    "`ray get-auth-token`)."
)


def use_token_if_any() -> None:
    """Turn on token authentication if a token exists and RAY_AUTH_MODE is not set; call it before importing Ray."""
    if _token_source() is not None:
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def check_joinable(address: str) -> None:
    """Check that the head at host:port answers; addresses in other forms are not checked, Ray fails fast for them.

    Raises ClusterUnavailableError if nothing answers, or the token is missing or wrong.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit():
        return
    _connect(host.strip("[]"), int(port), address)
    import grpc
    from ray.exceptions import AuthenticationError

    try:
        ask_cluster_id(address, timeout=ANSWER_SECONDS)
    except AuthenticationError as error:
        raise ClusterUnavailableError(f"No token found for the Ray cluster at {address}. {TOKEN_WAYS}") from error
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            raise _refused(address) from error
        raise ClusterUnavailableError(
            f"The server at {address} is not the head of a Ray cluster of this version ({error.code().name}). "
            "The head's default port is 6379."
        ) from error


def ask_jobs_api(url: str, path: str) -> Any:
    """GET a document from a head's dashboard.

    Raises ClusterUnavailableError if nothing answers in time, the server is not Ray, or the token is missing or wrong.
    """
    request = urllib.request.Request(url + path, headers=_token_headers(url))
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise _refused(url) from error
        raise ClusterUnavailableError(f"{url} answers, but not as a Ray cluster: HTTP {error.code}.") from error
    except TimeoutError as error:
        raise ClusterUnavailableError(f"{url} gave no answer within {ANSWER_SECONDS:.0f} s.") from error
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", None) or error
        raise ClusterUnavailableError(
            f"The Ray cluster's Jobs API cannot be reached at {url}: {reason}. It is part of the head's dashboard, by "
            "default on port 8265, often through a tunnel."
        ) from error
    except (ValueError, HTTPException) as error:
        raise ClusterUnavailableError(
            f"{url} is not the Jobs API of a Ray cluster. It is part of the head's dashboard, by default on port 8265."
        ) from error


def _token_headers(url: str) -> dict[str, str]:
    from ray.exceptions import AuthenticationError

    try:
        return token_headers()
    except AuthenticationError as error:
        raise ClusterUnavailableError(f"No token found for the Ray cluster at {url}. {TOKEN_WAYS}") from error


def _token_source() -> str | None:
    """The variable or file from which Ray reads the token; None if there is none."""
    for variable in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        if os.environ.get(variable):
            return variable
    return "~/.ray/auth_token" if Path("~/.ray/auth_token").expanduser().is_file() else None


def _refused(address: str) -> ClusterUnavailableError:
    source = _token_source() if os.environ.get("RAY_AUTH_MODE") == "token" else None
    what = f"refuses the token of {source}" if source else "requires a token, but none is set"
    return ClusterUnavailableError(f"The Ray cluster at {address} {what}. {TOKEN_WAYS}")


def _connect(host: str, port: int, address: str) -> None:
    try:
        with socket.create_connection((host, port), timeout=CONNECT_SECONDS):
            pass
    except OSError as error:
        raise ClusterUnavailableError(f"Nothing answers at {address}: {error.strerror or error}.") from error
