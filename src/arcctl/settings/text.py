"""Reads the text files of a project: one way for all, and a clear error for a file that cannot be read."""

from __future__ import annotations

import codecs
import errno
import importlib.resources
import json
import os
import re
import shlex
from pathlib import Path
from typing import Any, TypeVar

from arcctl.errors import FileDamaged, ProjectError, SettingsError
from arcctl.settings.ownership import give_back

T = TypeVar("T")

CUT_OFF = "the file is cut off here"
DAMAGED = ".damaged"
"""What the name of a file that was set aside ends with."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""A disk without space or inodes, and a user who has used up a quota."""
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_text(path: Path, default: str | None = None) -> str:
    """The text of a UTF-8 file; a byte order mark is skipped and every line ends with a newline character.

    Where there is no file, it is `default`, if one is given.

    Raises ProjectError; FileDamaged with the file, the line and the encoding that the file seems to have.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        if default is not None and isinstance(error, FileNotFoundError):
            return default
        raise unreadable(error, path) from None
    place = data.find(0)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        place = error.start if place < 0 else min(place, error.start)
    if place >= 0:
        raise _not_utf_8(path, data, place)
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _not_utf_8(path: Path, data: bytes, place: int) -> FileDamaged:
    encoding, line = _encoding(data), data.count(b"\n", 0, place) + 1
    where = f"{path}, line {line}"
    if not encoding:
        return FileDamaged(
            f"{where}: not text: byte {place} is zero",
            hint=f"put a copy of it back, or see what it is: file {shlex.quote(str(path))}",
        )
    old, new = shlex.quote(str(path)), shlex.quote(f"{path}.utf8")
    command = f"(umask 077; iconv -f {encoding} -t UTF-8 {old} >{new}) && cp {new} {old} && rm {new}"
    return FileDamaged(
        f"{where}: not UTF-8 text at byte {place}, it looks like {_NAMES.get(encoding, encoding)}",
        hint=f"save it as UTF-8 in your editor, or: {command}",
    )


_NAMES = {"ISO-8859-1": "Latin-1", "WINDOWS-1252": "Windows-1252 (Latin-1)"}


def _encoding(data: bytes) -> str:
    """What a file that is not UTF-8 seems to be, as `iconv` calls it; empty where it is no text."""
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    if 0 in data:
        order = {1: "LE", 0: "BE"}
        zeros = {start: data[start::2].count(0) for start in order}
        most = max(zeros, key=lambda start: zeros[start])
        return f"UTF-16{order[most]}" if zeros[most] * 4 > len(data) and not zeros[1 - most] else ""
    return "WINDOWS-1252" if any(0x80 <= byte < 0xA0 for byte in data) else "ISO-8859-1"


def read_json(path: Path, shape: type[T], default: T) -> T:
    """The document in a file, checked against its type; `default` where there is no file.

    Raises FileDamaged with the file, and with the line or the entry that is wrong. Values are never shown.
    """
    from pydantic import TypeAdapter, ValidationError

    text = read_text(path, "")
    if not text and not path.exists():
        return default
    if not text.strip():
        raise FileDamaged(f"{path} is empty", hint=by_hand(path))
    try:
        document = TypeAdapter(shape).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        wrong = _not_json(first["msg"]) or _wrong_entry(first["msg"], first["loc"], text)
        raise FileDamaged(f"{path}{wrong}", hint=by_hand(path)) from None
    return document


_EXPECTED = {"an object": "names and values are", "a valid array": "a list is", "a valid string": "text is"}
"""What pydantic calls things, and what users do."""


def _not_json(message: str) -> str:
    """Where a text is no JSON, in plain words; empty for another message."""
    found = re.fullmatch(r"Invalid JSON: (.*) at line (\d+) column (\d+)", message, re.DOTALL)
    if not found:
        return ""
    what, line, column = found.groups()
    return (
        f", line {line}: {CUT_OFF}" if what.startswith("EOF") else f", line {line}, column {column}: not JSON: {what}"
    )


def _wrong_entry(message: str, place: tuple[str | int, ...], text: str) -> str:
    """The line, as far as names lead to it, the entry, and what has to be there."""
    entry, line = ".".join(map(str, place)), _line(place, text)
    if message == "Field required":
        return f"{line}: {entry} is missing"
    expected = message.removeprefix("Input should be ")
    said = _EXPECTED.get(expected, f"{expected} is")
    return f"{line}{', entry ' * bool(entry)}{entry}: {said} expected here"


def _line(place: tuple[str | int, ...], text: str) -> str:
    """Empty where numbers of a list lead to it."""
    at = 0
    for part in place:
        if isinstance(part, int):
            return ""
        found = re.compile(rf"{re.escape(json.dumps(part))}\s*:").search(text, at)
        at = found.start() if found else at
    return f", line {text.count(chr(10), 0, at) + 1}"


def by_hand(path: Path) -> str:
    """What to do about a file of arcctl whose content nothing else knows."""
    old, new = shlex.quote(str(path)), shlex.quote(f"{path}{DAMAGED}")
    away = f"mv {old} {new}"
    return _BY_HAND.get(path.name, "repair it, put a copy of it back, or move it away: {away}").format(away=away)


_BY_HAND = {
    "secrets.env": "it has the secrets of this project, which its data was written with: put a copy of it back",
    "rotation.json": "it has the old and the new secrets of a rotation that has not ended, and a server may take only "
    "one of them: repair it, or put a copy of it back, and keep what is there until then",
    "images.lock.json": "repair it, put the committed one back, or record the images that are pulled now: {away}, "
    "then arcctl images lock",
}
"""The same for those files that nobody should simply do without."""


def unreadable(error: OSError, root: Path) -> ProjectError:
    """The error for a file below `root` that the system refuses to read or write."""
    where, hint = Path(error.filename2 or error.filename or root), f"check who owns {root}: ls -la {root}"
    disk = shlex.quote(str(next((place for place in (root, *root.absolute().parents) if os.path.exists(place)), root)))
    if isinstance(error, PermissionError):
        hint = give_back(where) or hint
    if error.errno in FULL:
        hint = f"free space there: df -h {disk}; df -i {disk}; to see what arcctl can remove: arcctl doctor"
    if error.errno == errno.EROFS:
        hint = f"see why it is read-only: findmnt -T {disk}"
    if isinstance(error, FileNotFoundError):
        where = next((path for path in (*reversed(where.parents), where) if not path.exists()), where)
        hint = f"see what is there: ls -la {where.parent}"
    if isinstance(error, IsADirectoryError):
        return FileDamaged(f"{where}: is a directory", hint=by_hand(where))
    if isinstance(error, NotADirectoryError):
        where = next((path for path in reversed(where.parents) if not path.is_dir()), where)
    return ProjectError(f"{where}: {(error.strerror or str(error)).lower()}", hint=hint)


def refused(error: OSError) -> ProjectError | None:
    """The error for a disk that refuses a file, or has a folder in its place; None for what is not the disk's."""
    of_a_file = isinstance(error, PermissionError | IsADirectoryError | NotADirectoryError) and error.filename
    if error.errno not in (*FULL, errno.EROFS) and not of_a_file:
        return None
    return unreadable(error, Path(error.filename or ".").parent)


def packaged(path: str) -> str:
    """The text of a file of this package."""
    return importlib.resources.files("arcctl").joinpath(path).read_text(encoding="utf-8")


def _load_yaml(text: str) -> Any:
    """By libyaml, ten times as fast; what it refuses by Python's own parser, whose words say what is wrong."""
    import yaml

    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeEncodeError):
        return yaml.safe_load(text)


def parse_yaml(text: str, file: str) -> Any:
    """The document of a file that users write. Raises SettingsError with the line and column where it is no YAML."""
    import yaml

    try:
        return _load_yaml(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = error.problem
    except yaml.reader.ReaderError as error:
        where, what = f", line {text.count(chr(10), 0, error.position) + 1}", "a character that no YAML file may have"
    except RecursionError:
        where, what = "", "nested too deeply"
    except ValueError as error:  # a number or a date that is none
        where, what = "", str(error)
    except (LookupError, AttributeError, TypeError):
        where, what = "", "a value that does not fit its tag"
    raise SettingsError(f"{file}{where}: not YAML: {what}", hint=f"edit {file}") from None
