"""A process that must not outlive another holds the reading end of its pipe.

When the other process dies, in whatever way, the kernel closes the writing end, and with it
ends the whole process group of the holder. On Linux the kernel itself sends the SIGKILL
(``F_SETSIG`` with ``O_ASYNC``), so that native code that holds the interpreter lock does not
delay it. ``PR_SET_PDEATHSIG`` does not do: it watches the parent, which here is the process
that children are forked from and not the worker. Elsewhere a thread waits for the end of file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import sys
import threading


def hold(read_end: int) -> None:
    """Tie the life of this process's group to the writing end of a pipe.

    Nothing may ever be written to the pipe.

    Parameters
    ----------
    read_end : int
        File descriptor; stays open until the process ends.
    """
    if sys.platform == "linux":
        fcntl.fcntl(read_end, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(read_end, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(read_end, fcntl.F_GETFL)
        fcntl.fcntl(read_end, fcntl.F_SETFL, flags | os.O_ASYNC)
        # The other process may have died before the signal was asked for.
        if select.select([read_end], [], [], 0)[0]:
            end_group(os.getpgrp())
    else:
        threading.Thread(target=_wait, args=(read_end,), daemon=True).start()


def end_group(group: int) -> None:
    """Send SIGKILL to a process group; one that has ended already is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def end_process(pid: int) -> None:
    """Send SIGKILL to one process; one that has ended already is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _wait(read_end: int) -> None:
    os.read(read_end, 1)
    end_group(os.getpgrp())
