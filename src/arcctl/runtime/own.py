"""The files in which a user describes services of their own."""

from __future__ import annotations

from pathlib import Path

from arcctl.core.names import own_file
from arcctl.core.own import Own, read
from arcctl.errors import SettingsError
from arcctl.runtime.files import readable
from arcctl.runtime.place import own_names


def load(home: Path) -> dict[str, Own]:
    """Every one of them, checked.

    Raises SettingsError with the file, the field and what is wrong with it.
    """
    return {name: read(name, _document(home, own_file(name))) for name in own_names(home)}


def _document(home: Path, file: str) -> object:
    import yaml

    try:
        with readable(home):
            return yaml.safe_load((home / file).read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise SettingsError(f"{file}{where}: not YAML", hint=f"edit {file}") from None
