"""What the pages may write, and who is refused: notes, tags and saved views."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from rlsweep.store import saved_views, sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.web.guard import COOKIE
from rlsweep.web.writing import MAX_BODY_BYTES

pytestmark = pytest.mark.integration

TOKEN = "right+token/with=signs"
HOSTILE = "<script>window.hacked = true</script>\"'&lt;`${1}` {{ 7 * 7 }}"
BODY = {"note": "x", "tags": ["good"], "version": 0}
Serving = Callable[..., AbstractContextManager[httpx.Client]]


@dataclass(frozen=True, kw_only=True)
class Site:
    """A server over a database with one sweep of one run; `locked` asks for a token."""

    database: Database
    client: httpx.Client
    locked: httpx.Client
    sweep: str
    run: str

    @property
    def addresses(self) -> tuple[str, str]:
        return f"/api/training-runs/{self.run}/annotation", f"/api/sweeps/{self.sweep}/annotation"

    def has_written(self) -> bool:
        """Whether anything was written since the database was made."""
        with self.database.readonly() as connection:
            row = connection.execute(
                "select (select sum(note_version) from sweeps) + (select sum(note_version) from training_runs) "
                "+ (select count(*) from saved_views) as changes"
            ).fetchone()
        assert row is not None
        return bool(row["changes"])


@pytest.fixture
def site(database: Database, serving: Serving, new_sweep: Any, new_run: Any) -> Iterator[Site]:
    """A site of its own: the tests write."""
    sweep = sweeps.create(database, new_sweep(), [new_run()])
    (run,) = training_runs.of_sweep(database, sweep.id)
    with serving(database) as client, serving(database, token=TOKEN) as locked:
        yield Site(database=database, client=client, locked=locked, sweep=str(sweep.id), run=str(run.id))


def own(client: httpx.Client) -> dict[str, str]:
    """The headers that a page of this server sends."""
    return {"Origin": f"http://127.0.0.1:{client.base_url.port}", "Sec-Fetch-Site": "same-origin"}


def test_a_note_and_tags_are_written_and_read_back_as_text(site: Site) -> None:
    web = site.client
    for address, detail in zip(
        site.addresses, (f"/api/training-runs/{site.run}", f"/api/sweeps/{site.sweep}"), strict=True
    ):
        etag = web.get(detail).headers["etag"]
        body = {"note": HOSTILE, "tags": ["Good", "todo", "good"], "version": 0}
        answer = web.put(address, json=body, headers=own(web))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.json() == {"note": HOSTILE, "tags": ["good", "todo"], "version": 1}
        read = web.get(detail, headers={"If-None-Match": etag})
        assert read.status_code == 200, "it is not what the browser has"
        assert (read.json()["note"], read.json()["tags"], read.json()["note_version"]) == (HOSTILE, ["good", "todo"], 1)
    for path in ("/api/training-runs", "/api/sweeps"):
        (row,) = next(iter(web.get(path, params={"tag": ["good", "todo"], "q": "window.HACKED"}).json().values()))
        assert (row["note"], row["tags"]) == (HOSTILE, ["good", "todo"])
        assert web.get(path, params={"tag": ["good", "other"]}).json()["total"] == 0
    assert web.get("/api/choices").json()["tags"] == [{"tag": tag, "runs": 1, "sweeps": 1} for tag in ("good", "todo")]


def test_a_lost_update_is_noticed_and_what_stands_there_is_told(site: Site) -> None:
    web = site.client
    for address in site.addresses:
        assert web.put(address, json=BODY, headers=own(web)).status_code == 200
        answer = web.put(address, json={**BODY, "note": "mine"}, headers=own(web))
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "changed_meanwhile"
        assert answer.json()["now"] == {"note": "x", "tags": ["good"], "version": 1}
        assert web.put(address, json={**BODY, "note": "mine", "version": 1}, headers=own(web)).json()["version"] == 2


REFUSED: dict[str, tuple[dict[str, str | None], int, str]] = {
    "another origin": ({"Origin": "http://evil.example"}, 403, "foreign_origin"),
    "another port": ({"Origin": "http://127.0.0.1:1"}, 403, "foreign_origin"),
    "a name that begins as ours": ({"Origin": "http://127.0.0.1.evil.example"}, 403, "foreign_origin"),
    "an opaque origin": ({"Origin": "null"}, 403, "foreign_origin"),
    "a file": ({"Origin": "file://"}, 403, "foreign_origin"),
    "no origin": ({"Origin": None}, 403, "foreign_origin"),
    "no headers of a browser": ({"Origin": None, "Sec-Fetch-Site": None}, 403, "foreign_origin"),
    "another site": ({"Sec-Fetch-Site": "cross-site"}, 403, "foreign_origin"),
    "another host of the site": ({"Sec-Fetch-Site": "same-site"}, 403, "foreign_origin"),
    "an address that was typed": ({"Sec-Fetch-Site": "none"}, 403, "foreign_origin"),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, 403, "not_json"),
    "a form with files": ({"Content-Type": "multipart/form-data; boundary=x"}, 403, "not_json"),
    "plain text": ({"Content-Type": "text/plain"}, 403, "not_json"),
    "no type": ({"Content-Type": None}, 403, "not_json"),
    "another host": ({"Host": "evil.example", "Origin": "http://evil.example"}, 400, "bad_host"),
}


def test_every_other_sender_is_refused(site: Site) -> None:
    web = site.client
    view = {"name": "one", "page": "runs", "query": ""}
    some_view = f"/api/views/{site.run}"
    requests = [("PUT", address, BODY) for address in site.addresses]
    requests += [("POST", "/api/views", view), ("PUT", some_view, view), ("DELETE", some_view, {})]
    for name, (changed, status, code) in REFUSED.items():
        headers = {"Content-Type": "application/json", **own(web), **changed}
        sent = {key: value for key, value in headers.items() if value is not None}
        for method, address, body in requests:
            content = httpx.Request("PUT", "http://x", json=body).content
            answer = web.request(method, address, content=content, headers=sent)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), (name, method, address)
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert not [header for header in answer.headers if header.startswith("access-control-")], name
    assert not site.has_written()


def test_a_proxy_may_add_https_and_a_port_may_be_left_out(site: Site) -> None:
    address, _ = site.addresses
    for version, (host, origin) in enumerate(
        [
            ("localhost", "https://localhost"),
            ("localhost:443", "https://localhost"),
            ("LOCALHOST", "http://localhost:80"),
        ]
    ):
        headers = {"Host": host, "Origin": origin}
        body = {**BODY, "version": version}
        assert site.client.put(address, json=body, headers=headers).status_code == 200, origin
    assert site.client.put(address, json=BODY, headers={"Host": "localhost:80", "Origin": "https://localhost"}).is_error


def test_nothing_is_written_without_the_token(site: Site) -> None:
    web = site.locked
    port = web.base_url.port
    address, _ = site.addresses
    for method, path in (("PUT", address), ("POST", "/api/views"), ("DELETE", f"/api/views/{site.run}")):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": f"{COOKIE}_{port}=x"}):
            answer = web.request(method, path, json=BODY, headers={**own(web), **headers})
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
        answer = web.request(method, path, params={"token": TOKEN}, json=BODY, headers=own(web))
        assert answer.status_code == 401, "a token in the address opens pages, and writes nothing"
        assert "set-cookie" not in answer.headers
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert web.put(address, json=BODY, headers={**bearer, "Origin": "http://evil.example"}).status_code == 403
    assert not site.has_written()
    assert web.put(address, json=BODY, headers={**own(web), **bearer}).status_code == 200
    web.get("/training", params={"token": TOKEN})
    assert web.put(address, json={**BODY, "version": 1}, headers=own(web)).status_code == 200, "the cookie is known"


def test_reading_changes_nothing_and_other_methods_are_refused(site: Site) -> None:
    web = site.client
    for address in site.addresses:
        assert web.get(address, params={"note": "x", "version": 0}).status_code == 405
        for method in ("POST", "PATCH", "DELETE", "OPTIONS"):
            answer = web.request(method, address, json=BODY, headers=own(web))
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, PUT"), method
        overridden = {**own(web), "X-HTTP-Method-Override": "PUT"}
        assert web.post(address, json=BODY, headers=overridden).status_code == 405
    assert web.put("/api/training-runs", json=BODY, headers=own(web)).headers["allow"] == "GET, HEAD"
    assert web.delete(f"/api/training-runs/{site.run}", headers=own(web)).status_code == 405
    assert not site.has_written()


@pytest.fixture
def sent(site: Site) -> Callable[..., httpx.Response]:
    """Sends a body to a run's note."""

    def send(content: Any, **headers: str) -> httpx.Response:
        kind = {"Content-Type": "application/json"}
        return site.client.put(site.addresses[0], content=content, headers={**kind, **own(site.client), **headers})

    return send


def test_what_cannot_be_stored_is_refused(site: Site, sent: Callable[..., httpx.Response]) -> None:
    web = site.client
    for changed, said in (
        ({"note": "x" * 4_001}, "at most 4,000"),
        ({"tags": ["x" * 41]}, "at most 40"),
        ({"tags": [f"t{n}" for n in range(21)]}, "at most 20"),
        ({"tags": ["<img src=x>"]}, "cannot be used"),
        ({"note": "a\0b"}, "U+0000"),
        ({"note": "\x1b[2J"}, "U+001B"),
        ({"note": None}, "note"),
        ({"tags": "good"}, "tags"),
        ({"version": "new"}, "version"),
    ):
        answer = web.put(site.addresses[0], json={**BODY, **changed}, headers=own(web))
        assert (answer.status_code, said in answer.json()["error"]["message"]) == (422, True), answer.text
    for content in (b"", b"{", b"[]", b'{"note": "\\ud800", "tags": [], "version": 0}', b"[" * 60_000):
        assert sent(content).status_code in (400, 422), content[:20]
    assert sent(b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    assert sent(iter([b"{}"])).status_code == 411, "a body of unknown length is not read"
    assert web.put(f"/api/training-runs/{'0' * 8}/annotation", json=BODY, headers=own(web)).status_code == 404
    assert web.put("/api/sweeps/nothing/annotation", json=BODY, headers=own(web)).status_code == 404
    assert not site.has_written()


def test_views_are_saved_opened_renamed_and_deleted(site: Site) -> None:
    web = site.client
    new = {"name": "Failed", "page": "runs", "query": "?status=failed&q=a%20b&token=secret"}
    saved = web.post("/api/views", json=new, headers=own(web)).json()
    assert saved["address"] == "/training?status=failed&q=a+b"
    assert web.get("/api/views").json() == {"views": [saved]}
    address = f"/api/views/{saved['id']}"
    assert web.post("/api/views", json={**new, "name": "failed"}, headers=own(web)).status_code == 422
    assert web.post("/api/views", json={**new, "page": "//evil.example"}, headers=own(web)).status_code == 422
    hostile = {"name": HOSTILE[:60], "page": "compare", "query": "//evil.example/?x=<b>"}
    other = web.post("/api/views", json=hostile, headers=own(web)).json()
    assert other["name"] == HOSTILE[:60]
    assert other["address"].startswith("/training/compare?%2F%2Fevil")
    renamed = web.put(address, json={"name": "Broken", "version": 1}, headers=own(web)).json()
    assert (renamed["name"], renamed["version"]) == ("Broken", 2)
    stale = web.put(address, json={"name": "Late", "version": 1}, headers=own(web))
    assert (stale.status_code, stale.json()["now"]) == (409, renamed)
    left = web.request("DELETE", address, headers={**own(web), "Content-Type": "application/json"})
    assert left.json() == {"views": [other]}
    assert web.put(address, json={"name": "x", "version": 2}, headers=own(web)).status_code == 404
    assert [view.name for view in saved_views.all_views(site.database)] == [HOSTILE[:60]]


def test_a_server_whose_user_may_not_write_shows_everything_and_says_so(site: Site, serving: Serving) -> None:
    reader = Database(f"{site.database.url} options='-c default_transaction_read_only=on'")
    with serving(reader) as web:
        answer = web.put(site.addresses[0], json=BODY, headers=own(web))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "read_only")
        assert "read-only transaction" in answer.json()["error"]["message"]
        for path in ("/api/training-runs", "/api/views", "/api/choices", f"/api/sweeps/{site.sweep}"):
            assert web.get(path).status_code == 200


def test_the_hyperparameters_that_vary_can_be_chosen(web: httpx.Client, record_sweep: Any, course: Any) -> None:
    night = record_sweep({None: course(), "lr_high": course(learning_rate=1e-3)}, seeds=1)
    record_sweep({"lr_low": course(learning_rate=1e-4)}, seeds=1, name="other")
    found = web.get("/api/training-runs/hyperparameters/varying").json()
    assert found == {"keys": [{"key": "learning_rate", "values": 3}], "configs": 3}
    found = web.get("/api/training-runs/hyperparameters/varying", params={"sweep_id": str(night.id)}).json()
    assert found == {"keys": [{"key": "learning_rate", "values": 2}], "configs": 2}
    environments = web.get("/api/choices").json()["environments"]
    assert environments == [{"environment": "open_spiel/connect_four", "runs": 3}]
    for path, total in (("/api/training-runs", 3), ("/api/sweeps", 2)):
        assert web.get(path, params={"environment": "open_spiel/connect_four"}).json()["total"] == total
        assert web.get(path, params={"environment": "CartPole-v1"}).json()["total"] == 0
