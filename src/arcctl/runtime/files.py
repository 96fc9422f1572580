"""The home: `config/`, `compose/` and the state folder `.arcctl/`, with files written whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from arcctl.core import dotenv
from arcctl.core.env import Variable
from arcctl.core.secret import Change
from arcctl.core.settings import Source
from arcctl.core.stored import Locked
from arcctl.errors import HomeError, SettingsError
from arcctl.runtime import image_lock
from arcctl.runtime.place import FOLDERS

STATE = ".arcctl"
COMPOSE_LINK = ".env"
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


def template() -> Path:
    """Where this installation keeps the files that a new home starts with."""
    packaged = Path(__file__).parents[1] / "_home"
    return packaged if packaged.is_dir() else Path(__file__).parents[3]


class Home:
    """One home on disk."""

    def __init__(self, root: Path) -> None:
        self.root: Path = root
        self.state = root / STATE
        self.secrets_file = self.state / "secrets.env"
        self.compose_env = self.state / "compose.env"

    def compose_file(self, name: str) -> Path:
        return self.root / "compose" / name

    def sources(self, services: Iterable[str]) -> tuple[Source, ...]:
        """What the files of this home say: `config/<id>/.env` each, then the generated secrets."""
        with readable(self.root):
            files = [(f"config/{i}/.env", i) for i in services if (self.root / "config" / i / ".env").is_file()]
            found = [Source(name, read_env(self.root / name, name), owner) for name, owner in files]
            return (*found, Source(f"{STATE}/{self.secrets_file.name}", self.secrets()))

    def secrets(self) -> dict[str, str]:
        """The generated secrets, by variable name; empty before `init`."""
        return read_env(self.secrets_file, str(self.secrets_file)) if self.secrets_file.is_file() else {}

    def add_secrets(self, missing: Mapping[str, Variable]) -> None:
        """Generate and keep what is missing; what is there stays as it is."""
        kept = self.secrets()
        drawn = {name: draw(variable) for name, variable in missing.items() if name not in kept}
        self._write_secrets({**kept, **drawn})

    def keep_secrets(self, values: Mapping[str, str]) -> None:
        """Keep what a server told; a new value takes the place of an old one."""
        self._write_secrets({**self.secrets(), **values})

    def forget_secrets(self, names: Iterable[str]) -> None:
        """Forget what something had that is gone."""
        gone = set(names)
        self._write_secrets({name: value for name, value in self.secrets().items() if name not in gone})

    def draw(self, variable: Variable) -> str:
        return draw(variable)

    def _write_secrets(self, values: Mapping[str, str]) -> None:
        before, now = self.secrets(), datetime.now(UTC).isoformat(timespec="seconds")
        new = {name: now for name, value in values.items() if before.get(name) != value}
        self.write_private(self.state / "changed.json", json.dumps({**self.changed(), **new}, indent=1) + "\n")
        self.write_private(self.secrets_file, env_text(values, "Generated once by arcctl. Keep it safe."))

    def set_value(self, service: str, name: str, value: str | None) -> None:
        """Put one setting into the service's file, or take it out; all other lines stay."""
        path = self.root / "config" / service / ".env"
        with readable(self.root):
            text = path.read_text() if path.is_file() else ""
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, dotenv.assigned(text, name, value), PRIVATE_FILE)

    def changed(self) -> dict[str, str]:
        """When each secret was last changed, as far as is known."""
        path = self.state / "changed.json"
        return dict(json.loads(path.read_text())) if path.is_file() else {}

    def rotation(self) -> tuple[Change, ...]:
        """The secrets that a rotation began to change and has not ended."""
        path = self.state / "rotation.json"
        with readable(self.root):
            return tuple(Change(**item) for item in json.loads(path.read_text())) if path.is_file() else ()

    def remember_rotation(self, changes: Iterable[Change]) -> None:
        """Keep them until they are done; nothing ends the rotation."""
        path, kept = self.state / "rotation.json", [asdict(change) for change in changes]
        if kept:
            self.write_private(path, json.dumps(kept, indent=1) + "\n")
        else:
            path.unlink(missing_ok=True)

    def write_compose_env(self, values: Mapping[str, str]) -> None:
        """What Compose interpolates, and a link to it where plain `docker compose` looks."""
        note = "Written by arcctl from config/*/.env and the generated secrets. Edit those instead."
        self.write_private(self.compose_env, env_text(values, note))
        self.link_compose_env()

    def link_compose_env(self) -> None:
        """Plain `docker compose` reads the settings through this link; what a user put there stays."""
        link = self.compose_file(COMPOSE_LINK)
        if not link.exists() and not link.is_symlink():
            link.symlink_to(Path("..") / self.compose_env.relative_to(self.root))

    def digest(self, mounted: Iterable[str]) -> str:
        """A hash over files and folders below `config/`, whatever is in them."""
        state = hashlib.sha256()
        for name in sorted(mounted):
            root = self.root / "config" / name
            for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
                state.update(path.read_bytes() if path.is_file() else b"")
        return state.hexdigest()

    def image_lock(self) -> dict[str, Locked]:
        """What each reference has to be; empty where nothing was locked."""
        return image_lock.read(self.root / image_lock.FILE)

    def lock_images(self, lock: Mapping[str, Locked]) -> None:
        with readable(self.root):
            write_whole(self.root / image_lock.FILE, image_lock.text(lock))

    def note(self, name: str) -> dict[str, Any]:
        """What was kept under this name; empty where nothing was."""
        path = self.state / f"{name}.json"
        return dict(json.loads(path.read_text())) if path.is_file() else {}

    def keep_note(self, name: str, document: Mapping[str, Any]) -> None:
        self.write_private(self.state / f"{name}.json", json.dumps(document, indent=1) + "\n")

    def engine(self) -> str:
        """The engine on which this home runs; empty while nothing does."""
        path = self.state / "engine"
        return path.read_text().strip() if path.is_file() else ""

    def remember_engine(self, name: str) -> None:
        self.write_private(self.state / "engine", f"{name}\n")

    def inputs(self) -> dict[str, str]:
        """The hash of what each container was last created with."""
        path = self.state / "inputs.json"
        return dict(json.loads(path.read_text())) if path.is_file() else {}

    def remember_inputs(self, digests: Mapping[str, str]) -> None:
        self.write_private(self.state / "inputs.json", json.dumps({**self.inputs(), **digests}, indent=1) + "\n")

    def started(self) -> frozenset[str]:
        """The services that the last `up` commands left to run."""
        return self._names("started.json")

    def remember_started(self, services: Iterable[str]) -> None:
        self._write_names("started.json", services)

    def set_up(self) -> frozenset[str]:
        """The services that hold all that they have to, as far as is known."""
        return self._names("set-up.json")

    def remember_set_up(self, services: Iterable[str]) -> None:
        self._write_names("set-up.json", services)

    def _names(self, file: str) -> frozenset[str]:
        path = self.state / file
        return frozenset(json.loads(path.read_text())) if path.is_file() else frozenset()

    def _write_names(self, file: str, names: Iterable[str]) -> None:
        self.write_private(self.state / file, json.dumps(sorted(names)) + "\n")

    def claim(self) -> TextIO | None:
        """The right to change this home, given back when it is closed; None while another process has it."""
        self._make_state()
        with readable(self.root):
            lock = (self.state / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return lock

    def write_private(self, path: Path, text: str) -> None:
        self._make_state()
        with readable(self.root):
            write_whole(path, text, PRIVATE_FILE)

    def _make_state(self) -> None:
        with readable(self.root):
            self.state.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            self.state.chmod(PRIVATE_FOLDER)


@contextmanager
def readable(root: Path) -> Iterator[None]:
    """Say which file cannot be read or written, instead of a traceback."""
    try:
        yield
    except OSError as error:
        where, hint = Path(error.filename2 or error.filename or root), f"check who owns {root}: ls -la {root}"
        if isinstance(error, FileNotFoundError):
            where = next((path for path in (*reversed(where.parents), where) if not path.exists()), where)
            hint = f"see what is there: ls -la {where.parent}"
        raise HomeError(f"{where}: {(error.strerror or str(error)).lower()}", hint=hint) from None


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write atomically, and not at all when the text is there already with the right mode."""
    if path.is_file() and stat.S_IMODE(path.stat().st_mode) == mode and path.read_text() == text:
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            os.fchmod(handle, mode)
            file.write(text)
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_env(path: Path, shown: str) -> dict[str, str]:
    """The variables of an `.env` file, taken literally.

    Raises SettingsError with the line that is not `NAME=value`.
    """
    from dotenv.parser import parse_stream

    found: dict[str, str] = {}
    for binding in parse_stream(StringIO(path.read_text())):
        if binding.error or (binding.key is not None and binding.value is None):
            line = binding.original.line
            raise SettingsError(f"{shown}, line {line}: not of the form NAME=value", hint=f"edit {path}")
        if binding.key is not None:
            found[binding.key] = binding.value or ""
    return found


def env_text(values: Mapping[str, str], note: str) -> str:
    """An `.env` file; every value is URL-safe or a number, so nothing needs a quote."""
    return f"# {note}\n" + "".join(f"{name}={value}\n" for name, value in sorted(values.items()))


def draw(variable: Variable) -> str:
    """A new secret in the alphabet that its variable asks for."""
    rule = variable.generate or {}
    length = int(rule["length"])
    if rule["alphabet"] == "hex":
        return secrets.token_hex(length)[:length]
    text = secrets.token_urlsafe(length)[:length].replace("-", "x").replace("_", "y")
    if rule["alphabet"] != "strong":
        return text
    strong = f"{text[:-4]}-Aa{secrets.randbelow(10)}"
    return draw(variable) if _TRIPLED.search(strong) else strong


_TRIPLED = re.compile(r"(.)\1\1")
"""What servers refuse that judge passwords by the rules of OWASP."""


_OF_THIS_HOME = {".env", "own.yaml", "own-prod.yaml", "own.yml"}
"""Settings, and what is rendered of services that another home has not."""
_TOOLS_OWN = {"__pycache__", ".venv", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


def copy_template(source: Path, target: Path) -> None:
    """Lay out a new home; files that are there already stay as they are."""
    for folder in (*FOLDERS, "apps"):
        for path in sorted((source / folder).rglob("*")):
            _copy(path, target / path.relative_to(source))


def _copy(path: Path, target: Path) -> None:
    made_by_tools = _TOOLS_OWN & set(path.parts)
    if path.is_dir() or path.name in _OF_THIS_HOME or made_by_tools or target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target)
