"""The images of a Docker engine: inspected in one call, pulled, tagged, saved to and loaded from a file.

The file is what `docker save` writes, followed by a list of the images and the hash of each part. `docker load`
accepts it too: it ignores files that it does not know.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from arcctl.engines.base import PullProgress
from arcctl.engines.docker import pulling
from arcctl.engines.docker.refusals import translated
from arcctl.errors import ArcError, ArchiveError
from arcctl.model.image import Image
from arcctl.settings import files


class DockerImages:
    def __init__(self, inspect: Callable[[Iterable[str]], list[dict[str, Any]]]) -> None:
        self._inspect = inspect

    def look(self, references: Iterable[str]) -> Mapping[str, Image]:
        wanted = tuple(dict.fromkeys(references))
        found = {tag: item for item in self._inspect(wanted) for tag in item["RepoTags"] or []}
        return {reference: _image(reference, found[reference]) for reference in wanted if reference in found}

    def pull(self, references: Iterable[str]) -> AsyncGenerator[PullProgress, None]:
        return pulling.pull(references)

    def save(self, images: Mapping[str, Image], path: Path) -> None:
        def write(target: Path) -> None:
            with translated("cannot save"):
                _client().image.save(list(images), output=target)

        write_archive(path, images, write)

    def load(self, path: Path) -> Mapping[str, Image]:
        images = read_archive(path)
        with translated("cannot load"):
            _client().image.load(path, quiet=True)
        return images

    def name(self, image_id: str, reference: str) -> None:
        with translated(f"cannot tag {reference}"):
            _client().image.tag(image_id, reference)


def _client() -> Any:
    from python_on_whales import DockerClient

    return DockerClient()


def _image(reference: str, item: Mapping[str, Any]) -> Image:
    labels = (item.get("Config") or {}).get("Labels") or {}
    return Image(
        reference=reference,
        id=item["Id"],
        digests=tuple(sorted(item.get("RepoDigests") or ())),
        size=item.get("Size", 0),
        stub=labels.get("arcctl.standin") == "stub",
    )


LIST = "arcctl-json"
SCHEMA = "arcctl.images/v1"
CHUNK = 1 << 20


def write_archive(path: Path, images: Mapping[str, Image], save: Callable[[Path], None]) -> None:
    """Write an archive; where `save` fails, nothing is left."""
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


def read_archive(path: Path) -> dict[str, Image]:
    """The images that the list names. Raises ArchiveError where a part of the file has another hash than it says."""
    with files.readable(path):
        try:
            document = _list(path)
            damaged = sorted(_differences(document.pop("sha256"), _hashes(path)))
            images = [Image(**{**item, "digests": tuple(item["digests"])}) for item in document["images"]]
        except ArcError:
            raise
        except (tarfile.TarError, KeyError, ValueError, TypeError, AttributeError, EOFError):
            raise ArchiveError(
                f"{path} is not an archive of `arcctl images save`, or is incomplete", hint=_AGAIN
            ) from None
    if damaged:
        raise ArchiveError(f"{path} is damaged: {damaged[0]} is not what was saved", hint=_AGAIN)
    return {image.reference: image for image in images}


_AGAIN = "save it again on the machine that has the images: arcctl images save FILE"


def _list(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as archive:
        stream = archive.extractfile(LIST)
        document: dict[str, Any] = json.load(stream) if stream else {}
    if document["schema"] != SCHEMA:
        raise ArchiveError(f"{path} was saved by another version of arcctl", hint=_AGAIN)
    return document


def _hashes(path: Path) -> dict[str, str]:
    """SHA-256 of each file in the archive except the list, by its name."""
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
