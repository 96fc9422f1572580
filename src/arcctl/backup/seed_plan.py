"""Decides what of another project's data and settings a new project gets, and from where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from arcctl.backup.manifest import Entry, Kind, Manifest
from arcctl.backup.plan import machine_settings
from arcctl.model.service import Catalogue
from arcctl.settings.resolve import ENVIRONMENT, Source, owned

PORT = "_PORT"
"""How the settings end that a project does not take from another one beside it."""
SINGLE = "its data remembers where it is stored, so it is of use in its own project only"


@dataclass(frozen=True)
class Inherited:
    """What data was written with."""

    secrets: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, Mapping[str, str]] = field(repr=False)
    """The settings in the file of each service, but for ports and for what says something of the machine.

    Secrets that were set by hand are among them.
    """

    @property
    def values(self) -> dict[str, str]:
        return {**self.secrets, **{name: value for each in self.settings.values() for name, value in each.items()}}


def inherited(secrets: Mapping[str, str], files: Mapping[str, Mapping[str, str]], catalogue: Catalogue) -> Inherited:
    """Of the generated secrets and the settings files of a project; settings that are not known here stay behind."""
    stay = machine_settings(catalogue)
    owners = {n: owner for n, (owner, _) in owned(catalogue).items() if n not in stay and not n.endswith(PORT)}
    settings = {
        service: {name: value for name, value in values.items() if owners.get(name) == service}
        for service, values in files.items()
    }
    return Inherited(dict(secrets), {service: values for service, values in settings.items() if values})


def conflicts(found: Inherited, sources: Iterable[Source], catalogue: Catalogue) -> tuple[str, ...]:
    """The secrets that this project sets by hand to other values than those that the data was written with."""
    secret = {name for name, (_, variable) in owned(catalogue).items() if variable.secret}
    by_hand = [source for source in sources if source.owner or source.origin == ENVIRONMENT]
    return tuple(
        f"{name} in {'the environment' if source.origin == ENVIRONMENT else source.origin}"
        for name, value in found.values.items()
        for source in by_hand
        if name in secret and source.values.get(name, value) != value
    )


def by_preference(entries: Iterable[Entry], with_data: Collection[str]) -> list[Entry]:
    """Backups that can be used: those with most of the services that have data come first, of these the newest."""

    def rank(entry: Entry) -> tuple[int, bool, str]:
        assert entry.manifest is not None
        return len(set(entry.manifest.services) & set(with_data)), not entry.manifest.missing, entry.name

    return sorted((e for e in entries if e.manifest and not e.problem), key=rank, reverse=True)


def contents(service: str, manifest: Manifest) -> str:
    """What a backup has of a service, for a person."""
    kind = "databases" if any(part.kind is Kind.DATABASE for part in manifest.of(service)) else "volumes"
    return f"{kind} {manifest.contents(service)}"


def bound(service: str, catalogue: Catalogue, *, local: bool) -> str:
    """Why the files of a service are of no use in another project; empty where they are."""
    declared = catalogue.services.get(service)
    return SINGLE if local and declared and declared.process and declared.process.single_instance else ""
