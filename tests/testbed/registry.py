"""A real container registry on 127.0.0.1, and images of random bytes to put into it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import subprocess
import tarfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import create_server

import httpx
import yaml

from arcctl.model.binaries import GoModule
from tests.testbed.catalogue import ARTIFACTS
from tests.testbed.shell import TestbedError

SOURCE = GoModule(
    name="registry",
    module="github.com/distribution/distribution/v3",
    version="v3.1.2",
    program="registry",
    minutes=2,
    packages=("./cmd/registry",),
)
USER, PASSWORD = "reader", "a-password-of-tests"
_HTPASSWD = f"{USER}:$2b$05$abcdefghijklmnopqrstuueA.5djcjiTIZGfiZPkCs0FT7mnizswe\n"
START_SECONDS = 20


@dataclass(frozen=True)
class Registry:
    """One that answers at `address`, which is HOST:PORT."""

    address: str
    auth: tuple[str, str] | None = None

    def publish(self, reference: str, layers: Iterable[bytes]) -> None:
        """Put an image into it, as REPOSITORY:TAG, that has these layers, each a tar archive."""
        repository, tag = reference.split(":")
        blobs = list(layers)
        rootfs = {"type": "layers", "diff_ids": [_digest(blob) for blob in blobs]}
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}).encode()
        with httpx.Client(base_url=f"http://{self.address}/v2/{repository}/", auth=self.auth) as client:
            manifest = {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": _upload(client, config, "application/vnd.oci.image.config.v1+json"),
                "layers": [_upload(client, blob, "application/vnd.oci.image.layer.v1.tar") for blob in blobs],
            }
            headers = {"Content-Type": str(manifest["mediaType"])}
            client.put(f"manifests/{tag}", content=json.dumps(manifest), headers=headers).raise_for_status()


def _upload(client: httpx.Client, blob: bytes, kind: str) -> dict[str, str | int]:
    """What a manifest says about a blob that the registry has afterwards."""
    begun = client.post("blobs/uploads/").raise_for_status()
    place = begun.request.url.join(begun.headers["Location"]).copy_add_param("digest", _digest(blob))
    client.put(place, content=blob).raise_for_status()
    return {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def layer(megabytes: float) -> bytes:
    """A layer with one file of random bytes, which no engine can have yet."""
    content = random.SystemRandom().randbytes(int(megabytes * 1e6))
    file = tarfile.TarInfo(f"random-{hashlib.sha256(content).hexdigest()[:12]}")
    file.size = len(content)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(file, io.BytesIO(content))
    return archive.getvalue()


@contextlib.contextmanager
def serving(folder: Path, *, login: bool = False) -> Iterator[Registry]:
    """A registry that keeps its images in `folder`; with `login`, nobody but USER can read or write."""
    for line in ARTIFACTS.build(SOURCE):
        print(line)
    with create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": address, "relativeurls": True, "secret": "of tests"},
    }
    if login:
        (folder / "htpasswd").write_text(_HTPASSWD)
        settings["auth"] = {"htpasswd": {"realm": "testbed", "path": str(folder / "htpasswd")}}
    (folder / "registry.yaml").write_text(yaml.safe_dump(settings))
    with (folder / "registry.log").open("w") as log:
        command = (ARTIFACTS.program(SOURCE), "serve", folder / "registry.yaml")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait(address, process, folder / "registry.log")
        yield Registry(address, (USER, PASSWORD) if login else None)
    finally:
        process.kill()
        process.wait()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"http://{address}/v2/")
            return
        time.sleep(0.05)
    raise TestbedError(f"the registry did not start:\n{log.read_text()}")
