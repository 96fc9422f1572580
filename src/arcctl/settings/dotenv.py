"""`.env` files: their variables, and the text with one setting changed, where all other lines stay as they are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from arcctl.errors import FileDamaged, SettingsError
from arcctl.settings.text import CUT_OFF, read_text

_PLAIN = re.compile(r"[\w./:@%+,=~-]*")


def read_env(path: Path, shown: str, *, whole: bool = False) -> dict[str, str]:
    """The variables of an `.env` file, taken literally; none where there is no file.

    Raises SettingsError with the line that is not `NAME=value`, and FileDamaged for a `whole` file without its end.
    """
    text = read_text(path, "")
    if whole and text and not text.endswith("\n"):
        hint = f"put a copy of it back; where nothing is missing, end its last line: echo >>{shlex.quote(str(path))}"
        raise FileDamaged(f"{shown}, line {text.count(chr(10)) + 1}: {CUT_OFF}", hint=hint)
    return parse_env(text, shown, f"edit {path}")


def parse_env(text: str, shown: str, hint: str = "") -> dict[str, str]:
    """The variables in the text of an `.env` file. Raises SettingsError with the line that is not `NAME=value`."""
    from dotenv.parser import parse_stream

    found: dict[str, str] = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            line = binding.original.line
            raise SettingsError(f"{shown}, line {line}: not of the form NAME=value", hint=hint)
        if binding.key is not None:
            found[binding.key] = binding.value or ""
    return found


def env_text(values: Mapping[str, str], note: str) -> str:
    """An `.env` file; every value is URL-safe or a number, so nothing needs a quote."""
    return f"# {note}\n" + "".join(f"{name}={value}\n" for name, value in sorted(values.items()))


def assigned(text: str, name: str, value: str | None) -> str:
    """The text with this setting in it once, or not at all for None.

    Raises SettingsError for a value that no line can hold.
    """
    lines = text.splitlines()
    places = [n for n, line in enumerate(lines) if re.match(rf"\s*(export\s+)?{re.escape(name)}\s*=", line)]
    new = [] if value is None else [f"{name}={quoted(value)}"]
    place = places[0] if places else _behind_its_example(lines, name)
    kept = [line for n, line in enumerate(lines) if n not in places]
    return "".join(f"{line}\n" for line in (*kept[:place], *new, *kept[place:]))


def _behind_its_example(lines: list[str], name: str) -> int:
    """Where a copy of `.env.example` mentions the setting, else the end."""
    found = [n for n, line in enumerate(lines) if re.match(rf"#\s*{re.escape(name)}=", line)]
    return found[0] + 1 if found else len(lines)


def quoted(value: str) -> str:
    """The value as `.env` readers give it back."""
    if "\n" in value or "\r" in value:
        raise SettingsError("a value must be one line", hint="config/<service>/.env takes one line for each setting")
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
