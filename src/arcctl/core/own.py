"""A user's own service as its file says it: checked here, declared by `services._own`."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from arcctl.core.env import HostPort
from arcctl.core.names import own_file
from arcctl.errors import SettingsError

PORT = "PORT"
"""Stands in commands, as `${PORT}`, for the port that the server is to listen on."""
HTTP = "http"
"""The name of a port that browsers and the like ask; what another name speaks is not known."""
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


class OwnPort(_Strict):
    container: HostPort
    host: HostPort
    """On the loopback address."""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = HTTP


class OwnMetrics(_Strict):
    path: Path = "/metrics"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Of the container; 0 is the first of `ports`."""


class OwnProcess(_Strict):
    """How it runs where there is no Docker."""

    command: Annotated[tuple[Word, ...], Field(min_length=1)]
    lock: Annotated[str, Field(pattern=r"^(?!/)(?!.*\.\.)[\w./-]*$")] = ""
    """Hash-pinned requirements of a Python project: `python` is then its own one, with its `src` on the path."""


class Own(_Strict):
    """What a file may say."""

    title: str = ""
    image: str = ""
    build: Folder | None = None
    """A folder of the home with a Dockerfile."""
    ports: tuple[OwnPort, ...] = ()
    probe: Annotated[str, Field(pattern=r"^(tcp|none|/\S*)$")] = ""
    """A path that answers 200, `tcp`, or `none`: it is enough that it runs."""
    needs: tuple[str, ...] = ()
    database: bool = False
    web: bool = False
    metrics: OwnMetrics | None = None
    environment: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], str] = Field(default_factory=dict)
    command: tuple[Word, ...] = ()
    user: Annotated[str, Field(pattern=r"^(\d+:\d+)?$")] = ""
    volumes: Mapping[VolumeName, Path] = Field(default_factory=dict)
    """Data that is kept, by name: where it is in the container."""
    memory_mb: Annotated[int, Field(ge=8)] = 256
    embedded: OwnProcess | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Own:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        if not (self.image or self.build):
            yield "either image or build is needed"
        if self.image and (not _IMAGE.fullmatch(self.image) or self.image.endswith(":latest")):
            yield "image: a version is needed, such as nginx:1.29-alpine, and latest is none"
        if not self.ports and (self.web or self.metrics or self.probe not in ("", "none")):
            yield "web, metrics and probe need a port"
        if len({port.name for port in self.ports}) < len(self.ports):
            yield "ports: each needs a name of its own"
        yield from self._problems_of_texts()

    def _problems_of_texts(self) -> Iterator[str]:
        for name, text in self.environment.items():
            if _lone_dollar(text):
                yield f"environment.{name}: write $$ for a dollar sign, ${{NAME}} for a variable"
        for word in (*self.command, *(self.embedded.command if self.embedded else ())):
            if set(VARIABLE.findall(word)) - {PORT} or _lone_dollar(word):
                yield "command: only ${PORT} may stand there; write $$ for a dollar sign"


_LEVELS: Mapping[str, type[BaseModel]] = {"ports": OwnPort, "metrics": OwnMetrics, "embedded": OwnProcess}


def read(name: str, document: object) -> Own:
    """The checked content of `services/<name>.yaml`.

    Raises SettingsError with the file, each field and what is wrong with it.
    """
    file = own_file(name)
    try:
        # As JSON, because a strict model takes lists for tuples only there.
        return Own.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        problems = "; ".join(_problem(dict(one)) for one in error.errors())
        raise SettingsError(f"{file}: {problems}", hint=f"edit {file}") from None


def _problem(one: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in one["loc"] if part != "[key]")
    if one["type"] == "extra_forbidden":
        known = _LEVELS[one["loc"][0]] if len(one["loc"]) > 1 else Own
        near = difflib.get_close_matches(str(one["loc"][-1]), known.model_fields, n=1)
        return f"{place}: unknown field" + (f", did you mean {near[0]}?" if near else "")
    message = one["msg"].removeprefix("Value error, ")
    if one["type"] == "model_type":
        message = "fields and values are expected here"
    return f"{place}: {message[:1].lower()}{message[1:]}" if place else message


def _lone_dollar(text: str) -> bool:
    return "$" in VARIABLE.sub("", text).replace("$$", "")
