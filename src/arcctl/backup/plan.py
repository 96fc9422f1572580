"""Decides what is backed up and what of a backup can be restored."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping

from arcctl.backup.manifest import Kind, Manifest, Part
from arcctl.errors import SettingsError, UsageError
from arcctl.model.env import symbolic
from arcctl.model.graph import resolve, start_order
from arcctl.model.image import STUB
from arcctl.model.service import Catalogue
from arcctl.settings.dotenv import assigned, parse_env
from arcctl.settings.resolve import owned

SETTINGS = "/.env"
"""How the paths of files with settings end."""


def with_data(words: tuple[str, ...], catalogue: Catalogue) -> tuple[str, ...]:
    """The services that keep data of their own, of those that were asked for or of all, in the order of their start.

    Raises UsageError for a named service that keeps none.
    """
    asked, services = resolve(words or ("all",), catalogue), catalogue.services
    keepers = tuple(i for i in start_order(catalogue) if services[i].backup(symbolic(services[i].env)))
    without = [i for i in asked if i in words and i not in keepers]
    if without:
        raise UsageError(f"{', '.join(without)} keeps no data of its own", hint="arcctl backup create")
    return tuple(i for i in keepers if i in asked)


def to_restore(words: tuple[str, ...], manifest: Manifest, catalogue: Catalogue) -> tuple[str, ...]:
    """The services to restore, in the order of their start; those that this project does not have come last.

    Raises UsageError for one that is not in the backup.
    """
    known = [i for i in start_order(catalogue) if i in manifest.services]
    unknown = [i for i in manifest.services if i not in known]
    asked = {*resolve([word for word in words if word not in unknown], catalogue), *words} if words else set()
    missing = [i for i in words if i in asked and i in catalogue.services and i not in known]
    if missing:
        raise UsageError(f"not in this backup: {', '.join(missing)}", hint=f"it has {', '.join((*known, *unknown))}")
    return tuple(i for i in (*known, *unknown) if not words or i in asked)


def machine_settings(catalogue: Catalogue) -> frozenset[str]:
    """The settings that say something of a machine or of its engine: another project does not take them over."""
    return frozenset(name for name, (_, variable) in owned(catalogue).items() if variable.of_machine)


def settings_in(files: Mapping[str, str]) -> dict[str, str]:
    """The settings in the files of a project, which are given by their path in it."""
    parsed = [parse_env(text, path) for path, text in files.items() if path.endswith(SETTINGS)]
    return {name: value for values in parsed for name, value in values.items()}


def with_own(files: Mapping[str, str], own: Mapping[str, str], stay: Collection[str]) -> dict[str, str]:
    """The files of a backup, by path, as a project with its `own` files gets them: the settings `stay` are its own.

    A file that has nothing without them is not written where there was none.
    """
    texts = {path: _with_own(path, text, own.get(path, ""), stay) for path, text in files.items()}
    return {path: text for path, text in texts.items() if text or path in own or not files[path]}


def _with_own(path: str, text: str, own: str, stay: Collection[str]) -> str:
    if not path.endswith(SETTINGS):
        return text
    theirs, ours = parse_env(text, path), _own_settings(own, path)
    for name in sorted(stay):
        if theirs.get(name) != ours.get(name):
            text = assigned(text, name, ours.get(name))
    return text


def _own_settings(own: str, path: str) -> dict[str, str]:
    """Of a file of the project; one that cannot be read is replaced as a whole."""
    try:
        return parse_env(own, path)
    except SettingsError:
        return {}


def secrets_id(secrets: Mapping[str, str], names: tuple[str, ...]) -> str:
    """One hash of these secrets together, so that none can be guessed from it."""
    text = "".join(f"{name}={secrets.get(name, '')}\n" for name in names)
    return hashlib.sha256(f"arcctl backup\n{text}".encode()).hexdigest()


def server(image: str, version: str, *, stub: bool) -> str:
    """The server that can read a volume: its version where the engine knows it, else its image."""
    return (version or image) + (f" {STUB}" if stub else "")


def obstacle(part: Part, manifest: Manifest, engine: str, present: str) -> str:
    """Why a part cannot be restored into the server `present` (empty while there is none); empty where it can.

    A dump goes into any server. A volume goes into the same server on the same engine, of the same major version, not
    older. Nothing speaks against a volume of an unknown server: it was copied while there was none.
    """
    if part.kind is not Kind.FOLDER:
        return ""
    if manifest.engine != engine:
        return f"its volume was copied on the {manifest.engine} engine, and this project runs on {engine}"
    if not (part.server and present) or part.server == present:
        return ""
    then, now = _version(part.server), _version(present)
    if then[0] == now[0] and then[1][:1] == now[1][:1] and then[1] <= now[1]:
        return ""
    return f"its volume was copied from {part.server}, which {present} cannot read"


def _version(text: str) -> tuple[str, tuple[int, ...]]:
    """The product, and its version as numbers."""
    found = re.search(r"\d+(?:\.\d+)*", text.rpartition("/")[2])
    if not found:
        return text, ()
    product = text[: text.index(found[0])] + (STUB if text.endswith(STUB) else "")
    return product, tuple(map(int, found[0].split(".")))
