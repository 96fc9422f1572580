"""The files of a project: `config/`, `compose/` and the state folder `.arcctl/`, each written whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import re
import secrets
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TextIO, TypeVar

from arcctl.errors import ArcError, FileDamaged, SettingsError
from arcctl.model.env import Variable
from arcctl.model.image import Locked
from arcctl.model.rotation import Change
from arcctl.settings import dotenv, image_lock
from arcctl.settings.dotenv import env_text, read_env
from arcctl.settings.files import (
    PRIVATE_FILE,
    PRIVATE_FOLDER,
    SHARED,
    SHARED_FOLDER,
    create_shared_folder,
    json_text,
    readable,
    remove,
    write_all,
    write_whole,
)
from arcctl.settings.location import LOCAL_DATA, LOCAL_ID, STATE
from arcctl.settings.migrate import give_name, migrate
from arcctl.settings.resolve import Source
from arcctl.settings.template import template
from arcctl.settings.text import DAMAGED, parse_yaml, read_json, read_text

COMPOSE_LINK = ".env"
KEPT_PORTS = f"{STATE}/ports.env"
"""The ports that were chosen for this project, because the default ones were not free."""
GITIGNORE = ".gitignore"
IGNORED = {"config": "/*/.env", "compose": f"/{COMPOSE_LINK}"}
"""What git does not see of a folder: the settings of one project, which may be secret, and the link to all of them."""
T = TypeVar("T")

LOST = {
    "compose.env": "nothing, it is written from the settings again",
    "secret-changes.json": "when each secret was last changed",
    "input-hashes.json": "whether files in config/ changed since `arcctl up`; to apply them anyway: arcctl restart",
    "started.json": "which services were started, until the next `arcctl up`",
    "started-at.json": "when containers were started that do not exist any more",
    "stopping.json": "what a command that was cut off was stopping",
    "bootstrapped.json": "which services are set up; the next `arcctl up` looks",
    "data-versions.json": "which versions wrote the data, until the next `arcctl up`",
    "servers.json": "which versions ran last, until the next `arcctl up`",
}
"""The files of the state folder that arcctl does without, and what nobody knows then."""


class ProjectDirectory:
    """One project on disk."""

    def __init__(self, root: Path) -> None:
        self.root: Path = root
        self.state = root / STATE
        self.secrets_file = self.state / "secrets.env"
        self.compose_env = self.state / "compose.env"

    def migrate(self) -> None:
        """Give files of an earlier arcctl the names that they have today."""
        with readable(self.root):
            migrate(self.root, write_whole)

    def give_name(self, name: str) -> None:
        """Let the files of a project that an earlier arcctl wrote have its name."""
        with readable(self.root):
            give_name(self.root, name, write_whole)

    def compose_file(self, name: str) -> Path:
        return self.root / "compose" / name

    def read(self, path: PurePosixPath) -> str:
        """The text of a file of this project; empty where there is none."""
        return read_text(self.root / path, "")

    def write(self, texts: Mapping[PurePosixPath, str]) -> None:
        """Write files of this project; an empty text removes the file, and the folders that are empty without it."""
        with readable(self.root):
            kept = {self.root / path: text for path, text in texts.items() if text}
            for path in kept:
                create_shared_folder(path.parent)
            write_all(kept)
            for gone in (self.root / path for path, text in texts.items() if not text):
                remove(self.root, gone)

    def sources(self, owners: Iterable[str]) -> tuple[Source, ...]:
        """The values in the files of this project: `config/<id>/.env` of each owner, secrets, chosen ports."""
        paths = {i: self.root / "config" / i / ".env" for i in owners}
        with readable(self.root):
            files = [Source(f"config/{i}/.env", read_env(p, f"config/{i}/.env"), i) for i, p in paths.items()]
        secrets = Source(f"{STATE}/{self.secrets_file.name}", self.secrets())
        ports = Source(KEPT_PORTS, self.kept_ports())
        return (*(file for file in files if file.values), secrets, *([ports] if ports.values else ()))

    def kept_ports(self) -> dict[str, str]:
        """The ports that were chosen for this project, by variable name."""
        return read_env(self.root / KEPT_PORTS, KEPT_PORTS)

    def keep_ports(self, ports: Mapping[str, int]) -> None:
        """Keep ports that were chosen; all others stay."""
        if ports:
            values = {**self.kept_ports(), **{name: str(number) for name, number in ports.items()}}
            note = "Chosen where the default ports are not free. To change one: arcctl config set REDIS_HOST_PORT=6390"
            self.write_private({self.root / KEPT_PORTS: env_text(values, note)})

    def secrets(self) -> dict[str, str]:
        """The generated secrets, by variable name; empty before `init`."""
        return read_env(self.secrets_file, str(self.secrets_file), whole=True)

    def add_secrets(self, missing: Mapping[str, Variable]) -> None:
        """Generate and store the missing secrets; stored ones stay as they are."""
        stored = self.secrets()
        generated = {name: draw(variable) for name, variable in missing.items() if name not in stored}
        self._write_secrets({**stored, **generated})

    def keep_secrets(self, values: Mapping[str, str]) -> None:
        """Store secrets; a new value replaces the old one."""
        self._write_secrets({**self.secrets(), **values})

    def forget_secrets(self, names: Iterable[str]) -> None:
        removed = set(names)
        self._write_secrets({name: value for name, value in self.secrets().items() if name not in removed})

    def draw(self, variable: Variable) -> str:
        return draw(variable)

    def _write_secrets(self, values: Mapping[str, str]) -> None:
        before, now = self.secrets(), datetime.now(UTC).isoformat(timespec="seconds")
        new = {name: now for name, value in values.items() if before.get(name) != value}
        changes = json_text({**self.secret_changes(), **new})
        text = env_text(values, "Generated once by arcctl. Keep it safe.")
        self.write_private({self._json("secret-changes"): changes, self.secrets_file: text})

    def set_value(self, service: str, name: str, value: str | None) -> None:
        """Write one setting to the service's `.env` file, or remove it (None); all other lines stay."""
        self.set_values({service: {name: value}})

    def set_values(self, values: Mapping[str, Mapping[str, str | None]]) -> None:
        """The same for several settings, by service: all of them, or none."""
        texts = {}
        with readable(self.root):
            for service, changed in values.items():
                path = self.root / "config" / service / ".env"
                texts[path] = read_text(path, "")
                for name, value in changed.items():
                    texts[path] = dotenv.assigned(texts[path], name, value)
            for path in texts:
                create_shared_folder(path.parent)
            self._hide("config")
            write_all(texts, PRIVATE_FILE)

    def secret_changes(self) -> dict[str, str]:
        """When each secret was last changed, as an ISO 8601 time, where it is known."""
        return self._read_json("secret-changes", dict[str, str], {})

    def rotation(self) -> tuple[Change, ...]:
        """The secrets of a rotation that has started and not ended."""
        return self._read_json("rotation", tuple[Change, ...], ())

    def remember_rotation(self, changes: Iterable[Change]) -> None:
        """Store them until the rotation has ended; none at all ends it."""
        if stored := [asdict(change) for change in changes]:
            self._write_json("rotation", stored)
        else:
            self._json("rotation").unlink(missing_ok=True)

    def write_compose_env(self, values: Mapping[str, str]) -> None:
        """Write the variables for Compose, and a link to them where plain `docker compose` looks."""
        note = "Written by arcctl from config/*/.env and the generated secrets. Edit those instead."
        self.write_private({self.compose_env: env_text(values, note)})
        self.link_compose_env()

    def compose_values(self) -> dict[str, str]:
        """The variables as they were last written for Compose; empty before `init`."""
        with self._rebuilt(self.compose_env):
            return read_env(self.compose_env, str(self.compose_env), whole=True)

    def link_compose_env(self) -> None:
        """Plain `docker compose` reads the settings through this link; a file in its place stays."""
        link = self.compose_file(COMPOSE_LINK)
        with readable(self.root):
            self._hide("compose")
            if not link.exists() and not link.is_symlink():
                link.symlink_to(Path("..") / self.compose_env.relative_to(self.root))

    def _hide(self, folder: str) -> None:
        """Keep what arcctl writes there out of git, which does not see this file either; one of the user stays."""
        ignore = self.root / folder / GITIGNORE
        if not ignore.exists():
            write_whole(ignore, f"{IGNORED[folder]}\n/{GITIGNORE}\n")

    def digest(self, mounted: Iterable[str]) -> str:
        """A hash of the content of files and folders below `config/`."""
        state = hashlib.sha256()
        for name in sorted(mounted):
            root = self.root / "config" / name
            for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
                state.update(path.read_bytes() if path.is_file() else b"")
        return state.hexdigest()

    def unusable(self, paths: Iterable[str]) -> tuple[FileDamaged, ...]:
        """What is wrong with paths below `config/` that servers read: a file has a suffix, a folder has none."""
        return tuple(filter(None, map(self._unusable, sorted(paths))))

    def _unusable(self, name: str) -> FileDamaged | None:
        path, is_file = self.root / "config" / name, bool(PurePosixPath(name).suffix)
        shown, quoted, again = f"config/{name}", shlex.quote(str(path)), self._brings_back(f"config/{name}")
        if not path.exists():
            return FileDamaged(f"{shown} is missing", hint=again)
        if path.is_dir() == is_file:
            aside = f"mv {quoted} {shlex.quote(f'{path}{DAMAGED}')}"
            return FileDamaged(f"{shown} is {'a' if is_file else 'no'} directory", hint=f"{aside}, then {again}")
        if is_file and not path.stat().st_size:
            return FileDamaged(f"{shown} is empty", hint=f"rm {quoted}, then {again}")
        return None

    def _brings_back(self, file: str) -> str:
        """Commands that write a file of a new project again."""
        checkout = f"git -C {shlex.quote(str(self.root))} checkout -- {shlex.quote(file)}"
        ways = [checkout] if (self.root / ".git").exists() else []
        ways += ["arcctl init, which writes it as in a new project"] if template() != self.root else []
        return " or ".join(ways) or "put a copy of it back"

    def unreadable_mounts(self, mounted: Iterable[str]) -> dict[str, tuple[int, int]]:
        """The files and folders below `config/` that only some users can read, with the mode they have and need.

        Settings of a user (`.env`) are for nobody else.
        """
        found: dict[str, tuple[int, int]] = {}
        for name in sorted(mounted):
            root = self.root / "config" / name
            paths = (root, *root.rglob("*")) if root.exists() else ()
            for path in sorted(p for p in paths if p.name != ".env" and p.exists()):  # editors leave broken links
                mode, readable_by_all = stat.S_IMODE(path.stat().st_mode), SHARED_FOLDER if path.is_dir() else SHARED
                if readable_by_all & ~mode & 0o005:
                    found[str(path.relative_to(self.root))] = (mode, mode | readable_by_all)
        return found

    def image_lock(self) -> dict[str, Locked]:
        """The locked image of each reference; empty where nothing is locked."""
        return image_lock.read(self.root / image_lock.FILE)

    def lock_images(self, lock: Mapping[str, Locked]) -> None:
        with readable(self.root):
            write_whole(self.root / image_lock.FILE, image_lock.text(lock))

    def note(self, name: str) -> dict[str, Any]:
        """The document that was stored under this name; empty where there is none."""
        return self._read_json(name, dict[str, Any], {})

    def keep_note(self, name: str, document: Mapping[str, Any]) -> None:
        self._write_json(name, document)

    def engine(self) -> str:
        """The engine that runs this project; empty while none does."""
        return read_text(self.state / "engine", "").strip()

    def remember_engine(self, name: str, which: str = "") -> None:
        """That this engine runs the project, or that none does (empty); `which` of its kind, where that is known."""
        last = name or self.engine()  # an earlier arcctl noted no more than the engine that runs
        used = self.used_engines()
        known = used.pop(last, "")
        self._write_used({**used, last: which or known}, {self.state / "engine": f"{name}\n"})

    def used_engines(self) -> dict[str, str]:
        """The engines that have data of this project, and which of its kind each is; the last ran it last."""
        lines = (line.partition(" ") for line in read_text(self._used, "").splitlines())
        return {name: which for name, _, which in lines}

    def notes_engines(self) -> bool:
        """Whether they were ever noted: an earlier arcctl did not."""
        return self._used.exists()

    def begin_notes(self) -> None:
        """That no engine has data of this project, where nothing is noted yet."""
        if not self.notes_engines():
            self.write_private({self._used: ""})

    def forget_engine(self, name: str) -> None:
        """That an engine has no data of this project any more."""
        self._write_used({engine: which for engine, which in self.used_engines().items() if engine != name}, {})

    def forget_what_ran(self, other: str) -> Path | None:
        """What this directory says of the project that it was copied from; settings, secrets and backups stay.

        Data that was copied along, perhaps in the middle of a change, is set aside under the name of that project.
        """
        kept = ("secrets.env", "secret-changes.json", "backup.passphrase", "lock", GITIGNORE)
        with readable(self.root):
            for path in self.state.iterdir() if self.state.is_dir() else ():
                if path.is_file() and path.name not in kept:
                    path.unlink()
            data = self.state / LOCAL_DATA
            return data.rename(data.with_name(f"{LOCAL_DATA}-of-{other}")) if data.is_dir() else None

    def take_no_data(self) -> None:
        """Local processes of root find data by the directory: what an earlier one at this place left is not its own."""
        self.write_private({self.state / LOCAL_ID: f"{secrets.token_hex(6)}\n"})

    @property
    def _used(self) -> Path:
        return self.state / "used-engines"

    def _write_used(self, engines: Mapping[str, str], others: Mapping[Path, str]) -> None:
        text = "".join(f"{name} {which}".rstrip() + "\n" for name, which in engines.items() if name)
        self.write_private({self._used: text, **others})

    def input_hashes(self) -> dict[str, str]:
        """The hash of the inputs that each container was last created with."""
        return self._read_json("input-hashes", dict[str, str], {})

    def remember_input_hashes(self, digests: Mapping[str, str]) -> None:
        self._write_json("input-hashes", {**self.input_hashes(), **digests})

    def started(self) -> frozenset[str]:
        """The services that were started and not stopped since."""
        return self._read_json("started", frozenset[str], frozenset())

    def remember_started(self, services: Iterable[str]) -> None:
        self._write_json("started", sorted(services))

    def started_at(self) -> dict[str, str]:
        """When each container was started, as an ISO 8601 time, also where it does not exist any more."""
        return self._read_json("started-at", dict[str, str], {})

    def stopping(self) -> tuple[str, ...]:
        """The components that the engine was asked to stop by a command that has not ended, or was cut off."""
        return tuple(self._read_json("stopping", list[str], []))

    def remember_stopping(self, keys: Iterable[str]) -> None:
        self._write_json("stopping", sorted(keys))

    def remember_started_at(self, times: Mapping[str, str]) -> None:
        self._write_json("started-at", times)

    def bootstrapped(self) -> frozenset[str]:
        """The services whose resources all exist, as far as is known."""
        return self._read_json("bootstrapped", frozenset[str], frozenset())

    def remember_bootstrapped(self, services: Iterable[str]) -> None:
        self._write_json("bootstrapped", sorted(services))

    def _json(self, name: str) -> Path:
        return self.state / f"{name}.json"

    def _read_json(self, name: str, shape: type[T], default: T) -> T:
        with readable(self.root), self._rebuilt(self._json(name)):
            return read_json(self._json(name), shape, default)

    def _write_json(self, name: str, document: object) -> None:
        self.write_private({self._json(name): json_text(document)})

    def problems(self) -> tuple[ArcError, ...]:
        """What is wrong with each file of this project that cannot be read."""
        envs, state = sorted(self.root.glob("config/*/.env")), set(self.state.glob("*.json"))
        reads: list[Callable[[], object]] = [partial(read_env, p, str(p.relative_to(self.root))) for p in envs]
        reads += [partial(self._check, p) for p in sorted(self.root.glob("config/*/**/*.y*ml"))]
        reads += [partial(read_json, path, object, None) for path in sorted(state - set(self._rebuildable()))]
        reads += [
            self.kept_ports,
            self.rotation,
            self.engine,
            self.used_engines,
            *self._rebuildable().values(),
            self.image_lock,
        ]
        found = map(_problem, (self.secrets, *reads))
        return tuple({error.message: error for error in found if error}.values())

    def _check(self, path: Path) -> None:
        parse_yaml(read_text(path), str(path.relative_to(self.root)))

    def _rebuildable(self) -> dict[Path, Callable[[], object]]:
        """What reads each of the files that arcctl does without."""
        reads: dict[str, Callable[[], object]] = {
            "compose.env": self.compose_values,
            "secret-changes.json": self.secret_changes,
            "input-hashes.json": self.input_hashes,
            "started.json": self.started,
            "started-at.json": self.started_at,
            "bootstrapped.json": self.bootstrapped,
            "stopping.json": self.stopping,
        }
        return {self.state / name: reads.get(name, partial(self.note, Path(name).stem)) for name in LOST}

    @contextmanager
    def _rebuilt(self, path: Path) -> Iterator[None]:
        """The error for a damaged file says what becomes of it, where arcctl does without it."""
        try:
            yield
        except (FileDamaged, SettingsError) as error:
            if path.name not in LOST:
                raise
            hint = f"arcctl doctor --fix, which sets it aside; lost is {LOST[path.name]}"
            raise FileDamaged(error.message, hint=hint) from None

    def damaged(self) -> dict[Path, ArcError]:
        """The damaged files that arcctl does without."""
        found = {path: _problem(read) for path, read in self._rebuildable().items()}
        return {path: error for path, error in found.items() if isinstance(error, FileDamaged)}

    def set_aside(self, path: Path) -> str:
        """Rename a damaged file that arcctl does without; what was done, for a person. One of before stays."""
        names = (path.with_name(f"{path.name}{DAMAGED}{number or ''}") for number in itertools.count())
        new = next(name for name in names if not name.exists())
        with readable(self.root):
            path.rename(new)
        return f"{path} is damaged and was set aside as {new.name}; lost is {LOST[path.name]}"

    def acquire(self) -> TextIO | None:
        """The lock of this project, released when it is closed; None while another process holds it.

        A program that inherits it holds it as well, until it ends.
        """
        self._create_state()
        with readable(self.root):
            lock = (self.state / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        os.set_inheritable(lock.fileno(), True)
        self.migrate()
        return lock

    def write_private(self, texts: Mapping[Path, str]) -> None:
        """Files that only their owner can read: all of them, or none."""
        self._create_state()
        with readable(self.root):
            write_all({**texts, self.state / GITIGNORE: "*\n"}, PRIVATE_FILE)

    def _create_state(self) -> None:
        with readable(self.root):
            self.state.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            self.state.chmod(PRIVATE_FOLDER)


def _problem(read: Callable[[], object]) -> ArcError | None:
    try:
        read()
    except ArcError as error:
        return error
    return None


def draw(variable: Variable) -> str:
    """A new secret of the length and alphabet that its variable declares."""
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
"""Three equal characters in a row: servers that follow OWASP's password rules refuse them."""
