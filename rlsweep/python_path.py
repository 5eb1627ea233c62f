"""PYTHONPATH of child processes, so that they can import the same environments as this process."""

import os
import sys


def python_path() -> str:
    """PYTHONPATH for a child process: this process's path, including folders that a script or a notebook added."""
    return os.pathsep.join(folder for folder in sys.path if folder)
