"""A command that takes any number of patterns, and says so in its help."""

from typing import Any

from typer.core import TyperArgument, TyperCommand


class PatternsCommand(TyperCommand):
    """Typer shows `<list[str]>` behind an argument that may be given several times; this shows `...`."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        for parameter in self.params:
            if isinstance(parameter, TyperArgument) and parameter.nargs == -1:
                parameter.display_type = lambda ctx: "..."  # type: ignore[method-assign]  # noqa: ARG005
