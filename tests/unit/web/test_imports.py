import subprocess
import sys

import pytest

HEAVY = ("torch", "ray", "stable_baselines3", "gymnasium", "pandas", "matplotlib")


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import rlsweep.web.server", (*HEAVY, "scipy.stats", "sklearn", "optuna")),
        ("import rlsweep.cli.app", (*HEAVY, "fastapi", "uvicorn", "jinja2", "psycopg", "numpy")),
    ],
)
def test_nothing_heavy_is_imported(code: str, heavy: tuple[str, ...]) -> None:
    check = f"{code}\nimport sys\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
