"""Where each value comes from: sources in order of precedence, merged and checked for all services at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from arcctl.errors import SettingsError
from arcctl.model.env import HINT, ServiceEnv, Variable, is_placeholder, is_url_safe, load, unknown, variables
from arcctl.model.names import IMAGES, PORTS, PROJECT, PROJECT_NAME
from arcctl.model.service import Catalogue
from arcctl.settings import bind_address, image_registry
from arcctl.settings.image_tags import is_tag, prefix, tag_settings

DEFAULT = "default"
ENVIRONMENT = "environment"
_PREFIXES = {IMAGES: image_registry.PREFIX, PORTS: bind_address.PREFIX}
"""How the names of settings begin that belong to no service, by their owner."""


@dataclass(frozen=True)
class Source:
    """One place that values come from: its name as the user knows it, and what it says."""

    origin: str
    values: Mapping[str, str]
    owner: str = ""
    """The service whose file this is, `images` or `ports`; empty for places that may set anything."""


@dataclass(frozen=True)
class Value:
    service: str
    variable: Variable
    text: str | None
    origin: str

    @property
    def shown(self) -> str:
        """The value as it may be printed."""
        if not self.text:
            return "(not set)"
        return "********" if self.variable.secret else self.text


@dataclass(frozen=True)
class Settings:
    """Every setting of every service with its origin, and one checked model per service."""

    values: Mapping[str, Value]
    envs: Mapping[str, ServiceEnv]
    project: str = PROJECT

    def mapping(self) -> dict[str, str]:
        """All values that are set, and the name of the project, by variable name, for Compose.

        Without those that servers issue.
        """
        own = {name: value for name, value in self.values.items() if not value.variable.server_issued}
        texts = {name: value.text for name, value in own.items() if value.text is not None}
        return {PROJECT_NAME: self.project, **texts}


def owners(catalogue: Catalogue) -> tuple[str, ...]:
    """What has settings of its own: every service, the images together, and the published ports together."""
    return (*catalogue.services, *_PREFIXES)


def prefix_of(owner: str, catalogue: Catalogue) -> str:
    """How the names of the owner's settings begin."""
    return _PREFIXES.get(owner) or prefix(catalogue.services[owner])


def owned(catalogue: Catalogue) -> dict[str, tuple[str, Variable]]:
    """Each variable with its owner."""
    found: dict[str, tuple[str, Variable]] = {}
    for service_id, service in catalogue.services.items():
        found |= {v.name: (service_id, v) for v in variables(service.env) if not v.shared}
    tags = {s.name: (s.service, s.variable) for s in tag_settings(catalogue).values()}
    registry, address = (IMAGES, image_registry.VARIABLE), (PORTS, bind_address.VARIABLE)
    return {**found, **tags, image_registry.NAME: registry, bind_address.NAME: address}


def resolve(catalogue: Catalogue, sources: Iterable[Source], *, insecure_demo: bool = False) -> Settings:
    """Merge `sources`, the strongest first, over the defaults of the models.

    Raises SettingsError for unknown names, values that do not fit, and secrets that everybody knows.
    """
    sources = tuple(sources)
    names = owned(catalogue)
    _refuse_unknown(catalogue, sources)
    values = {name: _value(name, owner, variable, sources) for name, (owner, variable) in names.items()}
    _refuse_unsafe(values)
    _refuse_odd_tags(catalogue, values)
    refuse_odd_registry(values[image_registry.NAME])
    refuse_odd_address(values[bind_address.NAME].text or "")
    if not insecure_demo:
        _refuse_placeholders(values)
    project = next((source.values[PROJECT_NAME] for source in sources if PROJECT_NAME in source.values), PROJECT)
    texts = {PROJECT_NAME: project, **{name: v.text for name, v in values.items() if v.text is not None}}
    return Settings(values, {i: _model(s.env, texts) for i, s in catalogue.services.items()}, project)


def _model(env: type[ServiceEnv], texts: Mapping[str, str]) -> ServiceEnv:
    return load(env, texts)


def lookup(catalogue: Catalogue, name: str, sources: Iterable[Source]) -> Value:
    """One setting as the first source that knows it says; nothing is checked."""
    owner, variable = owned(catalogue)[name]
    return _value(name, owner, variable, tuple(sources))


def check(catalogue: Catalogue, values: Mapping[str, Mapping[str, str]], *, insecure_demo: bool = False) -> None:
    """Raises SettingsError where one of these values, by owner, is not valid, whatever all others are."""
    given = (Source(f"config/{owner}/.env", own, owner) for owner, own in values.items())
    resolve(catalogue, (*given, any_secrets(catalogue)), insecure_demo=insecure_demo)


def any_secrets(catalogue: Catalogue) -> Source:
    """Valid secrets for checks of other settings, in the place of those that are not generated yet."""
    missing = missing_secrets(catalogue, {})
    return Source("", {n: ("0123456789abcdef" * 8)[: int((v.generate or {})["length"])] for n, v in missing.items()})


def _value(name: str, owner: str, variable: Variable, sources: tuple[Source, ...]) -> Value:
    for source in sources:
        if name in source.values:
            return Value(owner, variable, source.values[name], source.origin)
    return Value(owner, variable, variable.default, DEFAULT)


def _refuse_unknown(catalogue: Catalogue, sources: tuple[Source, ...]) -> None:
    """The file of a service may only hold settings of that service."""
    problems: list[str] = []
    own = owned(catalogue)
    for source in sources:
        if source.owner:
            known = {name for name, (owner, _) in own.items() if owner == source.owner}
            if source.owner in catalogue.services:
                known |= {v.name for v in variables(catalogue.services[source.owner].env)}
            problems += [f"{source.origin}: {text}" for text in unknown(source.values, known)]
    if problems:
        raise SettingsError("; ".join(problems), hint=HINT)


def _refuse_unsafe(values: Mapping[str, Value]) -> None:
    """Secrets travel in URLs and files of many formats, so they keep to characters that mean nothing anywhere."""
    odd = [n for n, v in values.items() if v.variable.secret and v.text is not None and not is_url_safe(v.text)]
    if odd:
        raise SettingsError(
            f"{', '.join(odd)}: is empty, or has characters other than letters, digits and . _ ~ -",
            hint="choose another one, or remove the line and run `arcctl init`",
        )


def _refuse_odd_tags(catalogue: Catalogue, values: Mapping[str, Value]) -> None:
    odd = [s.name for s in tag_settings(catalogue).values() if not is_tag(values[s.name].text or "")]
    if odd:
        raise SettingsError(
            f"{', '.join(odd)}: is no tag of an image: letters, digits and . _ - only",
            hint="to see tags that exist: arcctl images outdated",
        )


def refuse_odd_registry(value: Value) -> None:
    """Raises SettingsError for a registry mirror from which nothing can be pulled."""
    if problem := image_registry.problem(value.text or ""):
        raise SettingsError(f"{image_registry.NAME} {problem}", hint=image_registry.HINT)


def refuse_odd_address(address: str) -> None:
    """Raises SettingsError for an address on which no port can be published."""
    if problem := bind_address.problem(address):
        raise SettingsError(f"{bind_address.NAME} {problem}", hint=bind_address.HINT)


def _refuse_placeholders(values: Mapping[str, Value]) -> None:
    weak = [n for n, v in values.items() if v.variable.secret and v.text is not None and is_placeholder(v.text)]
    if weak:
        raise SettingsError(
            f"{', '.join(weak)}: an example value that everybody knows",
            hint="remove the line and run `arcctl init`, or pass --insecure-demo",
        )


def near_misses(environment: Iterable[str], catalogue: Catalogue) -> list[str]:
    """Warnings for names of the process environment that look like a setting and are none."""
    known = owned(catalogue)
    prefixes = tuple(bind_address.NEAR if o == PORTS else prefix_of(o, catalogue) for o in owners(catalogue))
    odd = [n for n in environment if n.startswith(prefixes) and n not in known]
    return [text for text in unknown(odd, known) if "did you mean" in text]


def missing_secrets(catalogue: Catalogue, present: Mapping[str, Any]) -> dict[str, Variable]:
    """The secrets that must be generated, by name."""
    return {n: v for n, (_, v) in owned(catalogue).items() if v.generate is not None and n not in present}
