"""What child processes import from: environments that this process can import are found by them too."""

import os
import sys


def python_path() -> str:
    """PYTHONPATH for a child process: this process's own path, with what a script or a notebook added to it."""
    return os.pathsep.join(folder for folder in sys.path if folder)
