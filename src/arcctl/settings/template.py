"""The files that a new project starts with."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from arcctl.settings.files import SHARED, create_shared_folder
from arcctl.settings.location import FOLDERS

_OF_ONE_PROJECT = {".env", "custom.yaml", "custom-prod.yaml", "custom.yml"}
"""Settings, and files rendered from the custom services of one project."""
_CACHES = {"__pycache__", ".venv", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


def template() -> Path:
    """Where this installation keeps the files that a new project starts with."""
    packaged = Path(__file__).parents[1] / "_project"
    return packaged if packaged.is_dir() else Path(__file__).parents[3]


def copy_template(source: Path, target: Path) -> None:
    """Write the files of a new project; files that exist stay as they are."""
    for folder in (*FOLDERS, "apps"):
        for path in sorted((source / folder).rglob("*")):
            _copy(path, target / path.relative_to(source))


def _copy(path: Path, target: Path) -> None:
    made_by_tools = _CACHES & set(path.parts)
    if path.is_dir() or path.name in _OF_ONE_PROJECT or made_by_tools or target.exists():
        return
    create_shared_folder(target.parent)
    new = target.with_name(f".{target.name}.new")
    try:
        shutil.copy2(path, new)
        new.chmod(SHARED | stat.S_IMODE(path.stat().st_mode))
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
