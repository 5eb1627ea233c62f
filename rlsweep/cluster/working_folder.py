"""The working folder of Ray's workers: that of the command, where it exists on their node."""

import os
from pathlib import Path


def enter(folder: Path | None) -> None:
    """Make `folder` the working folder if it exists here; None, or one that cannot be entered, changes nothing.

    Ray gives a worker a folder of its own; there, a relative path of the user's environment would not be found.
    """
    if folder is not None and folder.is_dir() and os.access(folder, os.X_OK):
        os.chdir(folder)


def missing_file_hint(error: BaseException, folder: Path | None) -> str | None:
    """What to do about a file that an environment did not find, if the folder of the command is not here; else None."""
    if folder is None or Path.cwd() == folder:
        return None
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, FileNotFoundError):
        cause = cause.__cause__ or cause.__context__
    if cause is None and FileNotFoundError.__name__ not in str(error):  # an environment's own process sends text alone
        return None
    return (
        f"The folder of the command, {folder}, is not on this node, where the trial runs in {Path.cwd()}: put the "
        "environment's files where all nodes find them, and give their absolute path in `environment.kwargs`."
    )
