"""Saved views: the address of a list or a comparison under a name."""

from dataclasses import asdict, dataclass
from uuid import UUID

from fastapi import APIRouter, Request, Response

from rlsweep.errors import ChangedMeanwhileError
from rlsweep.store import saved_views
from rlsweep.store.saved_views import SavedView, ViewPage
from rlsweep.web.parameters import database_of
from rlsweep.web.responses import json_conflict, json_response

router = APIRouter(prefix="/views", tags=["saved views"])

ADDRESSES = {
    ViewPage.RUNS: "/training",
    ViewPage.SWEEPS: "/training/sweeps",
    ViewPage.COMPARE: "/training/compare",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownView(SavedView):
    """A saved view. address: path and query of its page."""

    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Views:
    """Every saved view, in alphabetical order."""

    views: tuple[ShownView, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewView:
    """A view to save. query: the query of the page's address."""

    name: str
    page: ViewPage
    query: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewName:
    """Another name. version: that of the view as it was read."""

    name: str
    version: int


@router.get("", response_model=Views, summary="The saved views")
def list_views(request: Request) -> Response:
    """Every saved view, with the address that shows it."""
    views = saved_views.all_views(database_of(request))
    return json_response(request, Views(views=tuple(map(_shown, views))))


@router.post("", response_model=ShownView, summary="Save a view")
def save_view(request: Request, new: NewView) -> Response:
    """The name must be new; a token in the query is left out."""
    view = saved_views.save(database_of(request), name=new.name, page=new.page, query=new.query)
    return json_response(request, _shown(view))


@router.put("/{view_id}", response_model=ShownView, summary="Rename a view")
def rename_view(request: Request, view_id: UUID, new: NewName) -> Response:
    """Gives the view another name; 409, with the view as it is, if somebody else has renamed it since `version`."""
    database = database_of(request)
    try:
        view = saved_views.rename(database, view_id, name=new.name, version=new.version)
    except ChangedMeanwhileError as exc:
        return json_conflict(str(exc), _shown(saved_views.get(database, view_id)))
    return json_response(request, _shown(view))


@router.delete("/{view_id}", response_model=Views, summary="Delete a view")
def delete_view(request: Request, view_id: UUID) -> Response:
    """Returns the views that are left."""
    saved_views.delete(database_of(request), view_id)
    return list_views(request)


def _shown(view: SavedView) -> ShownView:
    query = f"?{view.query}" if view.query else ""
    return ShownView(**asdict(view), address=f"{ADDRESSES[view.page]}{query}")
