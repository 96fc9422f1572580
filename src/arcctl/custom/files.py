"""The files of custom services, `services/<name>.yaml`, and the files that are rendered from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from arcctl import services
from arcctl.custom.declare import catalogue
from arcctl.custom.schema import CustomService, read
from arcctl.model.service import Catalogue
from arcctl.render import files as rendering
from arcctl.render.compose import dump
from arcctl.settings.directory import ProjectDirectory
from arcctl.settings.location import custom_file, custom_names
from arcctl.settings.text import parse_yaml, read_text


def load(directory: Path) -> dict[str, CustomService]:
    """All of them by name, checked.

    Raises SettingsError with the file, the field and what is wrong with it.
    """
    return {name: read(name, _document(directory, custom_file(name))) for name in custom_names(directory)}


def load_catalogue(directory: Path) -> Catalogue:
    """The built-in and the custom services of a project.

    Raises SettingsError as `load` does, and where files conflict.
    """
    return catalogue(load(directory))


def render(
    directory: ProjectDirectory,
    before: Catalogue,
    after: Catalogue,
    more: Mapping[PurePosixPath, str] = MappingProxyType({}),
) -> None:
    """Bring the rendered files of a project from one catalogue to another; `more` is written, or not, with them."""
    directory.write({**more, **rendering.difference(rendering.run(before, dump), rendering.run(after, dump))})


def refresh(directory: ProjectDirectory) -> None:
    """Render the custom services again: their files may have been edited since."""
    if custom_names(directory.root):
        render(directory, services.load(), load_catalogue(directory.root))


def _document(directory: Path, file: str) -> object:
    return parse_yaml(read_text(directory / file), file)
