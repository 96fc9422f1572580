"""Why a server cannot run or has lost data, in the words of its log, and what helps."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from arcctl.model.host_ports import PRIVILEGED, HostPort, PortOwner
from arcctl.model.symptom import Cause, Symptom

NO_BACKUP = "no backup in .arcctl/backups has this data"
_LONGEST = 300
"""Characters of a log that are quoted."""

GENERAL = (
    Symptom(
        cause=Cause.PORT,
        pattern=r"(?i)listen[^\n]*?(?:[\d.]+|\[[^\]\n]*\]|localhost|\s):(?P<port>\d{2,5})\b:? "
        r"[^\n]{0,80}?address already in use",
    ),
    Symptom(cause=Cause.PORT, pattern=r"(?i)address already in use [^\s\d]*[\d.:]*?:(?P<port>\d{2,5})\b"),
    Symptom(cause=Cause.PORT, pattern=r"(?i)on address \('[^'\n]*', (?P<port>\d+)[^\n]*address already in use"),
    Symptom(cause=Cause.PORT, pattern=r"(?i)[^\n]*address already in use[^\n]*"),
    Symptom(cause=Cause.PERMISSION, pattern=r"(?i)listen[^\n]*?:(?P<port>\d{1,5}): bind: permission denied"),
    Symptom(cause=Cause.PERMISSION, pattern=r"(?i)permission denied [\d.:]*?:(?P<port>\d{1,5})\b"),
    Symptom(cause=Cause.PERMISSION, pattern=r"(?i)on address \('[^'\n]*', (?P<port>\d+)[^\n]*permission denied"),
    Symptom(
        cause=Cause.PERMISSION, pattern=r"(?i)[^\n]*?(?P<path>/[^\s:'\",)]+)['\"]?:? permission denied(?! for)[^\n]*"
    ),
    Symptom(
        cause=Cause.PERMISSION,
        pattern=r"(?i)[^\n]*?(?:permission denied|AccessDenied\w*)(?! for)[^/\n]{0,20}(?P<path>/[^\s:'\",)]+)[^\n]*",
    ),
    Symptom(cause=Cause.PERMISSION, pattern=r"(?i)[^\n]*(?:permission denied(?! for)|operation not permitted)[^\n]*"),
    Symptom(cause=Cause.SPACE, pattern=r"(?i)[^\n]*(?:no space left on device|ENOSPC|disk quota exceeded)[^\n]*"),
    Symptom(
        cause=Cause.PASSWORD, pattern=r"(?i)password authentication failed for (?:user|role) \\?\"(?P<user>[^\"\\\n]+)"
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
class SymptomMatch:
    """A symptom that a log shows."""

    symptom: Symptom
    words: str
    groups: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RefusedPassword:
    """The setting with the password that a server refused."""

    service: str
    name: str
    origin: str
    from_environment: bool = False
    generated: bool = False
    """Whether there is a generated one behind it."""


@dataclass(frozen=True, kw_only=True)
class CauseContext:
    """What is known of a component besides its log."""

    service: str
    local: bool = True
    """Whether it is a process of this machine."""
    user: str = ""
    """The user that it runs as."""
    path_is_own: bool = True
    """Whether the path in the log is one that arcctl made."""
    backup: str = ""
    """The newest one that has its data."""
    volumes: tuple[str, ...] = ()
    data_folder: str = ""
    """The folder with its data, on this machine."""
    port: HostPort | None = None
    """The port that the log is about, of its own."""
    port_owner: PortOwner | None = None
    """Who listens on that port."""
    free_port: int = 0
    """Another port that nobody uses."""
    password: RefusedPassword | None = None
    config_file: str = ""
    """The file of the project that the log is about."""
    same_lines: bool = True
    """Whether the server reads that file as it is."""
    earlier_version: str = ""
    """The command that chooses the version of the server that wrote the data; empty where that is not known."""

    @property
    def up(self) -> str:
        """The command that starts it again."""
        return f"arcctl up {self.service}"


def last_symptom(symptoms: Iterable[Symptom], lines: Iterable[str]) -> SymptomMatch | None:
    """The last of these symptoms in a log; of several at one place the first."""
    text = "\n".join(re.sub(r"^[\w-]+ +\| ?", "", line).rstrip() for line in lines)
    last = [(symptom, match) for symptom in symptoms if (match := _last_match(symptom.pattern, text))]
    if not last:
        return None
    symptom, match = max(last, key=lambda pair: text.count("\n", 0, pair[1].end()))
    groups = {name: value for name, value in match.groupdict().items() if value}
    words = " ".join(groups.get("words", match[0]).split())
    return SymptomMatch(symptom, words[:_LONGEST], groups)


def _last_match(pattern: str, text: str) -> re.Match[str] | None:
    return max(re.finditer(pattern, text, re.MULTILINE), key=lambda match: match.end(), default=None)


def explain(match: SymptomMatch, context: CauseContext) -> Explanation:
    message, hint = _EXPLAINED[match.symptom.cause](match, context)
    return Explanation(message, hint, cause=match.symptom.cause)


def loss(service_id: str, words: str, backup: str) -> Explanation:
    """What a server lost, which serves the rest."""
    go_on = f"to go on without it: arcctl restart {service_id}"
    hint = f"arcctl backup restore {backup} {service_id}" if backup else f"{NO_BACKUP}; {go_on}"
    return Explanation(words, hint, "warn")


def _data(match: SymptomMatch, context: CauseContext) -> tuple[str, str]:
    by_hand = f"copy the volume {', '.join(context.volumes)}, then run in it: {match.symptom.repair}"
    restore = f"arcctl backup restore {context.backup} {context.service}"
    return f"cannot read its data: {match.words}", restore if context.backup else f"{NO_BACKUP}; {by_hand}"


def _version(match: SymptomMatch, context: CauseContext) -> tuple[str, str]:
    unknown = (
        "install the version of its package that wrote the data"
        if context.local
        else f"set the IMAGE_TAG of {context.service} to that of the image that wrote the data"
    )
    message = f"cannot read its data, which is of another version: {match.words}"
    return message, f"{context.earlier_version or unknown}, then {context.up}"


def _lock(match: SymptomMatch, context: CauseContext) -> tuple[str, str]:
    pid = match.groups.get("pid")
    message = f"cannot use its data, which another process uses: {match.words}"
    if not context.local and context.volumes:
        return message, f"see who uses it: docker ps --filter volume={context.volumes[0]}; then {context.up}"
    if not pid:
        return message, f"arcctl down, then {context.up}"
    file = shlex.quote(f"{match.groups.get('folder', '.')}/{match.symptom.file}")
    return message, f"ps {pid}; where that is no {context.service}: mv {file} {file}.old, then {context.up}"


def _port(match: SymptomMatch, context: CauseContext) -> tuple[str, str]:
    port, owner = context.port, context.port_owner
    if port is None:
        return f"cannot listen: {match.words}", "arcctl doctor"
    if owner is None:
        return f"could not listen on port {port.number}, which is free by now", context.up
    hint = port.change_to(context.free_port) if port.setting else owner.stop
    return f"cannot listen on port {port.number}, which is used by {owner}", f"{hint}, then {context.up}"


def _permission(match: SymptomMatch, context: CauseContext) -> tuple[str, str]:
    port, user = context.port, f" for the user {context.user}" if context.user else ""
    if port and port.number < PRIVILEGED:
        hint = f"{port.change_to(context.free_port)}, then {context.up}" if port.setting else "arcctl doctor"
        return f"cannot listen on port {port.number}: only root may use those below {PRIVILEGED}", hint
    path = match.groups.get("path", context.data_folder if match.symptom.about_data else "")
    quoted = shlex.quote(path)
    message = f"cannot use {path}: permission denied{user}" if path else f"is not allowed{user}: {match.words}"
    if path and not context.path_is_own:
        return message, f"ls -ld {quoted}, and let that user use it, then {context.up}"
    if context.local and path:
        give = f"sudo chown -R {context.user} {quoted}; sudo chmod -R u+rwX,go-rwx {quoted}"
        return message, f"{give}; {context.up}"
    if path and context.volumes and not context.config_file:
        give = f"give {path} in the volume {context.volumes[0]} to the user {context.user}"
        return message, f"{give}, then {context.up}"
    return message, f"arcctl doctor --fix, then {context.up}"


def _password(match: SymptomMatch, context: CauseContext) -> tuple[str, str]:
    user, password = match.groups.get("user", ""), context.password
    if password is None:
        return f"cannot log in: {match.words}", "to see where each value is from: arcctl config show"
    as_user = f" as {user}" if user else ""
    message = f"cannot log in{as_user}: {password.name} from {password.origin} is refused"
    if password.from_environment:
        return message, f"unset {password.name}, then {context.up}"
    if password.generated:
        unset = f"arcctl config set {password.service} {password.name} --unset"
        return message, f"to go back to the generated one: {unset}, then {context.up}"
    return message, f"put the value that the data was made with back into {password.origin}, then {context.up}"


def _space(match: SymptomMatch, context: CauseContext) -> tuple[str, str]:
    return f"cannot write: {match.words}", "arcctl doctor"


def _configuration(match: SymptomMatch, context: CauseContext) -> tuple[str, str]:
    line, file = match.groups.get("line"), context.config_file or match.groups.get("path", "")
    place = f"{file}, line {line}" if line and context.same_lines else file
    hint = f"correct {place}, then {context.up}" if place else "to see the settings: arcctl config show"
    return f"cannot read its configuration: {match.words}", hint


_EXPLAINED: Mapping[Cause, Callable[[SymptomMatch, CauseContext], tuple[str, str]]] = {
    Cause.DATA: _data,
    Cause.VERSION: _version,
    Cause.LOCK: _lock,
    Cause.PORT: _port,
    Cause.PERMISSION: _permission,
    Cause.PASSWORD: _password,
    Cause.SPACE: _space,
    Cause.CONFIGURATION: _configuration,
}
