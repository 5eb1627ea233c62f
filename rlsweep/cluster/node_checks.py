"""Whether every node of a cluster reaches the database and the storage, asked before a trial lands on one."""

import secrets

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from rlsweep.errors import ClusterUnavailableError, StorageUnavailableError, StoreUnavailableError
from rlsweep.settings import Settings
from rlsweep.storage import locate
from rlsweep.store.database import Database

ANSWER_SECONDS = 120.0
"""How long all nodes together may take; each starts a worker for the answer."""


def check_nodes(node_ids: dict[str, str], database_url: str, settings: Settings) -> None:
    """Let every node ask the database something, and look for a file that is written here.

    node_ids: Ray's id of each node, and what people call it
    Raises ClusterUnavailableError naming a node that cannot.
    """
    marker = settings.storage / f".rlsweep-{secrets.token_hex(8)}"
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_bytes(b"")
        asked = {
            _complaint.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False)).remote(
                database_url, str(marker)
            ): name
            for node_id, name in node_ids.items()
        }
        answered, silent = ray.wait(list(asked), num_returns=len(asked), timeout=ANSWER_SECONDS)
        if silent:
            raise ClusterUnavailableError(f"Node {asked[silent[0]]} gave no answer within {ANSWER_SECONDS:.0f} s.")
        for answer in answered:
            complaint = _answer(answer, asked[answer])
            if complaint is not None:
                raise ClusterUnavailableError(f"Node {asked[answer]} cannot be used: {complaint}")
    except (OSError, StorageUnavailableError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ClusterUnavailableError(
            f"Nothing can be written to {marker.parent}: {reason}. Set RLSWEEP_STORAGE to a folder or URI that all "
            "nodes reach."
        ) from error
    finally:
        marker.unlink(missing_ok=True)


def _answer(answer: "ray.ObjectRef[str | None]", name: str) -> str | None:
    """What the node had to say; None from one that is gone, which no trial lands on."""
    try:
        complaint: str | None = ray.get(answer)
    except (ray.exceptions.TaskUnschedulableError, ray.exceptions.NodeDiedError):
        return None
    except ray.exceptions.RayError as error:
        raise ClusterUnavailableError(f"Node {name} cannot be asked: {error}") from error
    return complaint


@ray.remote(num_cpus=0, max_retries=0)
def _complaint(database_url: str, marker: str) -> str | None:
    """What is wrong, on the node that runs this."""
    try:
        with Database(database_url).readonly() as connection:
            connection.execute("select 1")
    except StoreUnavailableError as error:
        return f"{error} All nodes have to reach one PostgreSQL server; RLSWEEP_DATABASE_URL names it."
    try:
        file = locate(marker)
        if file.exists():
            return None
    except StorageUnavailableError as error:
        return str(error)
    except OSError as error:
        return f"{marker} cannot be looked for: {error.strerror}. Trials there need the rights to read and write it."
    return (
        f"{file.parent} there is another folder than here. Set RLSWEEP_STORAGE to a folder or URI that all nodes reach."
    )
