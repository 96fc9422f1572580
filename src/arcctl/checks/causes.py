"""Why a server cannot run: its log is read for what its declaration and all systems say of known causes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from arcctl.checks.cause_report import GENERAL, Explanation, Found, Secret, Surroundings, explain, find
from arcctl.model.data_version import SERVERS_NOTE
from arcctl.model.env import ServiceEnv, variables
from arcctl.model.host_ports import PRIVILEGED, HostPort
from arcctl.model.probe import Answer
from arcctl.model.rotation import Rotation
from arcctl.model.service import BindMount, Component, Service, Volume
from arcctl.model.smoke_test import Sql
from arcctl.model.symptom import Cause
from arcctl.project import Project
from arcctl.settings.installation import install
from arcctl.settings.resolve import ENVIRONMENT

LINES = 60
"""How many lines of a log are read: those of the last starts."""
LOW_SHIFT = 8000
"""What is added to a port that only root may use."""

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
                told := _cause(component, service, project, newest, answers.get(component.id))
            ):
                found[component.id] = told
    return found


def _cause(
    component: Component[Any],
    service: Service[Any],
    project: Project,
    newest: NewestBackup,
    answer: Answer | None,
) -> Explanation | None:
    log = project.engine.logs([component.id], follow=False, since="", tail=str(LINES)) if answer is None else ()
    lines = (*log, answer.reason if answer else "")
    found = find((*service.checks.symptoms, *GENERAL), lines)
    return explain(found, _Case(found, component, service, project, newest).surroundings()) if found else None


@dataclass(frozen=True)
class _Case:
    found: Found
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
        return self.found.groups.get("path", "")

    def surroundings(self) -> Surroundings:
        engine, port = self.project.engine, self._port()
        place, (file, same_lines) = engine.runs_as(self.component.id), self._file()
        mounts = self.component.storage.mounts(self._env)
        volumes = tuple(engine.volume_name(self.component.id, m.name) for m in mounts if isinstance(m, Volume))
        return Surroundings(
            service=self.service.id,
            local=self._local,
            user=place.user,
            inside=self._is_inside(place.folder),
            backup=self.newest(self.service.id) if self.found.symptom.cause is Cause.DATA else "",
            volumes=volumes,
            data=f"{place.folder}/data/{volumes[0]}" if place.folder and volumes else "",
            port=port,
            owner=self.project.port_owner(port.number) if port and self.project.ports.taken(port.number) else "",
            free=self._free(port) if port else 0,
            secret=self._secret(),
            file=file,
            same_lines=same_lines,
            earlier=self._earlier(),
        )

    def _is_inside(self, folder: str) -> bool:
        """Whether the path in the log is one that arcctl made for its processes, or unknown."""
        own = (f"{folder}/data/", f"{folder}/run/")
        return not (folder and self._path) or self._path.startswith(own)

    def _port(self) -> HostPort | None:
        """The one that the log names, else the first of its own that somebody listens on."""
        mine = [port for port in self.project.host_ports() if port.component == self.component.id]
        if named := int(self.found.groups.get("port", "0")):
            return next((port for port in mine if port.number == named), None)
        taken = (port for port in mine if self.project.ports.taken(port.number))
        return next(taken, None) if self.found.symptom.cause is Cause.PORT else None

    def _free(self, port: HostPort) -> int:
        return self.project.free_port(port.number + (LOW_SHIFT - 1 if port.number < PRIVILEGED else 0))

    def _file(self) -> tuple[str, bool]:
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

    def _secret(self) -> Secret | None:
        """The setting with the password of the user that the log names."""
        if self.found.symptom.cause is not Cause.PASSWORD:
            return None
        names = {self.found.symptom.setting} | _passwords(self.found.groups.get("user", ""), self.project)
        values = self.project.settings.values
        value = next((values[name] for name in sorted(names) if name in values), None)
        if value is None:
            return None
        name = value.variable.name
        return Secret(
            service=value.service,
            name=name,
            origin="the environment" if value.origin == ENVIRONMENT else value.origin,
            from_environment=value.origin == ENVIRONMENT,
            generated=value.origin.startswith("config/") and name in self.project.directory.secrets(),
        )

    def _earlier(self) -> str:
        """The command that installs the server that last ran with this data."""
        package, _, version = self.project.directory.note(SERVERS_NOTE).get(self.component.id, "").partition(" ")
        return install(f"{package}=={version}") if version and self._local else ""


def _passwords(user: str, project: Project) -> set[str]:
    """The settings with which services log in to a database as this user."""
    found = set()
    for service in project.catalogue.services.values():
        for rotation in (r for r in service.rotations if isinstance(r, Rotation)):
            login = rotation.login(project.settings.envs[service.id])
            if isinstance(login, Sql) and login.user == user:
                found |= {v.name for v in variables(service.env) if v.field == rotation.field}
    return found
