"""Sweeps on a cluster elsewhere, through Ray's Jobs API: a job is a driver that runs on the cluster's head.

The sweep is on record before its job is sent, and the job carries the sweep's id: sent twice, it is refused by the
cluster. What the job does is `rlsweep drive`, the same driver as anywhere; the record tells how it goes.
"""

import asyncio
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from rlsweep.cluster.joining import ask_jobs_api, use_token_if_any
from rlsweep.cluster.ray_internals import limit_requests, silence_job_client
from rlsweep.driver.selection import RunSelection, name_of
from rlsweep.errors import ClusterUnavailableError, NotFoundError
from rlsweep.places.job_files import SETTINGS_FILE, write_job_files
from rlsweep.scratch import scratch_folder
from rlsweep.settings import Settings
from rlsweep.sweep_records import Sweep

MARGIN_SECONDS = 60
"""That Ray waits for a stopped driver beyond what its trials are given: it settles the record and ends."""

HEAD_SECONDS = 60.0
"""How long a head may say that it takes no jobs yet."""

REQUEST_SECONDS = 120.0
"""How long a head may be silent in the middle of an answer; Ray's client would wait for ever."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """id: as the Jobs API has it; state: Ray's word, lower case, such as `running`."""

    id: str
    state: str

    @property
    def is_over(self) -> bool:
        """Whether its driver has ended."""
        return self.state in ("stopped", "succeeded", "failed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """host: the name of its machine; resources: what it has of each kind in all."""

    host: str
    resources: dict[str, float]


class JobsCluster:
    """A cluster by the address of its Jobs API."""

    def __init__(self, url: str) -> None:
        """Raises ClusterUnavailableError where nothing answers there, or does not let us in."""
        use_token_if_any()
        self.url = url
        ask_jobs_api(url, "/api/version")
        from ray.job_submission import JobSubmissionClient

        silence_job_client()
        with self._in_reach(), _without_other_addresses():
            self._client = JobSubmissionClient(url)
        limit_requests(self._client, timeout=REQUEST_SECONDS)

    def nodes(self) -> list[Node]:
        """Those that are alive. Raises ClusterUnavailableError where there is none."""
        known = [node["raylet"] for node in ask_jobs_api(self.url, "/nodes?view=summary")["data"]["summary"]]
        live = [
            Node(host=node["nodeManagerHostname"], resources=node.get("resourcesTotal", {}))
            for node in known
            if node.get("state") == "ALIVE"
        ]
        if not live:
            raise ClusterUnavailableError(f"No node of the Ray cluster at {self.url} is alive. Start it again.")
        return live

    def send(
        self,
        sweep: Sweep,
        selection: RunSelection,
        settings: Settings,
        *,
        grace_seconds: float,
        command: str,
        working_folder: Path,
    ) -> bool:
        """Send a driver of the selection of the sweep; False where a job of that id is there already.

        command, working_folder: what the user typed, and where
        """
        jobs = self._jobs_of(sweep.id)
        job_id = str(sweep.id) if not jobs else f"{sweep.id}-{len(jobs) + 1}"
        entrypoint = ["python", "-m", "rlsweep", "--settings", SETTINGS_FILE, "drive", str(sweep.id)]
        entrypoint += ["--selection", name_of(selection), "--grace", f"{grace_seconds:g}", "--command", command]
        entrypoint += ["--folder", str(working_folder)]
        environ = {
            "RAY_JOB_STOP_SIGNAL": "SIGINT",
            "RAY_JOB_STOP_WAIT_TIME_S": f"{grace_seconds + MARGIN_SECONDS:.0f}",
            "PYTHONUNBUFFERED": "1",
        }
        with scratch_folder("job") as scratch:
            folder = scratch / "job_files"
            folder.mkdir()
            write_job_files(folder, settings, {sweep.base_config["environment"]["id"]})
            return self._submit(
                entrypoint=shlex.join(entrypoint),
                submission_id=job_id,
                runtime_env={"working_dir": str(folder), "env_vars": environ},
                metadata={"sweep": sweep.name},
            )

    def _submit(self, **job: Any) -> bool:
        """Submit it; False where there is a job of its id. A head that has just started takes jobs a little later."""
        deadline = time.monotonic() + HEAD_SECONDS
        while True:
            try:
                self._client.submit_job(**job)
                return True
            except (RuntimeError, OSError) as error:
                if "already exists" in str(error):
                    return False
                if "No available agent" not in str(error) or time.monotonic() >= deadline:
                    raise ClusterUnavailableError(
                        f"The cluster at {self.url} did not take the sweep: {error}"
                    ) from error
            time.sleep(1.0)

    def job_of(self, sweep_id: UUID) -> Job | None:
        """The newest job of a sweep; None where the cluster knows none, or no more."""
        jobs = self._jobs_of(sweep_id)
        return jobs[-1] if jobs else None

    def log(self, sweep_id: UUID) -> str:
        """All that the sweep's newest driver has written. Raises NotFoundError where there is none."""
        with self._in_reach():
            return self._client.get_job_logs(self._known(sweep_id).id)

    def follow_log(self, sweep_id: UUID) -> Iterator[str]:
        """The same as it comes, until the driver ends."""
        lines = self._client.tail_job_logs(self._known(sweep_id).id)
        with self._in_reach(), asyncio.Runner() as runner:
            while (text := runner.run(anext(lines, None))) is not None:
                yield text

    @contextmanager
    def _in_reach(self) -> Iterator[None]:
        """Raises ClusterUnavailableError for whatever goes wrong between the cluster and us."""
        from aiohttp import ClientError
        from ray.exceptions import AuthenticationError

        try:
            yield
        except (OSError, RuntimeError, ClientError, AuthenticationError) as error:
            raise ClusterUnavailableError(f"The Ray cluster at {self.url} cannot be worked with: {error}") from error

    def _known(self, sweep_id: UUID) -> Job:
        job = self.job_of(sweep_id)
        if job is None:
            raise NotFoundError(
                f"The cluster at {self.url} knows no job of sweep {sweep_id}; it may have been restarted."
            )
        return job

    def _jobs_of(self, sweep_id: UUID) -> list[Job]:
        """In the order in which they were sent."""
        with self._in_reach():
            known = self._client.list_jobs()
        found = [job for job in known if (job.submission_id or "").startswith(str(sweep_id))]
        found.sort(key=lambda job: job.start_time or 0)
        return [Job(id=str(job.submission_id), state=job.status.value.lower()) for job in found]


@contextmanager
def _without_other_addresses() -> Iterator[None]:
    """Ray's own variables would take the place of the address that its client is given."""
    names = ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS")
    held = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(held)
