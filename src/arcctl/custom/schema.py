"""The fields of a custom service's file, and what is checked in it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from arcctl.errors import SettingsError
from arcctl.model.env import HostPort
from arcctl.settings.location import custom_file

PORT = "PORT"
"""In commands, `${PORT}` stands for the port that the server listens on."""
HTTP = "http"
"""The name of a port that speaks HTTP."""
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)\}")
_IMAGE = re.compile(r"[a-z0-9][\w./:-]*:[\w.-]+(@sha256:[0-9a-f]{64})?")

Path = Annotated[str, Field(pattern=r"^/\S*$")]
VolumeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Word = Annotated[str, Field(min_length=1)]
Folder = Annotated[str, Field(pattern=r"^(?!/)(?!.*\.\.)[\w./-]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, regex_engine="python-re"
    )


class CustomPort(_Strict):
    container: HostPort
    host: HostPort
    """On the loopback address."""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = HTTP


class CustomMetrics(_Strict):
    path: Path = "/metrics"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Of the container; 0 is the first of `ports`."""


class CustomProcess(_Strict):
    """How it runs as a local process."""

    command: Annotated[tuple[Word, ...], Field(min_length=1)]
    lock: Annotated[str, Field(pattern=r"^(?!/)(?!.*\.\.)[\w./-]*$")] = ""
    """Hash-pinned requirements of a Python project: `python` then has them installed, and `src` on its path."""


class CustomService(_Strict):
    """The content of a file."""

    title: str = ""
    image: str = ""
    build: Folder | None = None
    """A folder of the project with a Dockerfile."""
    ports: tuple[CustomPort, ...] = ()
    probe: Annotated[str, Field(pattern=r"^(tcp|none|/\S*)$")] = ""
    """A path that answers 200, `tcp`, or `none`: running is enough."""
    needs: tuple[str, ...] = ()
    database: bool = False
    web: bool = False
    metrics: CustomMetrics | None = None
    environment: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], str] = Field(default_factory=dict)
    command: tuple[Word, ...] = ()
    user: Annotated[str, Field(pattern=r"^(\d+:\d+)?$")] = ""
    volumes: Mapping[VolumeName, Path] = Field(default_factory=dict)
    """Data that is kept, by name: where it is in the container."""
    memory_mb: Annotated[int, Field(ge=8)] = 256
    embedded: CustomProcess | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> CustomService:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        if not (self.image or self.build):
            yield "name an image, or a folder to build"
        if self.image and (not _IMAGE.fullmatch(self.image) or self.image.endswith(":latest")):
            yield "image: name a version, such as nginx:1.29-alpine; latest is not a version"
        if not self.ports and (self.web or self.metrics or self.probe not in ("", "none")):
            yield "web, metrics and probe need a port"
        if len({port.name for port in self.ports}) < len(self.ports):
            yield "ports: two have the same name"
        yield from self._problems_of_texts()

    def _problems_of_texts(self) -> Iterator[str]:
        for name, text in self.environment.items():
            if _lone_dollar(text):
                yield f"environment.{name}: write $$ for a dollar sign, ${{NAME}} for a variable"
        for word in (*self.command, *(self.embedded.command if self.embedded else ())):
            if set(VARIABLE.findall(word)) - {PORT} or _lone_dollar(word):
                yield "command: only ${PORT} is replaced there; write $$ for a dollar sign"


_LEVELS: Mapping[str, type[BaseModel]] = {"ports": CustomPort, "metrics": CustomMetrics, "embedded": CustomProcess}


def read(name: str, document: object) -> CustomService:
    """The checked content of `services/<name>.yaml`.

    Raises SettingsError with the file, each field and what is wrong with it.
    """
    file = custom_file(name)
    try:
        # As JSON, because a strict model takes lists for tuples only there.
        text = json.dumps(document, default=str)
    except (TypeError, ValueError) as error:  # a date for a name, or a part that is inside itself
        raise SettingsError(f"{file}: {str(error)[:1].lower()}{str(error)[1:]}", hint=f"edit {file}") from None
    try:
        return CustomService.model_validate_json(text)
    except ValidationError as error:
        problems = "; ".join(_problem(dict(one)) for one in error.errors())
        raise SettingsError(f"{file}: {problems}", hint=f"edit {file}") from None


def _problem(one: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in one["loc"] if part != "[key]")
    if one["type"] == "extra_forbidden":
        known = _LEVELS[one["loc"][0]] if len(one["loc"]) > 1 else CustomService
        near = difflib.get_close_matches(str(one["loc"][-1]), known.model_fields, n=1)
        return f"{place}: unknown field" + (f", did you mean {near[0]}?" if near else "")
    message = one["msg"].removeprefix("Value error, ")
    if one["type"] == "model_type":
        message = "fields and values are expected here"
    return f"{place}: {message[:1].lower()}{message[1:]}" if place else message


def _lone_dollar(text: str) -> bool:
    return "$" in VARIABLE.sub("", text).replace("$$", "")
