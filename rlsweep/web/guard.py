"""The outermost middleware: it checks host, method and token, and adds security headers to every response."""

import hmac
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rlsweep.web import errors
from rlsweep.web.writing import refusal_of_write, writing_methods

COOKIE = "rlsweep_token"
PARAMETER = "token"

_READING = ("GET", "HEAD")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Checks host, method and token of each request before the application gets it.

    allowed_hosts: allowed names in the Host header, without a port. All others are refused: a foreign page could
        resolve its own name to 127.0.0.1 and read the data (DNS rebinding)
    token: required of each request, as a bearer token, as a cookie, or once as `?token=…`, which sets the cookie;
        None allows every request that reads, and writing from the pages of this server
    """

    def __init__(self, app: ASGIApp, *, allowed_hosts: Collection[str], token: str | None) -> None:
        self._app = app
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it to the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        request = Request(scope)
        refusal = self._refusal(request)
        try:
            # handle HEAD as GET; the server removes the body
            method = "GET" if scope["method"] == "HEAD" else scope["method"]
            await (refusal or self._app)({**scope, "method": method}, receive, send_with_headers)
        except Exception as exc:
            if started:
                raise
            await errors.internal(request, exc)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        host = host_name(request.headers.get("Host", ""))
        if host not in self._allowed_hosts:
            names = ", ".join(sorted(self._allowed_hosts))
            return errors.error_response(
                request, 400, "bad_host", f"Unknown host name. Open this server under one of its names: {names}."
            )
        writes = request.method not in _READING
        allowed = (*_READING, *writing_methods(request.scope["path"]))
        if request.method not in allowed:
            message = f"Only reading is possible at this address; use {' or '.join(allowed)}."
            return errors.error_response(request, 405, "method_not_allowed", message, {"Allow": ", ".join(allowed)})
        if self._token is None or request.url.path.startswith("/static/"):  # the 401 page needs its style sheet
            unknown = None
        else:
            unknown = self._check_token(request, self._token, writes=writes)
        if unknown is None and writes and (refused := refusal_of_write(request)):
            return errors.error_response(request, *refused)
        return unknown

    def _check_token(self, request: Request, token: str, *, writes: bool) -> Response | None:
        given = None if writes else request.query_params.get(PARAMETER)
        if given is not None and _equal(given, token):
            return self._set_cookie(request, token)
        if any(_equal(known, token) for known in _tokens_of(request)):
            return None
        message = (
            "This server requires a token. Open the address with ?token=… that `rlsweep serve` printed, or send the "
            "header Authorization: Bearer <token>."
        )
        return errors.error_response(request, 401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})

    def _set_cookie(self, request: Request, token: str) -> Response:
        """Store the token in a cookie that scripts cannot read, and redirect to the address without it."""
        others = [pair for pair in parse_qsl(request.url.query, keep_blank_values=True) if pair[0] != PARAMETER]
        # one leading slash: two would redirect to another host
        path = "/" + quote(request.url.path.lstrip("/"), safe="/")
        response = RedirectResponse(f"{path}?{urlencode(others)}" if others else path, status_code=303)
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie(cookie_name(request), token, httponly=True, samesite="strict", path="/")
        return response


def host_name(header: str) -> str:
    """The name in a Host header, in lower case, without its port: `[::1]:80` becomes `[::1]`."""
    name, colon, port = header.strip().lower().rpartition(":")
    return (
        name if colon and (port.isdecimal() or not port) and (name.endswith("]") or ":" not in name) else header.lower()
    )


def cookie_name(request: Request) -> str:
    """The cookie's name, with the port: browsers send a host's cookies to all its ports, and each has its own token."""
    _, _, port = request.headers.get("Host", "").rpartition(":")
    return f"{COOKIE}_{port}" if port.isdecimal() else COOKIE


def _tokens_of(request: Request) -> list[str]:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    found = [bearer.strip()] if scheme.lower() == "bearer" else []
    try:
        cookie = SimpleCookie(request.headers.get("Cookie", "")).get(cookie_name(request))
    except CookieError:
        cookie = None
    return found if cookie is None else [*found, cookie.value]


def _equal(one: str, other: str) -> bool:
    """Compare in constant time, so that the duration tells nothing about the token."""
    return hmac.compare_digest(one.encode(), other.encode())
