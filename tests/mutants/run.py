"""Breaks the source on purpose, one fault of faults.toml at a time, and says which faults the tests catch.

The source is copied into temporary folders; the working tree is never touched. All tests are run once
without a fault first: those that fail then say nothing of a fault. `make mutants` runs all of them.
"""

import argparse
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
from table import TABLE, Fault, StaleError, check, place_of, read_sources, read_table

REPOSITORY = Path(__file__).parents[2]

MARK = "MUTANT_COPY"
"""Environment variable of every process that a run of tests starts: its copy's folder."""

LEAVE_SECONDS = 30.0
"""How long processes that tests left behind may take to end by themselves, as the embedded server's keeper does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TestRun:
    """code: pytest's exit code, None at a time-out; failed: the tests that failed; said: the end of the output."""

    code: int | None
    failed: tuple[str, ...]
    seconds: float
    said: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one fault.

    result: caught, survived, stale (its text or its tests are gone), or broken (its tests say nothing without it)
    seconds, sound_seconds: of the tests with the fault and without it
    caught_by: the test that failed; said: the end of pytest's output, or what else explains the result
    """

    name: str
    room: str
    result: str
    seconds: float = 0.0
    sound_seconds: float = 0.0
    caught_by: str = ""
    said: str = ""


class Copy:
    """A copy of a source tree in which faults are made and mended again."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.root = folder
        self._changes = 0
        for name in _files_of(source):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target)
        self.environ = os.environ | {
            "PYTHONPATH": str(folder),
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            MARK: str(folder),
        }
        asked = [sys.executable, "-c", "import rlsweep; print(rlsweep.__file__)"]
        imported = subprocess.run(asked, env=self.environ, cwd="/", capture_output=True, text=True, check=True).stdout
        if Path(imported.strip()) != folder / "rlsweep" / "__init__.py":
            raise RuntimeError(f"The copy in {folder} is not what is imported, but {imported.strip()}.")

    def run(self, tests: Sequence[str], *options: str, limit_s: float) -> TestRun:
        """Run tests, with options of pytest's."""
        command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", *options, *tests]
        began = time.monotonic()
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            process = subprocess.Popen(
                command, cwd=self.root, env=self.environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            try:
                code = process.wait(limit_s)
            except subprocess.TimeoutExpired:
                code = None
            seconds = time.monotonic() - began
            self._end_processes(at_once=code is None)
            process.wait()
            output.seek(0)
            text = output.read()
        return TestRun(
            code=code,
            failed=tuple(re.findall(r"^(?:FAILED|ERROR) (\S+)", text, re.MULTILINE)),
            seconds=round(seconds, 1),
            said=text[-1500:],
        )

    def run_with(self, fault: Fault, *, patience: float) -> TestRun:
        """Run the fault's tests, up to the first that fails, while it is in the source.

        patience: by which the time that they may take is multiplied
        Raises StaleError where the fault cannot be made.
        """
        path = place_of(fault, read_sources(self.root))
        content, times = path.read_bytes(), path.stat()
        self._changes += 1
        try:
            path.write_bytes(content.replace(fault.old.encode(), fault.new.encode()))
            # compiled code is told apart by its source's time and size: no two faults may share both
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 10**10 * self._changes))
            return self.run(fault.tests, "-x", limit_s=patience * fault.limit_s)
        finally:
            path.write_bytes(content)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _end_processes(self, *, at_once: bool) -> None:
        """Wait for what the tests left behind, then kill it."""
        deadline = time.monotonic() + (0.0 if at_once else LEAVE_SECONDS)
        while left := [process for process in psutil.process_iter() if self._is_ours(process)]:
            if time.monotonic() >= deadline:
                for process in left:
                    try:
                        process.kill()
                    except psutil.NoSuchProcess:
                        continue
            time.sleep(0.2)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == str(self.root) and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            return False


class SoundTests:
    """What tests did without a fault, by one run of all of them."""

    def __init__(self, copy: Copy, faults: Sequence[Fault], *, patience: float) -> None:
        self._cases: list[tuple[str, str, float, bool]] = []
        tests = sorted({test for fault in faults for test in fault.tests})
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            self.run = copy.run(tests, f"--junitxml={report}", limit_s=patience * sum(f.limit_s for f in faults))
            if report.exists():
                for case in ElementTree.parse(report).iter("testcase"):
                    did_pass = case.find("skipped") is None
                    is_bad = case.find("failure") is not None or case.find("error") is not None
                    if did_pass or is_bad:
                        of = case.attrib
                        self._cases.append((of["classname"], of["name"], float(of["time"]), is_bad))

    def seconds_of(self, tests: Sequence[str]) -> float | None:
        """How long these took; None where any of them failed, or all were skipped."""
        cases = [case for case in self._cases if any(_is_case_of(test, case[0], case[1]) for test in tests)]
        if not cases or any(is_bad for *_, is_bad in cases):
            return None
        return round(sum(seconds for _, _, seconds, _ in cases), 1)


def _is_case_of(test: str, classname: str, name: str) -> bool:
    """Whether pytest's report means a test of that file or node id."""
    file, *parts = test.split("::")
    module = file.removesuffix(".py").replace("/", ".")
    if not parts:
        return classname == module or classname.startswith(f"{module}.")
    return classname == ".".join([module, *parts[:-1]]) and parts[-1] in (name, name.partition("[")[0])


def outcome_of(fault: Fault, *, copies: "queue.Queue[Copy]", sound: SoundTests | None, patience: float) -> Outcome:
    """Make the fault in a copy that is free, and see whether its tests fail.

    sound: what they did without it; None where they are known to pass
    """
    copy = copies.get()
    try:
        check(fault, copy.root, read_sources(copy.root))
        sound_seconds = None if sound is None else sound.seconds_of(fault.tests)
        if sound is not None and sound_seconds is None:
            return Outcome(name=fault.name, room=fault.room, result="broken", said=sound.run.said)
        run = copy.run_with(fault, patience=patience)
    except StaleError as error:
        return Outcome(name=fault.name, room=fault.room, result="stale", said=str(error))
    finally:
        copies.put(copy)
    result = {0: "survived", 1: "caught", 2: "caught", None: "caught" if fault.hang else "survived"}.get(run.code)
    return Outcome(
        name=fault.name,
        room=fault.room,
        result=result or "broken",
        seconds=run.seconds,
        sound_seconds=sound_seconds or 0.0,
        caught_by=(run.failed[0] if run.failed else "time-out") if result == "caught" else "",
        said="time-out" if run.code is None else run.said,
    )


def _files_of(source: Path) -> list[str]:
    """What git keeps there, or would."""
    command = ["git", "-C", str(source), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in listed if name and (source / name).is_file()]


def list_faults(faults: Sequence[Fault], source: Path, *, is_checked: bool) -> int:
    """Print the table; with `is_checked` whether it fits the source. How many faults do not."""
    stale = 0
    sources = read_sources(source)
    for fault in faults:
        survived = f" (survived at {fault.survived_at})" if fault.survived_at else ""
        print(f"{fault.room:<11} {fault.name}{survived}: {fault.breaks}")
        if is_checked:
            try:
                check(fault, source, sources)
            except StaleError as error:
                stale += 1
                print(f"            stale: {error}")
    print(f"{len(faults)} faults" + (f", {stale} stale" if is_checked else ""))
    return stale


def try_all(
    faults: Sequence[Fault], source: Path, *, jobs: int, patience: float, are_sound: bool, json_file: Path | None
) -> list[Outcome]:
    """Try every fault, quick ones first; what is known so far is in the JSON file after each.

    are_sound: the tests are known to pass without a fault, and are not run for that
    """
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="rlsweep-mutants-") as folder:
        Path(folder).chmod(0o755)  # the embedded server's user has to pass
        copies: queue.Queue[Copy] = queue.Queue()
        for number in range(jobs):
            copies.put(Copy(source, Path(folder) / f"copy-{number}"))
        for group in ([f for f in faults if not f.slow], [f for f in faults if f.slow]):
            fitting = _fitting(group, source)
            if not fitting:
                continue
            sound = None
            if not are_sound:
                copy = copies.get()
                sound = SoundTests(copy, fitting, patience=patience)
                copies.put(copy)
                print(f"without a fault: {sound.run.seconds:.0f} s, {len(sound.run.failed)} tests fail", flush=True)
            with ThreadPoolExecutor(jobs) as pool:
                for outcome in pool.map(partial(outcome_of, copies=copies, sound=sound, patience=patience), group):
                    outcomes.append(outcome)
                    _tell(outcome)
                    if json_file is not None:
                        json_file.write_text(json.dumps(_record(source, outcomes), indent=2) + "\n")
    return outcomes


def _fitting(faults: Sequence[Fault], source: Path) -> list[Fault]:
    """Those that are not stale: one test that is not there would keep pytest from running the others."""
    sources, fitting = read_sources(source), []
    for fault in faults:
        with suppress(StaleError):
            check(fault, source, sources)
            fitting.append(fault)
    return fitting


def _tell(outcome: Outcome) -> None:
    times = f"{outcome.seconds:5.1f} s, {outcome.sound_seconds:5.1f} s without"
    print(f"{outcome.result:<9} {outcome.room:<11} {outcome.name:<38} {times}  {outcome.caught_by}", flush=True)
    if outcome.result != "caught":
        print("    " + "\n    ".join(outcome.said.strip().splitlines()[-12:]), flush=True)


def _record(source: Path, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    command = ["git", "-C", str(source), "rev-parse", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return {"commit": commit or None, "faults": [asdict(outcome) for outcome in outcomes]}


def main() -> int:
    """Exit code 0 where every fault is caught that was caught before, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these faults alone")
    parser.add_argument("--list", action="store_true", help="print the table and try nothing")
    parser.add_argument("--check", action="store_true", help="with --list: whether texts and tests are there")
    parser.add_argument("--jobs", type=int, default=1, help="faults at a time (default 1)")
    parser.add_argument("--patience", type=float, default=1.0, help="multiplies time limits, on a busy machine")
    parser.add_argument(
        "--sound", action="store_true", help="the tests passed just now: do not run them unbroken first"
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the outcomes into this file")
    parser.add_argument("--src", type=Path, default=REPOSITORY, metavar="PATH", help="another checkout to break")
    parser.add_argument("--table", type=Path, default=TABLE, metavar="PATH", help="another table, of an older commit")
    given = parser.parse_args()
    faults, source = read_table(given.table), given.src.resolve()
    if given.only:
        if unknown := set(given.only) - {fault.name for fault in faults}:
            parser.error(f"no such fault: {', '.join(sorted(unknown))}")
        faults = [fault for fault in faults if fault.name in given.only]
    if given.list:
        return 1 if list_faults(faults, source, is_checked=given.check) else 0
    outcomes = try_all(
        faults, source, jobs=given.jobs, patience=given.patience, are_sound=given.sound, json_file=given.json
    )
    results = [outcome.result for outcome in outcomes]
    print(", ".join(f"{results.count(result)} {result}" for result in ("caught", "survived", "stale", "broken")))
    known = {fault.name for fault in faults if fault.survived_at}
    is_lost = [each.result != "caught" and not (each.result == "survived" and each.name in known) for each in outcomes]
    return 1 if any(is_lost) else 0


if __name__ == "__main__":
    sys.exit(main())
