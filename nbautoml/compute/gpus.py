"""Graphics cards: which a machine has, and how trials are told theirs.

A node that has some gives Dask that many units of the resource `RESOURCE`; a trial that needs one
asks for a unit, so that it lands there and nowhere else, and no card has two trials.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

RESOURCE = "GPU"
"""Name of the Dask resource; schedulers that others run are to use it, too."""
PROBE_SECONDS = 10.0
"""How long the driver's program may take; a card that hangs is none."""
_MIB = 1 << 20
_QUERY = ("--query-gpu=index,memory.total,name", "--format=csv,noheader,nounits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A graphics card: its number, its memory in bytes and its name."""

    index: int
    memory_bytes: int
    name: str


GpuProbe = Callable[[], tuple[Gpu, ...]]
"""Returns the graphics cards of a machine; `read_nvidia_smi` is the usual one."""


def read_nvidia_smi(program: str = "nvidia-smi") -> tuple[Gpu, ...]:
    """Return the cards that NVIDIA's program tells of; none where it is missing or fails.

    Parameters
    ----------
    program : str, default "nvidia-smi"
        Name or path of the program.
    """
    path = shutil.which(program)
    if path is None:
        return ()
    try:
        found = subprocess.run(
            [path, *_QUERY], capture_output=True, text=True, timeout=PROBE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):  # a driver without a card says so by its code
        return ()
    return parse_nvidia_smi(found.stdout)


def parse_nvidia_smi(text: str) -> tuple[Gpu, ...]:
    r"""Return the cards in a listing of ``index, memory in MiB, name``.

    Examples
    --------
    >>> parse_nvidia_smi("0, 11441, Tesla K80\n1, [N/A], Tesla K80\n")[1].memory_bytes
    0
    """
    cards = []
    for line in text.splitlines():
        index, _, rest = line.partition(",")
        memory, _, name = rest.partition(",")
        if index.strip().isdigit():
            mib = int(memory) if memory.strip().isdigit() else 0
            cards.append(Gpu(index=int(index), memory_bytes=mib * _MIB, name=name.strip()))
    return tuple(cards)


@functools.cache
def machine_gpus(probe: GpuProbe = read_nvidia_smi) -> tuple[Gpu, ...]:
    """Return the graphics cards of this machine; each probe is asked once in a process.

    Parameters
    ----------
    probe : callable, default `read_nvidia_smi`
        Looks for them.
    """
    return probe()
