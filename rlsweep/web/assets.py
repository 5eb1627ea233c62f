"""Scripts, styles and pictures, under a path that changes with their contents: browsers may keep them for good."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"


@cache
def version() -> str:
    """A digest of all files, taken once: a server started anew after an upgrade has another."""
    digest = hashlib.sha256()
    for file in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(FOLDER)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def asset_url(path: str) -> str:
    """Where the server has `static/{path}`."""
    return f"/static/{version()}/{path}"


class Assets(StaticFiles):
    """The files below /static/<version>/; any version is answered with the files as they are now."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    def get_path(self, scope: Scope) -> str:
        """The file's path without the version before it."""
        _version, _, path = super().get_path(scope).partition("/")
        return path

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, to be kept for good if its address carries the present version."""
        response = await super().get_response(path, scope)
        named = scope["path"].startswith(asset_url(""))
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if named else "no-cache"
        return response
