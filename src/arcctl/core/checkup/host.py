"""The machine and the account: Python, clock, limits of the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from arcctl.core.checkup.facts import Facts
from arcctl.core.checkup.finding import Finding, State, judged, unknown

OLDEST_PYTHON = (3, 11)
FEW_FILES = 1024
"""The supervisor does not start with fewer, and brokers run out of them."""
FEW_WATCHES, FEW_INSTANCES = 8192, 128
DRIFT = 60.0
"""Seconds by which a file may seem to come from the future."""
ON_WINDOWS_DISK = "/mnt/"


def _python(facts: Facts) -> Iterator[Finding]:
    host = facts.host
    version = ".".join(map(str, host.python))
    old = host.python[:2] < OLDEST_PYTHON
    yield judged(
        "python",
        State.PROBLEM,
        f"{version} at {host.interpreter}",
        wrong=old,
        fix="install Python 3.11 or newer, then make up",
    )


def _clock(facts: Facts) -> Iterator[Finding]:
    now, newest = facts.host.now, facts.home.newest
    shown = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    back = newest - now
    text = f"{shown}, but files of the home were written {back:.0f} s later" if back > DRIFT else shown
    yield judged("clock", State.PROBLEM, text, wrong=back > DRIFT, fix="sudo timedatectl set-ntp true")


def _open_files(facts: Facts) -> Iterator[Finding]:
    if facts.host.open_files is None:
        yield unknown("open-files", "the system does not tell")
        return
    soft, hard = facts.host.open_files
    text = f"{soft} files at once, {hard} at the most"
    bad = State.PROBLEM if hard < FEW_FILES else State.WARN
    yield judged("open-files", bad, text, wrong=soft < FEW_FILES, fix="ulimit -n 65536, then arcctl up")


def _inotify(facts: Facts) -> Iterator[Finding]:
    """Servers that read their files again watch them; watches of a kernel are shared by all containers of a user."""
    watches, instances = facts.host.inotify_watches, facts.host.inotify_instances
    if watches is None or instances is None or not facts.engine.same_kernel:
        yield unknown("inotify", "the engine's kernel does not tell")
        return
    fix = "sudo sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512"
    few = watches < FEW_WATCHES or instances < FEW_INSTANCES
    yield judged("inotify", State.WARN, f"{watches} watches, {instances} instances for a user", wrong=few, fix=fix)


def _overcommit(facts: Facts) -> Iterator[Finding]:
    value = facts.host.overcommit
    if value is None or not facts.engine.same_kernel:
        yield unknown("overcommit", "the engine's kernel does not tell")
        return
    why = "" if value == 1 else ": a server that saves its memory by a fork may fail when memory is short"
    fix = "sudo sysctl -w vm.overcommit_memory=1"
    yield judged("overcommit", State.WARN, f"vm.overcommit_memory is {value}{why}", wrong=value != 1, fix=fix)


def _wsl(facts: Facts) -> Iterator[Finding]:
    if facts.host.wsl:
        slow = facts.home.root.startswith(ON_WINDOWS_DISK)
        text = f"WSL, the home is {'on a disk of Windows, where modes of files do not hold' if slow else 'inside it'}"
        yield judged("wsl", State.WARN, text, wrong=slow, fix="move the home below ~, then arcctl --home ~/arc up")


def _account(facts: Facts) -> Iterator[Finding]:
    host = facts.host
    text = f"runs as {host.user}"
    if host.root and not host.unprivileged:
        text += ", and there is no account `nobody` for servers that refuse root"
    fix = "sudo useradd --system --no-create-home nobody"
    yield judged("account", State.PROBLEM, text, wrong=host.root and not host.unprivileged, fix=fix)


CHECKS = (_python, _account, _clock, _open_files, _inotify, _overcommit, _wsl)
