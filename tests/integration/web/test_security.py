"""Who gets in, and what every answer carries."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from rlsweep.store.database import Database
from rlsweep.web.app import create_app
from rlsweep.web.guard import COOKIE
from rlsweep.web.writing import writing_methods

pytestmark = pytest.mark.integration

TOKEN = "right+token/with=signs"
Serving = Callable[..., AbstractContextManager[httpx.Client]]


@pytest.fixture(scope="module")
def database(
    embedded_database: Database, copy_of: Callable[[Database], AbstractContextManager[Database]]
) -> Iterator[Database]:
    """An empty one, which no test here changes."""
    with copy_of(embedded_database) as fresh:
        yield fresh


@pytest.fixture
def locked(database: Database, serving: Serving) -> Iterator[httpx.Client]:
    """A client of a server that asks for a token."""
    with serving(database, token=TOKEN) as client:
        yield client


def test_an_icon_is_where_browsers_look_for_one(web: httpx.Client) -> None:
    icon = web.get("/favicon.ico", follow_redirects=True)
    assert (icon.status_code, icon.headers["content-type"].partition(";")[0]) == (200, "image/svg+xml")


@pytest.mark.parametrize(
    "path",
    [
        "/training",
        "/",
        "/nothing",
        "/metrics",
        "/static/x/nothing.js",
        "/api/training-runs",
        "/api/training-runs?limit=0",
        "/api/training-runs/nonsense",
        "/api/sweeps/nothing/differences",
        "/api/nothing",
        "/api/sweeps/nothing/prospects",
        "/api/sweeps/nothing/shorter",
        "/api/sweeps/nothing/importance",
        "/api/sweeps/nothing/lineage",
        "/api/openapi.json",
        "/api/docs",
    ],
)
def test_every_answer_carries_the_headers(web: httpx.Client, path: str) -> None:
    answer = web.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:5173", "localhost.evil.example", "127.0.0.1.nip.io", ""]
)
def test_another_host_name_is_refused(web: httpx.Client, host: str) -> None:
    for path in ("/training", "/api/training-runs"):
        answer = web.get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.json()["error"]["code"] == "bad_host"


@pytest.mark.parametrize("host", ["localhost", "LocalHost:99", "127.0.0.1:5173"])
def test_our_own_names_are_served(web: httpx.Client, host: str) -> None:
    assert web.get("/api/training-runs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_reading(web: httpx.Client, method: str) -> None:
    for path in ("/api/training-runs", "/training", "/nothing"):
        answer = web.request(method, path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"


def test_head_is_as_get_without_a_body(web: httpx.Client) -> None:
    for path in ("/training", "/api/training-runs"):
        answer = web.head(path)
        assert answer.status_code == 200, path
        assert answer.content == b""


def test_no_token_no_entry(locked: httpx.Client) -> None:
    for path in (
        "/training",
        "/",
        "/api/training-runs",
        "/api/health",
        "/api/openapi.json",
        "/api/docs",
        "/nothing",
        "/metrics",
        "/api/sweeps/night/differences",
    ):
        cookie = {"Cookie": f"{COOKIE}_{locked.base_url.port}=x"}
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}, cookie):
            answer = locked.get(path, headers=headers)
            assert answer.status_code == 401, path
            assert TOKEN not in answer.text
        assert locked.get(path, params={"token": "wrong"}).status_code == 401
    assert locked.get("/api/health").json()["error"]["code"] == "unauthorized"
    assert "<html" in locked.get("/training").text


def test_a_bearer_token_lets_in(locked: httpx.Client) -> None:
    for path in ("/api/training-runs", "/metrics"):
        assert locked.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_token_in_the_address_becomes_a_cookie(locked: httpx.Client) -> None:
    answer = locked.get("/training", params={"status": "failed", "token": TOKEN, "q": "a b"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/training?status=failed&q=a+b"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert locked.get("/training").status_code == 200, "the client keeps the cookie"
    assert locked.get("/api/training-runs").status_code == 200


def test_servers_on_two_ports_of_a_host_keep_their_cookies_apart(locked: httpx.Client) -> None:
    # what a browser sends, which knows no ports: the cookies of both, whichever came last
    known = locked.get("/training", params={"token": TOKEN}).headers["set-cookie"].partition(";")[0]
    for cookies in (f"{known}; {COOKIE}_1=other", f"{COOKIE}_1=other; {known}"):
        assert httpx.get(locked.base_url.join("/api/training-runs"), headers={"Cookie": cookies}).status_code == 200
    elsewhere = known.replace(f"_{locked.base_url.port}=", "_1=")
    assert httpx.get(locked.base_url.join("/training"), headers={"Cookie": elsewhere}).status_code == 401


@pytest.mark.parametrize("path", ["//evil.example/training", "/\\evil.example", "/%2F%2Fevil.example/x"])
def test_the_way_back_leads_to_no_other_host(locked: httpx.Client, path: str) -> None:
    answer = locked.get(httpx.URL(str(locked.base_url) + path).copy_merge_params({"token": TOKEN}))
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


def test_styles_need_no_token(locked: httpx.Client) -> None:
    assert locked.get("/static/any/nothing.css").status_code == 404
    assert locked.get("/static/any/../../app.py").status_code in (401, 404)


def test_nothing_outside_the_assets_is_served(web: httpx.Client) -> None:
    for path in (
        "/static/x/../../app.py",
        "/static/x/%2e%2e/app.py",
        "/static/x/..%2f..%2fapp.py",
        "/static/x//etc/passwd",
    ):
        assert web.get(path).status_code == 404


def test_a_mistake_of_ours_shows_no_traceback(
    database: Database, serving: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def mistaken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a secret of the house")

    monkeypatch.setattr("rlsweep.store.listing.list_page", mistaken)
    with serving(database) as client:
        answer = client.get("/api/training-runs")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "a secret of the house" in caplog.text, "the log has it"


def test_the_server_cannot_write(database: Database, serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(database: Database, *_: Any, **__: Any) -> None:
        with database.readonly() as connection:
            connection.execute("delete from sweeps")

    monkeypatch.setattr("rlsweep.store.listing.list_page", write)
    with serving(database) as client:
        assert client.get("/api/training-runs").status_code == 500


def test_openapi_describes_every_address(database: Database) -> None:
    described = create_app(database, allowed_hosts=(), token=None).openapi()
    assert set(described["paths"]) == {
        "/api/training-runs",
        "/api/training-runs/scores",
        "/api/training-runs/sparklines",
        "/api/training-runs/agents/list",
        "/api/training-runs/hyperparameters",
        "/api/training-runs/{run_id}",
        "/api/training-runs/{run_id}/diagnosis",
        "/api/sweeps",
        "/api/sweeps/{sweep}",
        "/api/sweeps/{sweep}/diagnosis",
        "/api/sweeps/{sweep}/report",
        "/api/sweeps/{sweep}/lineage",
        "/api/sweeps/{sweep}/differences",
        "/api/sweeps/{sweep}/prospects",
        "/api/sweeps/{sweep}/shorter",
        "/api/sweeps/{sweep}/importance",
        "/api/sweeps/{sweep}/tournaments",
        "/api/tournaments/{tournament}/games/{one}/{two}",
        "/api/compare",
        "/api/curves",
        "/api/bands",
        "/api/colours",
        "/api/metrics",
        "/api/health",
        "/api/choices",
        "/api/training-runs/hyperparameters/varying",
        "/api/training-runs/{run_id}/annotation",
        "/api/sweeps/{sweep}/annotation",
        "/api/views",
        "/api/views/{view_id}",
    }
    for path, methods in described["paths"].items():
        writing = writing_methods(path)
        assert set(methods) - {"get"} == {method.lower() for method in writing}, path
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert operation["description"], (path, method)
            assert operation["responses"]["200"]["content"]["application/json"]["schema"], (path, method)
