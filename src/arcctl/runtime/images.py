"""The images of a Docker engine: looked at in one call, pulled, named, carried in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from arcctl.core.stored import Image
from arcctl.runtime import archive, docker


class DockerImages:
    def __init__(self, engine: docker.DockerEngine) -> None:
        self._engine = engine

    def look(self, references: Iterable[str]) -> Mapping[str, Image]:
        """What the engine has of these, in the order in which they are asked for."""
        wanted = tuple(dict.fromkeys(references))
        found = {tag: item for item in self._engine.inspect_images(wanted) for tag in item["RepoTags"] or []}
        return {reference: _image(reference, found[reference]) for reference in wanted if reference in found}

    def pull(self, reference: str) -> Iterator[str]:
        with docker.translated(f"cannot pull {reference}", "check the network, or carry it: arcctl images load FILE"):
            for _, line in _client().image.pull(reference, stream_logs=True) or ():
                yield line.decode(errors="replace").strip()

    def save(self, images: Mapping[str, Image], path: Path) -> None:
        def write(target: Path) -> None:
            with docker.translated("cannot save"):
                _client().image.save(list(images), output=target)

        archive.write(path, images, write)

    def load(self, path: Path) -> Mapping[str, Image]:
        images = archive.check(path)
        with docker.translated("cannot load"):
            _client().image.load(path, quiet=True)
        return images

    def name(self, image_id: str, reference: str) -> None:
        with docker.translated(f"cannot name {reference}"):
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
        double=labels.get("arcctl.standin") == "double",
    )
