"""An engine on a machine of its own, as far as a client can tell: its network and its files are its own, it listens on
TCP with TLS, and it has the images of the first engine that a test needs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zlib import crc32

from tests.testbed import engine
from tests.testbed.places import ENGINE, docker_host
from tests.testbed.rootfs import ensure_engine_root
from tests.testbed.shell import output, run

PORT = 2376
_NETWORK = f"10.213.{crc32(ENGINE.encode()) % 256}"
HERE, THERE = f"{_NETWORK}.1", f"{_NETWORK}.2"
_PREFIX = "24"
_DAYS = "2"


@contextlib.contextmanager
def elsewhere(images: Sequence[str], host: str = docker_host()) -> Iterator[dict[str, str]]:
    """The variables with which `docker` talks to it."""
    root = ensure_engine_root()
    with tempfile.TemporaryDirectory(prefix="elsewhere-", dir=root / "var") as name:
        folder, inside = Path(name), f"/var/{Path(name).name}"
        certificates(folder)
        options = f"-H tcp://{THERE}:{PORT} -H unix:///run/docker.sock --tlsverify --tlscacert {inside}/ca.pem"
        options += f" --tlscert {inside}/server.pem --tlskey {inside}/server-key.pem --pidfile {inside}/docker.pid"
        options += f" --exec-root {inside}/run --data-root {inside}/data --storage-driver overlay2"
        client = {
            "DOCKER_HOST": f"tcp://{THERE}:{PORT}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(folder / "client"),
        }
        with network() as namespace:
            process = engine.launch(root, [], options, namespace)
            try:
                engine.wait_until_up(process.pid, client["DOCKER_HOST"], client)
                copy_images(images, host, client)
                yield client
            finally:
                end(process, client)


def end(process: subprocess.Popen[bytes], client: dict[str, str]) -> None:
    """Without its containers, whose processes would outlive it."""
    ids = subprocess.run(
        ("docker", "ps", "--all", "--quiet"), env={**os.environ, **client}, capture_output=True, text=True, check=False
    ).stdout.split()
    if ids:
        run(["docker", "rm", "--force", "--volumes", *ids], env=client)
    process.terminate()
    process.wait(engine.STOP_SECONDS)


@contextlib.contextmanager
def network() -> Iterator[str]:
    """The name of a network namespace that this one reaches at `THERE`, and nothing else does."""
    name, ours, theirs = f"arc-{ENGINE}", f"arc-{ENGINE}", "uplink"
    clear(name)
    run(["ip", "netns", "add", name])
    try:
        run(["ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name])
        run(["ip", "address", "add", f"{HERE}/{_PREFIX}", "dev", ours])
        run(["ip", "link", "set", ours, "up"])
        for words in (
            ("address", "add", f"{THERE}/{_PREFIX}", "dev", theirs),
            ("link", "set", theirs, "up"),
            ("link", "set", "lo", "up"),
            ("route", "add", "default", "via", HERE),
        ):
            run(["ip", "-n", name, *words])
        yield name
    finally:
        run(["ip", "netns", "delete", name])


def clear(name: str) -> None:
    """Remove the namespace that a killed run left, its engine, and what that ran."""
    outer = [int(pid) for pid in (output(["ip", "netns", "pids", name]) or "").split()]
    inner = [pid for pid in engine.pids() if engine.parent(pid) in outer and pid not in outer]
    for pid in (*outer, *inner):
        engine.end(pid, signal.SIGKILL)
    output(["ip", "netns", "delete", name])


def certificates(folder: Path) -> None:
    """Of an authority, a server and a client; and of a stranger, a client that another authority vouches for."""
    for name in ("client", "stranger"):
        (folder / name).mkdir()
    for name in ("ca", "other"):
        _new_key(folder / f"{name}-key.pem", folder / f"{name}.pem", "-x509", "-days", _DAYS)
    _signed(folder, "server-key", "server", "ca", f"subjectAltName=IP:{THERE}")
    _signed(folder, "client/key", "client/cert", "ca", "extendedKeyUsage=clientAuth")
    _signed(folder, "stranger/key", "stranger/cert", "other", "extendedKeyUsage=clientAuth")
    for name in ("client", "stranger"):
        shutil.copy(folder / "ca.pem", folder / name)


def _new_key(key: Path, out: Path, *words: str) -> None:
    new = ("-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={out.stem}", "-keyout", key, "-out", out)
    run(["openssl", "req", *new, *words])


def _signed(folder: Path, key: str, name: str, authority: str, extension: str) -> None:
    ca, asked, extensions = folder / authority, folder / "asked.pem", folder / "extensions"
    extensions.write_text(f"{extension}\n")
    _new_key(folder / f"{key}.pem", asked)
    by = ("-CA", f"{ca}.pem", "-CAkey", f"{ca}-key.pem", "-CAcreateserial", "-extfile", extensions)
    run(["openssl", "x509", "-req", "-in", asked, "-days", _DAYS, *by, "-out", folder / f"{name}.pem"])


def copy_images(references: Sequence[str], host: str, client: Mapping[str, str]) -> None:
    with tempfile.TemporaryFile() as file:
        subprocess.run(("docker", "--host", host, "save", *references), stdout=file, check=True)
        file.seek(0)
        subprocess.run(("docker", "load", "--quiet"), env={**os.environ, **client}, stdin=file, check=True)
