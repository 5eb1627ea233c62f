"""Which requests may change the record: listed addresses, from a page of this server, with a small JSON body."""

import re
from urllib.parse import urlsplit

from starlette.requests import Request

WRITABLE: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"/api/(training-runs|sweeps)/[^/]+/annotation"), ("PUT",)),
    (re.compile(r"/api/views"), ("POST",)),
    (re.compile(r"/api/views/[^/]+"), ("PUT", "DELETE")),
)
"""Every address that changes something, with its methods; the guard refuses all others."""

MAX_BODY_BYTES = 65_536
"""A note has at most 4,000 characters, a view's query 16,000."""

_DEFAULT_PORTS = {"http": "80", "https": "443"}


def writing_methods(path: str) -> tuple[str, ...]:
    """The methods that change something at this path; none at most."""
    return next((methods for pattern, methods in WRITABLE if pattern.fullmatch(path)), ())


def refusal_of_write(request: Request) -> tuple[int, str, str] | None:
    """Why a request that would write is refused, as status, code and message; None if it may go on.

    A browser says where a request comes from in headers that no page can set: `Origin` with every write, and mostly
    `Sec-Fetch-Site`. A form cannot send JSON. Before a page of another origin may, the browser asks for permission
    (CORS), which is never given here.
    """
    host = request.headers.get("Host", "")
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin" or not _is_origin(
        request.headers.get("Origin", ""), host
    ):
        return (
            403,
            "foreign_origin",
            "Only pages of this server may write. A script sends its address too: "
            f"the header Origin: {request.url.scheme}://{host}.",
        )
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return 403, "not_json", "Only JSON is written. Send the header Content-Type: application/json."
    length = request.headers.get("Content-Length", "0" if request.method == "DELETE" else "")
    if "Transfer-Encoding" in request.headers or not length.isdecimal():
        return 411, "length_required", "The length of the body is missing. Send the header Content-Length."
    if int(length) > MAX_BODY_BYTES:
        return 413, "too_large", f"The body has {int(length):,} bytes; at most {MAX_BODY_BYTES:,} are read."
    return None


def _is_origin(origin: str, host: str) -> bool:
    """Whether an origin names this host and port. Its scheme may differ: a reverse proxy may add HTTPS."""
    try:
        parts = urlsplit(origin)
        port = _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return False
    names = {parts.netloc.lower(), parts.netloc.lower().removesuffix(f":{port}")}
    ours = {host.strip().lower(), host.strip().lower().removesuffix(f":{port}")}
    return bool(parts.netloc) and not (parts.path or parts.query or parts.fragment) and bool(names & ours)
