"""Check that every node of a cluster can reach the database and the storage, before trials start there."""

import secrets

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from rlsweep.errors import ClusterUnavailableError, StorageUnavailableError, StoreUnavailableError
from rlsweep.settings import Settings
from rlsweep.storage import locate
from rlsweep.store.database import Database

ANSWER_SECONDS = 120.0
"""Time limit for the answers of all nodes; each starts a worker to answer."""


def check_nodes(node_ids: dict[str, str], database_url: str, settings: Settings) -> None:
    """On every node, query the database and look for a file that this process writes to the storage.

    node_ids: Ray's id of each node → its name for messages
    Raises ClusterUnavailableError with the name of a node that fails.
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
            f"{marker.parent} is not writable: {reason}. Set RLSWEEP_STORAGE to a folder or URI that all nodes can "
            "reach."
        ) from error
    finally:
        marker.unlink(missing_ok=True)


def _answer(answer: "ray.ObjectRef[str | None]", name: str) -> str | None:
    """The node's problem, or None; also None if the node is gone, because no trial starts there."""
    try:
        complaint: str | None = ray.get(answer)
    except (ray.exceptions.TaskUnschedulableError, ray.exceptions.NodeDiedError):
        return None
    except ray.exceptions.RayError as error:
        raise ClusterUnavailableError(f"Node {name} cannot be checked: {error}") from error
    return complaint


@ray.remote(num_cpus=0, max_retries=0)
def _complaint(database_url: str, marker: str) -> str | None:
    """Check the node that runs this function; return its problem, or None."""
    try:
        with Database(database_url).readonly() as connection:
            connection.execute("select 1")
    except StoreUnavailableError as error:
        return f"{error} All nodes must reach the PostgreSQL server of RLSWEEP_DATABASE_URL."
    try:
        file = locate(marker)
        if file.exists():
            return None
    except StorageUnavailableError as error:
        return str(error)
    except OSError as error:
        return f"{marker} cannot be read: {error.strerror}. Trials there need the rights to read and write it."
    return (
        f"{file.parent} is not the same folder there as here. Set RLSWEEP_STORAGE to a folder or URI that all nodes "
        "share."
    )
