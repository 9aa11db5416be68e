"""Becomes a component that cannot outlive its supervisor: `launcher.py SUPERVISOR_PID COMMAND…`.

A script of its own because code between fork and exec of a threaded process is not safe in Python.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(supervisor: int, command: list[str]) -> None:
    """Asks the kernel for SIGTERM at the supervisor's death, then turns into the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:  # it died before the request was placed
        sys.exit("the supervisor is gone")
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
