"""The embedded server of a process that uses the Python API: one for all its calls, gone with the process."""

import os
import subprocess
import sys

import pytest

from rlsweep.paths import Paths
from rlsweep.settings import Settings

pytestmark = pytest.mark.integration

SCRIPT = """
import os, threading
import rlsweep
from rlsweep.paths import Paths
from rlsweep.store.keeper import postmaster_pid

data = Paths(rlsweep.Settings.from_environ()).embedded_database / "data"
assert rlsweep.sweeps() == []
server = postmaster_pid(data)
found = []
threads = [threading.Thread(target=lambda: found.append(rlsweep.sweeps())) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert found == [[]] * 4
if (child := os.fork()) == 0:
    assert rlsweep.sweeps() == []
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert rlsweep.sweeps() == []
assert postmaster_pid(data) == server, "the server was started again"
"""


def test_one_server_for_all_calls_and_none_afterwards(home, processes_of):
    """The fixture `home` fails where a process of the server is left behind."""
    environ = os.environ | {"RLSWEEP_HOME": str(home), "RLSWEEP_DATABASE_URL": "", "RLSWEEP_STORAGE": ""}
    subprocess.run([sys.executable, "-c", SCRIPT], env=environ, check=True, timeout=120)
    folder = Paths(Settings(home=home, storage=home, database_url=None)).embedded_database
    assert (folder / "data").is_dir()
