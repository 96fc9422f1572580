"""`python -m tests.testbed.arm64`: the light services on an emulated ARM processor, in a Debian of its own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.platforms import MACHINES
from tests.testbed.installers import LOCK, PINNED, build_wheel
from tests.testbed.places import cache
from tests.testbed.rootfs import bootstrap
from tests.testbed.shell import TestbedError, run, say

RELEASE, PYTHON = "bookworm", "3.11"
PACKAGES = (
    "base-files", "coreutils", "dash", "findutils", "grep", "libc-bin", "libstdc++6", "procps", "python3-venv", "sed",
)  # fmt: skip
USERS = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"
GROUPS = "root:x:0:\nnogroup:x:65534:\n"
EMULATOR = "qemu-aarch64-static"
ONLY_THERE = ("async-timeout",)
"""What an older Python needs than the one that downloads."""

REGISTRY = Path("/proc/sys/fs/binfmt_misc")
NAME = "arcctl-arm64"
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"


@contextlib.contextmanager
def emulated() -> Iterator[None]:
    """While the kernel starts ARM programs in an emulator, which it opens now: the root has none."""
    mounted = (REGISTRY / "register").exists()
    if not mounted:
        run(("mount", "-t", "binfmt_misc", "binfmt_misc", REGISTRY))
    try:
        if not (REGISTRY / NAME).exists():
            (REGISTRY / "register").write_text(f":{NAME}:M::{_MAGIC}:{_MASK}:{shutil.which(EMULATOR)}:OCF")
        yield
    finally:
        if (REGISTRY / NAME).exists():
            (REGISTRY / NAME).write_text("-1")
        if not mounted:
            run(("umount", REGISTRY))


def ensure_emulator() -> None:
    if shutil.which(EMULATOR) is None:
        say("installing the emulator")
        run(("apt-get", "update"))
        run(("apt-get", "install", "-y", "qemu-user-static"), env={"DEBIAN_FRONTEND": "noninteractive"})


def ensure_root() -> Path:
    """A Debian for ARM with all that arcctl needs; created once for each lock file."""
    key = hashlib.sha256(f"{RELEASE} {PACKAGES} {USERS}".encode() + LOCK.read_bytes()).hexdigest()[:12]
    root = cache() / f"arm64-{key}"
    if not root.is_dir():
        draft = root.with_name(f"{root.name}.{os.getpid()}")
        try:
            _unpack(draft)
            _install(draft)
            draft.rename(root)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        for old in cache().glob("arm64-*"):
            if old != root:
                shutil.rmtree(old, ignore_errors=True)
    return root


def _unpack(root: Path) -> None:
    """The packages are not configured: that needs no emulation, and Python runs without."""
    say(f"creating a root file system for ARM ({RELEASE}, about a minute)")
    merged = "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr"
    bootstrap(PACKAGES, root, "--architectures=arm64", merged, release=RELEASE, variant="extract")
    for name, text in (("passwd", USERS), ("group", GROUPS), ("hosts", "127.0.0.1 localhost\n")):
        (root / "etc" / name).write_text(text)


def _install(root: Path) -> None:
    """Pip of this environment downloads the wheels, so the root needs no network."""
    say("installing what arcctl needs, emulated (some minutes)")
    machine = next(found for found in MACHINES if found.marker["platform_machine"] == "aarch64")
    (wheels := root / "opt" / "wheels").mkdir(parents=True)
    (pins := root / "opt" / "pins.txt").write_text("\n".join(PINNED.findall(LOCK.read_text())))
    own = build_wheel(wheels)
    platforms = [word for tag in machine.tags for word in ("--platform", tag)]
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", wheels)
    there = ("--only-binary", ":all:", "--python-version", PYTHON, *platforms)
    run((*pip, *there, "--constraint", pins, f"{own}[embedded]", *ONLY_THERE))
    own.unlink()
    run((*_inside(root), "python3", "-m", "venv", "/opt/venv"))
    found = sorted(f"/opt/wheels/{path.name}" for path in wheels.glob("*.whl"))
    run((*_inside(root), *PIP, "--no-compile", *found))
    shutil.rmtree(wheels)


def _inside(root: Path) -> tuple[str | Path, ...]:
    return ("chroot", root, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")


PIP = ("/opt/venv/bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps")


def test(root: Path) -> int:
    """Install this checkout in a temporary overlay of the root, and bring the services up there; the exit code."""
    enter, layer = Path(__file__).with_name("enter_arm64.sh"), Path(tempfile.mkdtemp(prefix="arc-arm64-"))
    try:
        (layer / "wheel").mkdir()
        build_wheel(layer / "wheel")
        return subprocess.call(("unshare", "--mount", "--net", "--pid", "--fork", "sh", enter, root, layer))
    finally:
        shutil.rmtree(layer, ignore_errors=True)


def main() -> None:
    if os.geteuid() != 0:
        say("skipped the tests on ARM: only root can create the root file system for them")
        sys.exit(1 if "CI" in os.environ else 0)
    try:
        ensure_emulator()
        with emulated():
            sys.exit(test(ensure_root()))
    except TestbedError as problem:
        raise SystemExit(f"testbed: {problem}") from None


if __name__ == "__main__":
    main()
