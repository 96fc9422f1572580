"""The text of an `.env` file with one setting changed: comments and all other lines stay as they are."""

from __future__ import annotations

import re

from arcctl.errors import SettingsError

_PLAIN = re.compile(r"[\w./:@%+,=~-]*")


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
