"""A second engine in another network namespace, so that two platforms can use the same ports."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import sys
from collections.abc import Sequence
from typing import NoReturn

from tests.testbed.images import docker
from tests.testbed.places import ENGINES, cache, engine_root
from tests.testbed.shell import output, run, say

SET_INTERFACE_FLAGS = 0x8914
"""SIOCSIFFLAGS of <linux/sockios.h>."""
INTERFACE_UP = 1


def copy_first() -> None:
    """Copy the images of the first engine, which is stopped, to the second, unless it has them."""
    first, second = map(engine_root, ENGINES)
    stamp = cache() / f"{ENGINES[1]}.images"
    wanted = (cache() / f"{ENGINES[0]}.images").read_text()
    if second.is_dir() and stamp.is_file() and stamp.read_text() == wanted:
        return
    say("copying the images for the second engine")
    stamp.unlink(missing_ok=True)
    shutil.rmtree(second, ignore_errors=True)
    run(["cp", "--archive", "--reflink=auto", first, second])
    stamp.write_text(wanted)


def note_images() -> None:
    """Write the ids of the images of the running engine to a file."""
    ids = output(docker("image", "ls", "--all", "--quiet", "--no-trunc")) or ""
    (cache() / f"{ENGINES[0]}.images").write_text("\n".join(sorted(set(ids.split()))))


def possible() -> bool:
    """Whether this machine lets us make a network namespace."""
    return shutil.which("unshare") is not None and os.geteuid() == 0


def enter(command: Sequence[str]) -> NoReturn:
    """Execute a command in a new network namespace, with the second engine."""
    again = (sys.executable, "-m", "tests.testbed", "inside", "--", *command)
    os.environ["ARCCTL_TESTBED_ENGINE"] = ENGINES[1]
    os.execvp("unshare", ("unshare", "--net", *again))


def inside(command: Sequence[str]) -> NoReturn:
    """Enable the loopback interface of the new namespace and execute the command."""
    with socket.socket() as request:
        fcntl.ioctl(request, SET_INTERFACE_FLAGS, struct.pack("16sh", b"lo", INTERFACE_UP))
    os.execvp(command[0], list(command))
