"""Images in one file: what `docker save` writes, with a list of what is in it and the hash of each part behind it.

`docker load` takes the file too, because it ignores what it does not know.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from arcctl.core.stored import Image
from arcctl.errors import ArcError, ArchiveError
from arcctl.runtime import files

LIST = "arcctl-images.json"
SCHEMA = "arcctl.images/v1"
CHUNK = 1 << 20


def write(path: Path, images: Mapping[str, Image], save: Callable[[Path], None]) -> None:
    """The file is there when it is whole, or not at all."""
    part = path.with_name(f".{path.name}.part")
    with files.readable(path):
        try:
            save(part)
            document = {
                "schema": SCHEMA,
                "arcctl": version("arcctl"),
                "images": [asdict(image) for image in images.values()],
                "sha256": _hashes(part),
            }
            _append(part, json.dumps(document, indent=1).encode())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def check(path: Path) -> dict[str, Image]:
    """What the list says is in the file.

    Raises ArchiveError where the file is not what the list says.
    """
    with files.readable(path):
        try:
            document = _list(path)
            damaged = sorted(_differences(document.pop("sha256"), _hashes(path)))
            images = [Image(**{**item, "digests": tuple(item["digests"])}) for item in document["images"]]
        except ArcError:
            raise
        except (tarfile.TarError, KeyError, ValueError, TypeError, AttributeError, EOFError):
            raise ArchiveError(f"{path} is no archive of `arcctl images save`, or is cut short", hint=_AGAIN) from None
    if damaged:
        raise ArchiveError(f"{path} is damaged: {damaged[0]} is not what was saved", hint=_AGAIN)
    return {image.reference: image for image in images}


_AGAIN = "make it again where the images are: arcctl images save FILE"


def _list(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as archive:
        stream = archive.extractfile(LIST)
        document: dict[str, Any] = json.load(stream) if stream else {}
    if document["schema"] != SCHEMA:
        raise ArchiveError(f"{path} was made by another version of arcctl", hint=_AGAIN)
    return document


def _hashes(path: Path) -> dict[str, str]:
    """The hash of each file in the archive but the list, by its name."""
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream and member.name != LIST:
                found[member.name] = _hash(stream)
    return found


def _hash(stream: IO[bytes]) -> str:
    state = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        state.update(chunk)
    return state.hexdigest()


def _append(path: Path, text: bytes) -> None:
    with tarfile.open(path, "a") as archive:
        member = tarfile.TarInfo(LIST)
        member.size, member.mode = len(text), 0o644
        archive.addfile(member, io.BytesIO(text))


def _differences(said: Mapping[str, str], found: Mapping[str, str]) -> set[str]:
    return {name for name in {*said, *found} if said.get(name) != found.get(name)}
