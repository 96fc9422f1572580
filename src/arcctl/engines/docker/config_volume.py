"""Config files for an engine that shares no files with this machine: each component gets them in a volume of its own.

A volume is filled through a container that is created and never started, and replaced whole, so that no file stays that
is gone here.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from arcctl.model.service import volume_name
from arcctl.render.compose import CONFIG, CONFIG_VOLUME
from arcctl.settings.files import SHARED, SHARED_FOLDER, readable

FOLDER = "arcctl"
"""Where the container that fills them has the volumes, each below the key of its component."""
_USER_SETTINGS = ".env"


def volumes(keys: Iterable[str], project: str) -> dict[str, str]:
    """The volume of each of these components, by its key."""
    return {key: f"{project}_{volume_name(key, CONFIG)}" for key in keys}


def mounts(keys: Iterable[str], project: str) -> Iterator[str]:
    """The options of `docker container create` that make them, labelled as Compose does."""
    for key, name in volumes(keys, project).items():
        labels = {
            "com.docker.compose.project": project,
            "com.docker.compose.volume": volume_name(key, CONFIG),
            CONFIG_VOLUME: key,
        }
        options = ",".join(f"volume-label={label}={value}" for label, value in labels.items())
        yield from ("--mount", f"type=volume,source={name},target=/{FOLDER}/{key},volume-nocopy=true,{options}")


@contextmanager
def archive(paths: Mapping[str, Iterable[str]], config: Path) -> Iterator[BinaryIO]:
    """What is mounted of `config/` by each component, as a tar file that everybody in a container can read."""
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w") as tar, readable(config):
            for key, names in paths.items():
                for name in sorted(set(names)):
                    _add(tar, config / name, f"{FOLDER}/{key}/{name}")
        file.seek(0)
        yield file


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """A file, or a folder with all that is in it but the settings of a user. Links become what they point to."""
    member = tarfile.TarInfo(name)
    if path.is_dir():
        member.type, member.mode = tarfile.DIRTYPE, SHARED_FOLDER
        tar.addfile(member)
        for inside in sorted(path.iterdir()):
            if inside.name != _USER_SETTINGS and inside.exists():  # editors leave broken links
                _add(tar, inside, f"{name}/{inside.name}")
        return
    content = path.read_bytes()
    member.mode, member.size = SHARED, len(content)
    tar.addfile(member, io.BytesIO(content))
