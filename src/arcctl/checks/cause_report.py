"""Why a server cannot run or has lost data, in the words of its log, and what helps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from arcctl.model.host_ports import PRIVILEGED, HostPort
from arcctl.model.symptom import Cause, Symptom

NO_BACKUP = "no backup in .arcctl/backups has this data"
_LONGEST = 300
"""Characters of a log that are quoted."""

GENERAL = (
    Symptom(
        cause=Cause.PORT,
        said=r"(?i)listen[^\n]*?(?:[\d.]+|\[[^\]\n]*\]|localhost|\s):(?P<port>\d{2,5})\b:? "
        r"[^\n]{0,80}?address already in use",
    ),
    Symptom(cause=Cause.PORT, said=r"(?i)address already in use [^\s\d]*[\d.:]*?:(?P<port>\d{2,5})\b"),
    Symptom(cause=Cause.PORT, said=r"(?i)on address \('[^'\n]*', (?P<port>\d+)[^\n]*address already in use"),
    Symptom(cause=Cause.PORT, said=r"(?i)[^\n]*address already in use[^\n]*"),
    Symptom(cause=Cause.PERMISSION, said=r"(?i)listen[^\n]*?:(?P<port>\d{1,5}): bind: permission denied"),
    Symptom(cause=Cause.PERMISSION, said=r"(?i)permission denied [\d.:]*?:(?P<port>\d{1,5})\b"),
    Symptom(cause=Cause.PERMISSION, said=r"(?i)on address \('[^'\n]*', (?P<port>\d+)[^\n]*permission denied"),
    Symptom(cause=Cause.PERMISSION, said=r"(?i)[^\n]*?(?P<path>/[^\s:'\",)]+)['\"]?:? permission denied(?! for)[^\n]*"),
    Symptom(
        cause=Cause.PERMISSION,
        said=r"(?i)[^\n]*?(?:permission denied|AccessDenied\w*)(?! for)[^/\n]{0,20}(?P<path>/[^\s:'\",)]+)[^\n]*",
    ),
    Symptom(cause=Cause.PERMISSION, said=r"(?i)[^\n]*(?:permission denied(?! for)|operation not permitted)[^\n]*"),
    Symptom(cause=Cause.SPACE, said=r"(?i)[^\n]*(?:no space left on device|ENOSPC|disk quota exceeded)[^\n]*"),
    Symptom(
        cause=Cause.PASSWORD, said=r"(?i)password authentication failed for (?:user|role) \\?\"(?P<user>[^\"\\\n]+)"
    ),
)
"""What servers of many kinds say, because their systems and libraries do."""


@dataclass(frozen=True)
class Explanation:
    message: str
    """With the server's words; it follows the name of the server."""
    hint: str
    status: str = "fail"
    """warn where the server serves what is left."""
    cause: Cause = Cause.DATA


@dataclass(frozen=True)
class Found:
    """A symptom that a log shows."""

    symptom: Symptom
    words: str
    groups: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Secret:
    """The setting with the password that a server refused."""

    service: str
    name: str
    origin: str
    from_environment: bool = False
    generated: bool = False
    """Whether there is a generated one behind it."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is known of a component besides its log."""

    service: str
    local: bool = True
    """Whether it is a process of this machine."""
    user: str = ""
    """The user that it runs as."""
    inside: bool = True
    """Whether the path in the log is one that arcctl made."""
    backup: str = ""
    """The newest one that has its data."""
    volumes: tuple[str, ...] = ()
    data: str = ""
    """The folder with its data, on this machine."""
    port: HostPort | None = None
    """The port that the log is about, of its own."""
    owner: str = ""
    """Who listens on that port; empty where nobody does."""
    free: int = 0
    """Another port that nobody uses."""
    secret: Secret | None = None
    file: str = ""
    """The file of the project that the log is about."""
    same_lines: bool = True
    """Whether the server reads that file as it is."""
    earlier: str = ""
    """The command that installs the server that wrote the data."""


def find(symptoms: Iterable[Symptom], lines: Iterable[str]) -> Found | None:
    """The last of these symptoms in a log; of several at one place the first."""
    text = "\n".join(re.sub(r"^[\w-]+ +\| ?", "", line).rstrip() for line in lines)
    last = [(symptom, match) for symptom in symptoms if (match := _last(symptom.said, text))]
    if not last:
        return None
    symptom, match = max(last, key=lambda pair: text.count("\n", 0, pair[1].end()))
    groups = {name: value for name, value in match.groupdict().items() if value}
    words = " ".join(groups.get("words", match[0]).split())
    return Found(symptom, words[:_LONGEST], groups)


def _last(pattern: str, text: str) -> re.Match[str] | None:
    return max(re.finditer(pattern, text, re.MULTILINE), key=lambda match: match.end(), default=None)


def explain(found: Found, around: Surroundings) -> Explanation:
    message, hint = _EXPLAINED[found.symptom.cause](found, around)
    return Explanation(message, hint, cause=found.symptom.cause)


def loss(service_id: str, words: str, backup: str) -> Explanation:
    """What a server lost, which serves the rest."""
    go_on = f"to go on without it: arcctl restart {service_id}"
    hint = f"arcctl backup restore {backup} {service_id}" if backup else f"{NO_BACKUP}; {go_on}"
    return Explanation(words, hint, "warn")


def _data(found: Found, around: Surroundings) -> tuple[str, str]:
    by_hand = f"copy the volume {', '.join(around.volumes)}, then run in it: {found.symptom.repair}"
    restore = f"arcctl backup restore {around.backup} {around.service}"
    return f"cannot read its data: {found.words}", restore if around.backup else f"{NO_BACKUP}; {by_hand}"


def _version(found: Found, around: Surroundings) -> tuple[str, str]:
    again = f"arcctl up {around.service}"
    if not around.local:
        hint = f"to run the image that wrote it: arcctl config set {around.service} IMAGE_TAG TAG, then {again}"
    elif around.earlier:
        hint = f"{around.earlier}, then {again}"
    else:
        hint = f"install the version of its package that wrote the data, then {again}"
    return f"cannot read its data, which is of another version: {found.words}", hint


def _lock(found: Found, around: Surroundings) -> tuple[str, str]:
    pid, again = found.groups.get("pid"), f"arcctl up {around.service}"
    message = f"cannot use its data, which another process uses: {found.words}"
    if not around.local and around.volumes:
        return message, f"see who uses it: docker ps --filter volume={around.volumes[0]}; then {again}"
    if not pid:
        return message, f"arcctl down, then {again}"
    file = f"{found.groups.get('folder', '.')}/{found.symptom.file}"
    return message, f"ps {pid}; where that is no {around.service}: mv {file} {file}.old, then {again}"


def _port(found: Found, around: Surroundings) -> tuple[str, str]:
    again = f"arcctl up {around.service}"
    if around.port is None:
        return f"cannot listen: {found.words}", "arcctl doctor"
    number = around.port.number
    if not around.owner:
        return f"could not listen on port {number}, which is free by now", again
    stop = f"stop {around.owner}, then {again}"
    hint = f"{around.port.change_to(around.free)}, then {again}" if around.port.setting else stop
    return f"cannot listen on port {number}, which is used by {around.owner}", hint


def _permission(found: Found, around: Surroundings) -> tuple[str, str]:
    again, who = f"arcctl up {around.service}", f" for the user {around.user}" if around.user else ""
    if around.port and around.port.number < PRIVILEGED:
        hint = f"{around.port.change_to(around.free)}, then {again}" if around.port.setting else "arcctl doctor"
        return f"cannot listen on port {around.port.number}: only root may use those below {PRIVILEGED}", hint
    path = found.groups.get("path", around.data if found.symptom.about_data else "")
    message = f"cannot use {path}: permission denied{who}" if path else f"is not allowed{who}: {found.words}"
    if path and not around.inside:
        return message, f"ls -ld {path}, and let that user use it, then {again}"
    if around.local and path:
        return message, f"sudo chown -R {around.user} {path}; sudo chmod -R u+rwX,go-rwx {path}; {again}"
    if path and around.volumes and not around.file:
        return message, f"give {path} in the volume {around.volumes[0]} to the user {around.user}, then {again}"
    return message, f"arcctl doctor --fix, then {again}"


def _password(found: Found, around: Surroundings) -> tuple[str, str]:
    user, secret, again = found.groups.get("user", ""), around.secret, f"arcctl up {around.service}"
    if secret is None:
        return f"cannot log in: {found.words}", "to see where each value is from: arcctl config show"
    as_user = f" as {user}" if user else ""
    message = f"cannot log in{as_user}: {secret.name} from {secret.origin} is refused"
    if secret.from_environment:
        return message, f"unset {secret.name}, then {again}"
    if secret.generated:
        unset = f"arcctl config set {secret.service} {secret.name} --unset"
        return message, f"to go back to the generated one: {unset}, then {again}"
    return message, f"put the value that the data was made with back into {secret.origin}, then {again}"


def _space(found: Found, around: Surroundings) -> tuple[str, str]:
    return f"cannot write: {found.words}", "arcctl doctor"


def _configuration(found: Found, around: Surroundings) -> tuple[str, str]:
    line, again = found.groups.get("line"), f"arcctl up {around.service}"
    file = around.file or found.groups.get("path", "")
    place = f"{file}, line {line}" if line and around.same_lines else file
    hint = f"correct {place}, then {again}" if place else "to see the settings: arcctl config show"
    return f"cannot read its configuration: {found.words}", hint


_EXPLAINED: Mapping[Cause, Callable[[Found, Surroundings], tuple[str, str]]] = {
    Cause.DATA: _data,
    Cause.VERSION: _version,
    Cause.LOCK: _lock,
    Cause.PORT: _port,
    Cause.PERMISSION: _permission,
    Cause.PASSWORD: _password,
    Cause.SPACE: _space,
    Cause.CONFIGURATION: _configuration,
}
