"""A backup with valid hashes and invalid content: the service keeps its old data."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pyrage
import pytest

from tests.e2e.clients import redis_client
from tests.e2e.driver import Platform


def _backup(platform: Platform, *words: str) -> str:
    return platform.arcctl("backup", "create", *words).ok().out.strip()


def _forged(platform: Platform, folder: Path, content: bytes) -> tuple[str, str]:
    """A backup of Redis with valid hashes and this content; and the file with its key."""
    identity = pyrage.x25519.Identity.generate()
    (folder / "key").write_text(str(identity))
    name = _backup(platform, "redis", "--to", str(folder), "--recipient", str(identity.to_public()))
    part, manifest = Path(name) / "redis-0.age", Path(name) / "manifest.json"
    part.write_bytes(pyrage.encrypt(gzip.compress(content), [identity.to_public()]))
    document = json.loads(manifest.read_text())
    document["parts"][0]["sha256"] = hashlib.sha256(part.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(document))
    return name, str(folder / "key")


def _tar(name: str, text: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return made.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"not a tar", _tar("appendonlydir", b"a file where a folder should be")],
    ids=["cannot be unpacked", "does not start"],
)
def test_a_service_that_cannot_be_restored_keeps_its_old_data(local: Platform, tmp_path: Path, content: bytes) -> None:
    local.arcctl("up", "redis").ok()
    with redis_client(local) as client:
        client.set("name", "old")
    name, key = _forged(local, tmp_path, content)
    done = local.arcctl("backup", "restore", name, "--yes", "--key", key)
    assert done.code == 1
    assert "not restored: redis: " in done.err
    assert "Traceback" not in done.err
    with redis_client(local) as client:
        assert client.get("name") == "old"
    assert local.service("redis")["status"] == "healthy"
