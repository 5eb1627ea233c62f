"""Which place drives a sweep."""

from rlsweep.cluster.address import Address, Reach, read_address
from rlsweep.errors import InputError, before_start
from rlsweep.paths import Paths
from rlsweep.places.options import DrivingOptions
from rlsweep.places.place import Place
from rlsweep.places.service import find_service
from rlsweep.settings import Settings
from rlsweep.sweep_records import Sweep


@before_start()
def find_place(options: DrivingOptions, settings: Settings, before: Sweep | None = None) -> Place:
    """Take the place that the options or RAY_ADDRESS name, else the sweep's last cluster, the service, or this process.

    Raises InputError for an address that is none, and for options that do not go together;
    UnreachableError for a cluster that does not answer.
    """
    address = read_address(options.address)
    if address is None and before is not None and before.address is not None:
        address = Address(Reach.JOBS, before.address)
    if address is not None and address.reach is Reach.JOBS:
        from rlsweep.places.jobs import JobsCluster
        from rlsweep.places.on_cluster import OnCluster

        return OnCluster(options, settings, JobsCluster(address.text))
    service = None if address is not None or options.dashboard else find_service(Paths(settings).service)
    if service is not None:
        from rlsweep.places.in_service import InService

        return InService(options, settings, service)
    if options.detach:
        raise InputError(
            "--detach: nobody is there to drive the sweep. Start the service with `rlsweep up`, or name a cluster "
            "with --address http://HEAD:8265."
        )
    from rlsweep.places.here import Here

    return Here(options, settings, address or Address(Reach.OWN, ""))
