"""Scripts, styles and images, under a path that changes with their content, so that browsers may cache them forever."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"


@cache
def version() -> str:
    """A digest of all files, computed once per process; it changes with an upgrade and restart."""
    digest = hashlib.sha256()
    for file in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(FOLDER)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def asset_url(path: str) -> str:
    """The URL of `static/{path}`."""
    return f"/static/{version()}/{path}"


class Assets(StaticFiles):
    """Serves the files below /static/<version>/; any version in the URL gets the current files."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    def get_path(self, scope: Scope) -> str:
        """The file's path without the version in front of it."""
        _version, _, path = super().get_path(scope).partition("/")
        return path

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; browsers may cache it forever if the URL has the current version."""
        response = await super().get_response(path, scope)
        is_current = scope["path"].startswith(asset_url(""))
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_current else "no-cache"
        return response
