"""Why a server cannot run: its log is read for what its declaration and all systems say of known causes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from posixpath import normpath
from types import MappingProxyType
from typing import Any

from arcctl.checks.cause_report import (
    GENERAL,
    CauseContext,
    Explanation,
    RefusedPassword,
    SymptomMatch,
    explain,
    last_symptom,
)
from arcctl.model.data_version import SERVERS_NOTE, tag_for
from arcctl.model.env import ServiceEnv, variables
from arcctl.model.host_ports import HostPort
from arcctl.model.probe import Answer
from arcctl.model.rotation import Rotation
from arcctl.model.service import BindMount, Component, Service, Volume
from arcctl.model.smoke_test import Sql
from arcctl.model.symptom import Cause
from arcctl.project import Project
from arcctl.settings.installation import install
from arcctl.settings.resolve import ENVIRONMENT

LINES = 60
"""How many lines of a log are read: those of the last run."""

NewestBackup = Callable[[str], str]
"""The name of the newest whole backup with the data of a service; empty where there is none."""


NO_ANSWERS: Mapping[str, Answer] = MappingProxyType({})


def no_backup(service: str) -> str:
    del service
    return ""


def causes(
    keys: Iterable[str], project: Project, newest: NewestBackup, answers: Mapping[str, Answer] = NO_ANSWERS
) -> dict[str, Explanation]:
    """For each of these components that crashed for a known cause.

    Of a server that runs, the answer to its probe is read instead: it may be the one that refuses a password.
    """
    found: dict[str, Explanation] = {}
    wanted = set(keys)
    for service in project.catalogue.services.values():
        for component in (service, *service.components):
            if component.id in wanted and (
                explanation := _cause(component, service, project, newest, answers.get(component.id))
            ):
                found[component.id] = explanation
    return found


def _cause(
    component: Component[Any],
    service: Service[Any],
    project: Project,
    newest: NewestBackup,
    answer: Answer | None,
) -> Explanation | None:
    lines = [answer.reason] if answer else project.engine.logs_of_last_run(component.id, tail=str(LINES))
    match = last_symptom((*service.checks.symptoms, *GENERAL), lines)
    return explain(match, _ContextReader(match, component, service, project, newest).read()) if match else None


@dataclass(frozen=True)
class _ContextReader:
    """Asks the project and the system for what a symptom is about."""

    match: SymptomMatch
    component: Component[Any]
    service: Service[Any]
    project: Project
    newest: NewestBackup

    @property
    def _env(self) -> ServiceEnv:
        return self.project.settings.envs[self.service.id]

    @property
    def _local(self) -> bool:
        return self.project.engine.image_store is None

    @property
    def _path(self) -> str:
        return normpath(path) if (path := self.match.groups.get("path")) else ""

    def read(self) -> CauseContext:
        engine, project, port = self.project.engine, self.project, self._port()
        runs_as, (config_file, same_lines) = engine.runs_as(self.component.id), self._config_file()
        mounts = self.component.storage.mounts(self._env)
        volumes = tuple(engine.volume_name(self.component.id, m.name) for m in mounts if isinstance(m, Volume))
        return CauseContext(
            service=self.service.id,
            local=self._local,
            user=runs_as.user,
            path_is_own=self._path_is_own(runs_as.folder),
            backup=self.newest(self.service.id) if self.match.symptom.cause is Cause.DATA else "",
            volumes=volumes,
            data_folder=f"{runs_as.folder}/data/{volumes[0]}" if runs_as.folder and volumes else "",
            port=port,
            port_owner=project.port_owner(port.number) if port and project.ports.taken(port.number) else None,
            free_port=self.project.free_port(port.number) if port else 0,
            password=self._password(),
            config_file=config_file,
            same_lines=same_lines,
            earlier_version=self._earlier_server() if self._local else self._earlier_image(),
        )

    def _path_is_own(self, folder: str) -> bool:
        """Whether the path in the log is one that arcctl made for its processes, or unknown."""
        own = (f"{folder}/data/", f"{folder}/run/")
        return not (folder and self._path) or self._path.startswith(own)

    def _port(self) -> HostPort | None:
        """The one that the log names, else the first of its own that somebody listens on."""
        own = [port for port in self.project.host_ports() if port.component == self.component.id]
        if named := int(self.match.groups.get("port", "0")):
            return next((port for port in own if port.number == named), None)
        taken = (port for port in own if self.project.ports.taken(port.number))
        return next(taken, None) if self.match.symptom.cause is Cause.PORT else None

    def _config_file(self) -> tuple[str, bool]:
        """The file of the project that it reads from the path in its log, and whether it reads that as it is."""
        process = self.component.process
        patched = process.patches(self._env) if process and self._local else {}
        mounts = [m for m in self.component.storage.mounts(self._env) if isinstance(m, BindMount)]
        for mount in mounts:
            _, there, rest = self._path.partition(mount.path)
            if there:
                return f"config/{mount.source}{rest}", f"{mount.path}{rest}" not in patched
        only = mounts[0] if len(mounts) == 1 and not self._path else None
        return (f"config/{only.source}", only.path not in patched) if only else ("", True)

    def _password(self) -> RefusedPassword | None:
        """The setting with the password of the user that the log names."""
        if self.match.symptom.cause is not Cause.PASSWORD:
            return None
        names, values = _passwords(self.match.groups.get("user", ""), self.project), self.project.settings.values
        value = next((values[name] for name in sorted(names) if name in values), None)
        if value is None:
            return None
        name = value.variable.name
        return RefusedPassword(
            service=value.service,
            name=name,
            origin="the environment" if value.origin == ENVIRONMENT else value.origin,
            from_environment=value.origin == ENVIRONMENT,
            generated=value.origin.startswith("config/") and name in self.project.directory.secrets(),
        )

    def _earlier_server(self) -> str:
        """The command that installs the server that last ran with this data."""
        package, _, version = self.project.directory.note(SERVERS_NOTE).get(self.component.id, "").partition(" ")
        return install(f"{package}=={version}") if version else ""

    def _earlier_image(self) -> str:
        """The command that chooses the image for the version of the data that the log names."""
        version = self.match.groups.get("version", "")
        tag = tag_for(self.component, version) if version else ""
        return f"arcctl config set {self.service.id} IMAGE_TAG {tag}" if tag else ""


def _passwords(user: str, project: Project) -> set[str]:
    """The settings with which services log in to a database as this user."""
    found = set()
    for service in project.catalogue.services.values():
        for rotation in (r for r in service.rotations if isinstance(r, Rotation)):
            login = rotation.login(project.settings.envs[service.id])
            if isinstance(login, Sql) and login.user == user:
                found |= {v.name for v in variables(service.env) if v.field == rotation.field}
    return found
