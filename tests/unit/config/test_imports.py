import json
import subprocess
import sys

CODE = """
import json, sys
before = set(sys.modules)
import rlsweep.planning.plan
import rlsweep.planning.estimate
print(json.dumps(sorted(set(sys.modules) - before)))
"""

LIGHT = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection", "yaml"}
COMPILED = ("_", "cython_runtime")
"""How the names begin that compiled packages and the build of Python add."""
MOST_MODULES = 330
"""The standard library's included; 279 with Python 3.11. torch, ray or numpy alone have more."""


def test_a_plan_is_light_to_import() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(done.stdout)
    packages = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"rlsweep"}
    assert {name for name in packages if not name.startswith(COMPILED)} == LIGHT
    assert len(modules) < MOST_MODULES
