"""`import rlsweep` is fast, and everything that it promises is there."""

import json
import subprocess
import sys

import pytest

import rlsweep

HEAVY = ("torch", "ray", "typer", "rich", "psycopg", "pyarrow", "numpy", "pandas", "pydantic", "yaml", "IPython")


def test_importing_loads_nothing_heavy() -> None:
    script = "import json, sys, rlsweep; dir(rlsweep); print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)
    assert "rlsweep" in loaded
    assert [name for name in HEAVY if name in loaded] == []
    assert [name for name in loaded if name.startswith("rlsweep.")] == ["rlsweep.version"]


@pytest.mark.parametrize("name", rlsweep.__all__)
def test_every_name_of_the_api_is_there(name: str) -> None:
    assert getattr(rlsweep, name) is not None
    assert name in dir(rlsweep)
    assert name == "__version__" or getattr(rlsweep, name).__doc__


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="module 'rlsweep' has no attribute 'sweeep'"):
        rlsweep.sweeep  # noqa: B018
