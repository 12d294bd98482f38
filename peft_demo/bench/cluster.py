"""Where runs go that leave this process's machine."""

from dataclasses import dataclass

from ..contracts.errors import BadValue

HERE = "local"
"""The address of a cluster of this machine alone, which ends with the process."""


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster: "auto" (the one that this machine belongs to), "local", or its address; and
    the share of a GPU that a run takes."""

    address: str
    gpus: float = 0.0


def cluster_of(address: str, gpus: float) -> Cluster | None:
    """The cluster that a command names, None for none."""
    if gpus and not address:
        raise BadValue("--gpus-per-run is for runs on Ray.", "Add --ray auto or --ray ADDRESS.")
    return Cluster(address, gpus) if address else None
