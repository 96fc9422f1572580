"""Settings of one service: loaded from an explicit mapping, never from the process environment."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from arcctl.errors import SettingsError
from arcctl.model.names import PROJECT, PROJECT_NAME

HINT = "config/<service>/.env.example lists every setting with its meaning and default"
NAME = f"${{{PROJECT_NAME}:-{PROJECT}}}"
"""The name of the project, as Compose reads it."""
INIT = "arcctl init, which generates the secrets that are missing in .arcctl/secrets.env"

NOT_ISSUED = "unset"
"""The value of a secret that its server has not issued yet."""

PLACEHOLDERS = frozenset({"changeme", "change-me", "password", "secret", "admin", "postgres", "example", "test"})


HostPort = Annotated[int, Field(ge=1, le=65535)]


class ServiceEnv(BaseModel):
    """Base of each service's settings; a subclass names its prefix: `class Env(ServiceEnv, env_prefix="REDIS_")`.

    Settings come only from what `load` gets, so pydantic-settings, which reads the environment, has nothing to do.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        populate_by_name=True,
    )
    env_prefix: ClassVar[str] = ""
    project: str = PROJECT
    """The name of the project; no setting of a service."""

    def __init_subclass__(cls, *, env_prefix: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        if env_prefix:
            cls.env_prefix = env_prefix


E = TypeVar("E", bound=ServiceEnv)


def generated(length: int = 43, *, alphabet: str = "urlsafe") -> Any:
    """A secret that `init` generates: `length` characters of `urlsafe`, or exactly `length` of `hex` (4 bits each).

    `strong` is `urlsafe` with an upper and a lower case letter, a digit and a sign, which some servers require.
    """
    exact = length if alphabet == "hex" else None
    rule: JsonValue = {"length": length, "alphabet": alphabet}
    return Field(json_schema_extra={"generate": rule}, min_length=exact, max_length=exact)


def shared(name: str, default: Any = ...) -> Any:
    """A setting of another service, by its full variable name (`REDIS_PASSWORD`)."""
    return Field(default, validation_alias=name)


def server_issued() -> Any:
    """A secret that the service's server generates and shows once, at set-up; it is not set by hand."""
    return Field(default=SecretStr(NOT_ISSUED), json_schema_extra={"server_issued": True})


def of_machine(default: Any) -> Any:
    """A setting that says something of the machine or of its engine: no other project takes it over."""
    return Field(default=default, json_schema_extra={"of_machine": True})


def published_host() -> Any:
    """The machine on which its ports are published, which a server tells to its clients."""
    return Field(default="localhost", json_schema_extra={"of_machine": True, "published_host": True})


@dataclass(frozen=True)
class Variable:
    """One setting as the user sees it."""

    name: str
    field: str
    default: str | None
    description: str
    secret: bool
    generate: Mapping[str, Any] | None
    shared: bool
    server_issued: bool = False
    published_host: bool = False
    of_machine: bool = False


def variables(env: type[ServiceEnv]) -> tuple[Variable, ...]:
    """The settings of a model in the order of their declaration, inherited ones first."""
    own = (found for found in env.model_fields.items() if found[0] not in ServiceEnv.model_fields)
    return tuple(_variable(env, name, info) for name, info in own)


def _variable(env: type[ServiceEnv], name: str, info: FieldInfo) -> Variable:
    alias = info.validation_alias
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    generate = extra.get("generate")
    return Variable(
        name=alias if isinstance(alias, str) else f"{env.env_prefix}{name}".upper(),
        field=name,
        default=None if info.is_required() else plain(info.default),
        description=info.description or "",
        secret=info.annotation is SecretStr or SecretStr in get_args(info.annotation),
        generate=generate if isinstance(generate, dict) else None,
        server_issued=bool(extra.get("server_issued")),
        published_host=bool(extra.get("published_host")),
        of_machine=bool(extra.get("of_machine")),
        shared=isinstance(alias, str),
    )


def plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def load(env: type[E], mapping: Mapping[str, str]) -> E:
    """Build a model from full variable names.

    Raises SettingsError with the variable and the message of each field that does not fit, never its value.
    """
    chosen = {v.field: mapping[v.name] for v in variables(env) if v.name in mapping}
    chosen["project"] = mapping.get(PROJECT_NAME, PROJECT)
    try:
        return env.model_validate(chosen)
    except ValidationError as error:
        missing = all(problem["type"] == "missing" for problem in error.errors())
        raise SettingsError(_explain(env, error), hint=INIT if missing else HINT) from None


def _explain(env: type[ServiceEnv], error: ValidationError) -> str:
    names = {v.field: v.name for v in variables(env)} | {v.name: v.name for v in variables(env)}
    exact = {v.field: v.generate["length"] for v in variables(env) if v.generate and v.generate["alphabet"] == "hex"}
    parts = []
    for problem in error.errors():
        field = str(problem["loc"][0])
        wrong_length = problem["type"].endswith(("too_short", "too_long")) and field in exact
        message = f"must have exactly {exact[field]} characters" if wrong_length else problem["msg"].lower()
        parts.append(f"{names.get(field, field)}: {message}")
    return "; ".join(parts)


def symbolic(env: type[E]) -> E:
    """A model whose every value is its own Compose variable, `${NAME:-default}`: the input of rendering."""
    values: dict[str, Any] = {"project": NAME}
    for v in variables(env):
        text = f"${{{v.name}}}" if v.default is None else f"${{{v.name}:-{v.default}}}"
        values[v.field] = SecretStr(text) if v.secret else text
    return cast(E, env.model_construct(**values))


def unknown(names: Iterable[str], known: Iterable[str], what: str = "setting") -> list[str]:
    """One sentence for each unknown name, with the nearest known one."""
    known = sorted(known)
    return [_did_you_mean(name, known, what) for name in sorted(set(names) - set(known))]


def _did_you_mean(name: str, known: list[str], what: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"unknown {what} {name}" + (f", did you mean {near[0]}?" if near else "")


def reveal(secret: SecretStr) -> str:
    """The value of a secret, for what the server itself reads."""
    return secret.get_secret_value()


def is_url_safe(value: str) -> bool:
    """Whether a secret needs no quotes in a URL, an `.env` file and a configuration file."""
    return bool(re.fullmatch(r"[A-Za-z0-9._~-]+", value))


def is_placeholder(value: str) -> bool:
    """Whether a secret is one of the values that attackers try first."""
    return value.lower() in PLACEHOLDERS or bool(re.fullmatch(r"0+|(.)\1*", value))
