"""Sizes of virtual machines that notebooks name, as cores, memory and graphics cards.

From "Sizes for virtual machines in Azure" (learn.microsoft.com), the general, compute and memory
optimised sizes that Azure Machine Learning offered most, and its sizes with graphics cards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any  # Any: values of the SDK's list

_GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSize:
    """What one machine has: cores, bytes of memory, graphics cards."""

    cores: int
    memory_bytes: int
    gpus: int = 0


def _family(
    pattern: str, sizes: dict[int, tuple[int, float]], gpus: int = 0
) -> dict[str, NodeSize]:
    return {
        pattern.format(n): NodeSize(cores=cores, memory_bytes=int(gib * _GIB), gpus=gpus)
        for n, (cores, gib) in sizes.items()
    }


_SIZES: dict[str, NodeSize] = {
    **_family("D{}_V2", {1: (1, 3.5), 2: (2, 7), 3: (4, 14), 4: (8, 28), 5: (16, 56)}),
    **_family("D{}_V2", {11: (2, 14), 12: (4, 28), 13: (8, 56), 14: (16, 112)}),
    **_family("DS{}_V2", {1: (1, 3.5), 2: (2, 7), 3: (4, 14), 4: (8, 28), 5: (16, 56)}),
    **_family("DS{}_V2", {11: (2, 14), 12: (4, 28), 13: (8, 56), 14: (16, 112)}),
    **_family("D{}S_V3", {2: (2, 8), 4: (4, 16), 8: (8, 32), 16: (16, 64), 32: (32, 128)}),
    **_family("D{}_V3", {2: (2, 8), 4: (4, 16), 8: (8, 32), 16: (16, 64), 32: (32, 128)}),
    **_family("E{}S_V3", {2: (2, 16), 4: (4, 32), 8: (8, 64), 16: (16, 128), 32: (32, 256)}),
    **_family("E{}DS_V4", {2: (2, 16), 4: (4, 32), 8: (8, 64), 16: (16, 128), 32: (32, 256)}),
    **_family("F{}S_V2", {2: (2, 4), 4: (4, 8), 8: (8, 16), 16: (16, 32), 32: (32, 64)}),
    **_family("NC{}", {6: (6, 56)}, gpus=1),
    **_family("NC{}", {12: (12, 112)}, gpus=2),
    **_family("NC{}", {24: (24, 224)}, gpus=4),
    **_family("NC{}S_V3", {6: (6, 112)}, gpus=1),
    **_family("NC{}S_V3", {12: (12, 224)}, gpus=2),
    **_family("NC{}S_V3", {24: (24, 448)}, gpus=4),
    **_family("NC{}AS_T4_V3", {4: (4, 28), 8: (8, 56), 16: (16, 110)}, gpus=1),
    **_family("NC{}ADS_A100_V4", {24: (24, 220)}, gpus=1),
}
_PREFIX = "STANDARD_"


def node_size(vm_size: str) -> NodeSize | None:
    """Return what a size has; None for one that is not known.

    Parameters
    ----------
    vm_size : str
        As notebooks write it, in any case.

    Examples
    --------
    >>> node_size("Standard_DS3_v2").cores
    4
    >>> node_size("my-own-machine") is None
    True
    """
    return _SIZES.get(vm_size.upper().removeprefix(_PREFIX))


def known_sizes() -> list[dict[str, Any]]:
    """Return the known sizes with the keys of the SDK's list."""
    return [
        {
            "name": f"Standard_{name}",
            "vCPUs": size.cores,
            "memoryGB": size.memory_bytes / _GIB,
            "gpus": size.gpus,
        }
        for name, size in _SIZES.items()
    ]
