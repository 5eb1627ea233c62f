"""Input made to break the reader: one clear message and exit code 2, in 4 s of CPU and 512 MB of address space.

The limits are the kernel's: what takes more is ended by a signal, or fails to get its memory, and exits otherwise.
They are set by `limited.py`, in a fork for each command.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not hold a process to its address space"),
]

GOOD = (Path(__file__).parents[3] / "config" / "agents" / "ppo_agent_v1.yaml").read_text()
TEXT = "x" * 500_000
LAUGHS = "a0: &a0 [1, 1]\n" + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(9))
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{i + 1}: &a{i + 1} {{<<: [{', '.join([f'*a{i}'] * 9)}]}}\n" for i in range(9))
DEEP_KEYS = f'{{"{"k" * 100}": ' * 48 + f"[{'0, ' * 300_000}0]" + "}" * 48

CONTENTS: dict[str, tuple[str, str | bytes, str]] = {
    "a billion laughs": ("a.yaml", LAUGHS, "a.yaml: line 5, column 25: malformed YAML: stands for more than 10000 val"),
    "a billion merges": ("a.yaml", MERGES, "malformed YAML: stands for more than 10000 values"),
    "a long text often": ("a.yaml", f"a: &a {TEXT}\nb: [{'*a, ' * 9000}]", "stands for more than 1048576 characters"),
    "a long key often": ("a.yaml", f"? {TEXT}\n: [{'0, ' * 9000}]", "has 500000 characters, and may have 100"),
    "a long key in JSON": ("a.json", f'{{"{TEXT}": [{"0, " * 9000}0]}}', "has 500000 characters, and may have 100"),
    "300,000 values under long keys": ("a.json", DEEP_KEYS, "contains more than 10000 values"),
    "a long name": ("a.yaml", GOOD.replace("MaskablePPO", TEXT), "known are MaskablePPO, PPO, A2C"),
    "a long tag": ("a.yaml", f"a: !<{TEXT}> 1", "has no place in a config"),
    "deep YAML": ("a.yaml", "a: " + "[" * 500_000, "nested deeper than 50 levels"),
    "deep JSON": ("a.json", '{"a": ' * 150_000, "nested deeper than 50 levels"),
    "10,000 digits": ("a.yaml", f"version: {'9' * 10_000}", "an integer of 10000 digits is too large"),
    "10,000 digits in JSON": ("a.json", f'{{"version": {"9" * 10_000}}}', "an integer of 10000 digits is too large"),
    "an infinity": ("a.yaml", GOOD.replace("0.99", "-.inf"), "a.yaml: gamma: must be a finite number, got -inf"),
    "NaN in JSON": ("a.json", '{"gamma": NaN}', "a.json: gamma: must be a finite number, got nan"),
    "a Python object": ("a.yaml", "a: !!python/object/apply:os.system [ls]", "the tag !!python/object/apply:os.system"),
    "70,000 directives": ("a.yaml", "".join(f"%TAG !{i:x}! x\n" for i in range(70_000)), "%TAG has no place in a"),
    "150,000 documents": ("a.yaml", "--- 1\n" * 150_000, "stands for more than 10000 values"),
    "4,000 unknown keys": ("a.yaml", GOOD + "".join(f"k{i}: 1\n" for i in range(4000)), "a.yaml: further problems: 39"),
    "a key given twice": ("a.yaml", GOOD + "gamma: 0.9\n", "key 'gamma' is given twice, first on line 10"),
    "bytes": ("a.yaml", bytes(range(256)), "a.yaml: line 2: is not UTF-8 text"),
    "UTF-16": ("a.yaml", GOOD.encode("utf-16"), "a.yaml: line 1: is not UTF-8 text; save the file as UTF-8"),
    "terminal escapes": (
        "a.yaml",
        GOOD + 'exploration: {a: "\\e]0;owned\\a"}',
        "exploration.a: contains a control character",
    ),
    "terminal escapes in a key": ("a.json", '{"\\u001b[2J": 1}', r"key '\x1b[2J' contains a control character"),
    "a name that moves the cursor": ("\x1b[2J.yaml", GOOD, r"'\x1b[2J.yaml': a config file's path must be one line"),
}


@pytest.mark.parametrize(("name", "content", "message"), CONTENTS.values(), ids=CONTENTS)
def test_a_file(cli: Any, told: Any, name: str, content: str | bytes, message: str) -> None:
    (cli.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    told(message, name)


@pytest.mark.parametrize("attack", ["a billion laughs", "a long text often", "10,000 digits", "4,000 unknown keys"])
def test_a_base_config(cli: Any, told: Any, attack: str) -> None:
    name, content, message = CONTENTS[attack]
    (cli.folder / name).write_text(str(content))
    (cli.folder / "good.yaml").write_text(GOOD)
    told(message, "good.yaml", "--base-config", name)


def a_sparse_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100_000_000)


def a_wood_of_links(path: Path) -> None:
    path.mkdir()
    for name in ("b", "c", "d"):
        (path / name).symlink_to(path)


def a_crowd(path: Path) -> None:
    path.mkdir()
    for number in range(3000):
        (path / f"{number}_{'x' * 100}.yaml").touch()


FILES: dict[str, tuple[str, Callable[[Path], None], str, str]] = {
    "100 MB": ("a.yaml", a_sparse_file, "a.yaml", "a.yaml: is larger than 1 MiB"),
    "a pipe": ("a.yaml", os.mkfifo, "a.yaml", "a.yaml: is not a regular file"),
    "a device": ("a.yaml", lambda path: path.symlink_to("/dev/zero"), "a.yaml", "a.yaml: is not a regular file"),
    "a link to itself": ("a.yaml", lambda path: path.symlink_to(path), "a.yaml", "Too many levels of symbolic links"),
    "a link to nothing": ("a.yaml", lambda path: path.symlink_to("b"), "a.yaml", "Agent config file not found: a.yaml"),
    "a folder of that name": ("a.yaml", Path.mkdir, "a.yaml", "No config file in the folder a.yaml"),
    "a pattern over devices": (
        "a",
        Path.mkdir,
        "/dev/*",
        "No config file matches '/dev/*'; /dev contains no config file",
    ),
    "links to links": ("a", a_wood_of_links, "a/" + "*/" * 30 + "*.yaml", "; a contains no config file"),
    "misspelled in a crowd": ("a", a_crowd, "a/" + "x" * 100 + ".yaml", "did you mean a/"),
    "10,000 wildcards": ("a", Path.mkdir, "*" * 10_000, "the pattern has 10000 characters, at most 4096 are allowed"),
    "2,000 folders deep": ("a", a_wood_of_links, "*/" * 2000 + "*", "No config file matches '*/*/*/"),
    "any depth, 1,000 times": ("a", a_wood_of_links, "**/*/" * 800 + "*.yaml", "No config file matches '**/*/**/"),
}


@pytest.mark.parametrize(("name", "make", "pattern", "message"), FILES.values(), ids=FILES)
def test_a_file_that_is_none(
    cli: Any, told: Any, name: str, make: Callable[[Path], None], pattern: str, message: str
) -> None:
    make(cli.folder / name)
    told(message, pattern)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (f"net_arch=[{'*' * 100_000}", "cannot be read: "),
        (f"net_arch={'[' * 100_000}", "cannot be read: nested deeper than 50 levels"),
        (f"gamma={'9' * 10_000}", "cannot be read: an integer of 10000 digits is too large"),
        ("gamma=.nan", "--set gamma=.nan: must be a finite number, got nan"),
        ("gamma=!!python/name:os.system", "the tag !!python/name:os.system has no place in a config"),
        (f"environment.kwargs.{'a.' * 10_000}a=1", "a key is one line of at most 100 printable characters"),
        (f"opponent={'x' * 300}.zip", "--set environment.opponent: checkpoint not found: xxx"),
        ("gamma\x1b[2J=1", r"--set gamma\x1b[2J=1: a key is one line of at most 100 printable characters"),
        (os.fsdecode(b"gamma=\xff"), r"--set gamma=\udcff: contains an unprintable character, '\udcff'"),
        ("n_envs=999999999999", "--set n_envs: must be at most 10000, got 999999999999"),
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_an_override(cli: Any, told: Any, override: str, message: str) -> None:
    (cli.folder / "a.yaml").write_text(GOOD)
    told(message, "a.yaml", "--set", override)


@pytest.fixture(scope="module")
def limited() -> Iterator[subprocess.Popen[str]]:
    program = [sys.executable, str(Path(__file__).with_name("limited.py"))]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def told(cli: Any, limited: subprocess.Popen[str]) -> Callable[..., None]:
    """`rlsweep plan` says the message, and nothing but what a terminal can show in a screenful."""

    def told(message: str, *arguments: str) -> None:
        request = {
            "folder": str(cli.folder),
            "environ": {"RLSWEEP_HOME": str(cli.home)},
            "arguments": ["plan", *arguments],
        }
        assert limited.stdin is not None
        assert limited.stdout is not None
        print(json.dumps(request), file=limited.stdin, flush=True)
        done = json.loads(limited.stdout.readline())
        said = done["stderr"]
        assert done["code"] == 2, said
        assert said.startswith("Error: ")
        assert message in said
        assert "Traceback" not in said
        assert done["stdout"] == ""
        lines = said.splitlines()
        assert len(lines) <= 25
        assert all(len(line) < 1020 and line.isprintable() for line in lines)
        assert not cli.home.exists()

    return told
