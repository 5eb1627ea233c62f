"""TensorBoard with a layout of its Custom Scalars tab that is there from the start.

TensorBoard looks for a layout in the event files of runs. One written there would appear as a run of its own, or stay
behind in every run when the layout changes, and could not be written where the storage is read-only. So the server
itself answers with ours, and nothing is written.
"""

import contextlib
import io
from pathlib import Path

from google.protobuf.json_format import Parse
from tensorboard import default, plugin_util, program
from tensorboard.compat.tensorflow_stub.io.gfile import FSSpecFileSystem, register_filesystem
from tensorboard.plugins.custom_scalar.custom_scalars_plugin import CustomScalarsPlugin
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout

from rlsweep.errors import InputError
from rlsweep.reports.tensorboard_layout import as_patterns, layout
from rlsweep.storage import Location, disable_listing_cache

HOST = "127.0.0.1"


def launch(folder: Location, *, port: int) -> str:
    """Serve the logs in a folder, or below a URI, from a thread of their own; port 0 takes any that is free.

    Returns the address. Raises InputError where the port cannot be had.
    """
    plugins = [ReadyCustomScalars if plugin is CustomScalarsPlugin else plugin for plugin in default.get_plugins()]
    server = program.TensorBoard(plugins)
    server.configure(logdir=str(folder), host=HOST, port=port, **_reading(folder))
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # a note on how it loads data, which nobody can act on
            return str(server.launch())
    except program.TensorBoardPortInUseError as exc:
        raise InputError(
            f"Port {port} is taken, perhaps by another TensorBoard. Name another with --port, or 0 for any free one."
        ) from exc
    except program.TensorBoardServerException as exc:
        raise InputError(f"TensorBoard cannot serve at {HOST}, port {port}: {exc.msg}. Name another --port.") from exc


def _reading(folder: Location) -> dict[str, str]:
    """Flags for where the logs lie; below a URI they are read through fsspec, as they were written."""
    if isinstance(folder, Path):
        return {}
    disable_listing_cache(folder)
    register_filesystem(
        folder.scheme, FSSpecFileSystem()
    )  # also for s3://, which boto3 would take where it is installed
    return {"load_fast": "false"}  # the fast reader knows no such places


class ReadyCustomScalars(CustomScalarsPlugin):  # type: ignore[misc]
    """The Custom Scalars tab, always shown, with our categories before those that runs bring along."""

    def __init__(self, context: object) -> None:
        super().__init__(context)
        self._ours = as_patterns(layout())

    def is_active(self) -> bool:
        """Whether the tab is shown."""
        return True

    def layout_impl(self, ctx: object, experiment: str) -> str:
        """Answer what the tab asks for first: a Layout as JSON."""
        shown = Layout()
        shown.CopyFrom(self._ours)
        brought = super().layout_impl(ctx, experiment)
        if brought:
            shown.MergeFrom(Parse(brought, Layout()))
        return str(plugin_util.proto_to_json(shown))
