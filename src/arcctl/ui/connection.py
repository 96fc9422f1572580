"""Variables as text: for a shell to evaluate, for a `.env` file, as JSON."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from enum import StrEnum

SCHEMA = "arcctl.env/v1"


class Format(StrEnum):
    SH = "sh"
    DOTENV = "dotenv"
    JSON = "json"


def text(variables: Mapping[str, str], side: str, format_: Format) -> str:
    """Lines without a last newline; empty where there is no variable."""
    match format_:
        case Format.SH:
            return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
        case Format.DOTENV:
            return "\n".join(f"{name}={_dotenv(value)}" for name, value in variables.items())
        case Format.JSON:
            return json.dumps({"schema": SCHEMA, "for": side, "variables": dict(variables)}, indent=2)


def _dotenv(value: str) -> str:
    """As it is wherever that is possible, because `docker run --env-file` takes quotes literally."""
    if re.fullmatch(r"[^\s'\"#$\\`]*", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
