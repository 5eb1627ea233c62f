"""Render pages from templates: each has one declared context, and every value is escaped."""

import dataclasses
from typing import TYPE_CHECKING

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from rlsweep.web.assets import asset_url

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

environment = Environment(
    loader=PackageLoader("rlsweep.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals = {"static": asset_url}


def page(name: str, context: "DataclassInstance", status_code: int = 200) -> HTMLResponse:
    """Render `templates/{name}`; its variables are the fields of `context` and the function `static(path)`."""
    fields = {field.name: getattr(context, field.name) for field in dataclasses.fields(context)}
    return HTMLResponse(environment.get_template(name).render(fields), status_code=status_code)
