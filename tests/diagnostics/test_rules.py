"""Each rule on facts that break it: the whole line as a user reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from arcctl.diagnostics.diagnosis import Diagnosis, State
from arcctl.diagnostics.facts import Facts, File, Lookup, Removable, Taken, VolumeFacts
from arcctl.diagnostics.rules import judge
from arcctl.engines.base import EngineFacts, Unavailable
from arcctl.model.probe import Finding
from tests.fakes.machines import DISK, FINE, GIGABYTE, WITHOUT_DOCKER, changed_facts

_TIGHT = Finding(id="connections", status="warn", message="8 of 10 used", hint="close some")


def _sizes(**changed: Any) -> EngineFacts:
    assert FINE.engine.facts
    return replace(FINE.engine.facts, **changed)


def _labelled(label: str) -> Facts:
    return changed_facts("directory", selinux_label=label)


def _line(diagnosis: Diagnosis) -> str:
    return f"{diagnosis.state} {diagnosis.id}: {diagnosis.evidence}" + (f" -> {diagnosis.fix}" if diagnosis.fix else "")


def _complaints(facts: Facts) -> list[str]:
    return [_line(diagnosis) for diagnosis in judge(facts) if diagnosis.state is not State.OK]


def test_without_problems_every_diagnosis_says_what_was_measured() -> None:
    assert [_line(diagnosis) for diagnosis in judge(FINE)] == [
        "ok project: /srv/toy, secrets generated",
        "ok settings: 8 settings are valid",
        "ok modes: only you can read the 2 private files and folders",
        "ok mounts: containers can read what they mount",
        "ok owner: all private files belong to ada",
        "ok env-link: plain `docker compose` finds the settings",
        "ok unfinished: no command was interrupted",
        "ok engine: Docker 28.5.2, Compose 2.40.3",
        "ok cgroup: cgroup v2, memory controller on",
        "ok storage: overlay2",
        "ok time: the engine's clock is 0.1 s ahead",
        "ok memory: the engine has 16384 MiB, all services together may use 1024 MiB",
        "ok disk: /var/lib: 40.0 GiB of 100.0 GiB free (40 %)",
        "ok dns: store resolves the names of other containers and index.example",
        "ok proxy: no proxy is set",
        "ok ports: all are free or used by this project",
        "ok other-projects: no other project is in the way",
        "ok incomplete-volume: arc_store_data: initialised",
        "ok data-version: arc_store_data has version 18",
        "ok python: 3.11.7 at /usr/bin/python3",
        "ok account: runs as ada",
        "ok clock: 2027-01-15 08:00:00 UTC",
        "ok open-files: a process may open 20000 files, and raise that to 20000",
        "ok inotify: 200000 watches and 512 instances per user",
        "ok overcommit: vm.overcommit_memory is 1",
    ]


def test_what_is_used_of_each_limit_is_said_where_all_is_well() -> None:
    fine = replace(_TIGHT, status="pass")
    shown = [_line(d) for d in judge(replace(FINE, findings=(("store", fine), ("bus", fine)))) if d.id == "usage"]
    assert shown == ["ok usage: store: 8 of 10 used; bus: 8 of 10 used"]


def test_a_user_who_may_not_use_docker_is_told_where_another_engine_is_in_use() -> None:
    denied = changed_facts("engine", WITHOUT_DOCKER, docker_refused=("permission denied", "get in"))
    assert _complaints(denied) == ["warn docker: permission denied -> get in"]


def test_without_docker_the_rules_are_those_of_local_processes() -> None:
    own = {f.id for f in judge(WITHOUT_DOCKER)} - {f.id for f in judge(FINE)}
    gone = {f.id for f in judge(FINE)} - {f.id for f in judge(WITHOUT_DOCKER)}
    assert own == {"servers", "socket", "supervisor", "low-ports"}
    assert gone == {"mounts", "cgroup", "storage", "time", "dns", "incomplete-volume", "data-version"}
    assert _complaints(WITHOUT_DOCKER) == []


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (
            changed_facts("host", python=(3, 10, 2)),
            "problem python: 3.10.2 at /usr/bin/python3 -> install Python 3.11 or newer, then make up",
        ),
        (
            changed_facts("host", root=True, user="root", unprivileged=False),
            "problem account: runs as root, but there is no account `nobody` for servers that refuse root"
            " -> sudo useradd --system --no-create-home nobody",
        ),
        (
            changed_facts("directory", newest=1_800_000_500.0),
            "problem clock: 2027-01-15 08:00:00 UTC, but files of the project are from 500 s later"
            " -> sudo timedatectl set-ntp true",
        ),
        (
            changed_facts("host", open_files=(256, 4096)),
            "warn open-files: a process may open 256 files, and raise that to 4096 -> ulimit -n 4096, then arcctl up",
        ),
        (
            changed_facts("host", open_files=(256, 512)),
            "problem open-files: a process may open 256 files, and raise that to 512"
            " -> sudo prlimit --pid $$ --nofile=65536, then arcctl up",
        ),
        (
            changed_facts("host", inotify_instances=64),
            "warn inotify: 200000 watches and 64 instances per user"
            " -> sudo sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512",
        ),
        (
            changed_facts("host", overcommit=0),
            "warn overcommit: vm.overcommit_memory is 0: servers that fork to save their data may fail when memory"
            " is short -> sudo sysctl -w vm.overcommit_memory=1",
        ),
        (
            replace(changed_facts("host", wsl=True), directory=replace(FINE.directory, root="/mnt/c/arc")),
            "warn wsl: WSL, the project directory is on a Windows disk, where file modes have no effect"
            " -> move the project directory below ~, then arcctl --project-directory ~/arc up",
        ),
        (
            changed_facts("engine", problem=("cannot reach the Docker engine", "start Docker")),
            "problem engine: cannot reach the Docker engine -> start Docker",
        ),
        (
            changed_facts("engine", facts=_sizes(versions={"Docker": "24.0.7"})),
            "problem engine: Docker 24.0.7 is too old -> install Docker 28.0 or newer",
        ),
        (
            changed_facts("engine", compose_problem=("Docker has no Compose plugin", "install it")),
            "problem compose: Docker has no Compose plugin -> install it",
        ),
        (
            changed_facts("engine", cgroup="1"),
            "warn cgroup: cgroup v1, memory controller on -> add systemd.unified_cgroup_hierarchy=1"
            " to the kernel's command line, then reboot",
        ),
        (
            changed_facts("engine", memory_limits=False),
            "warn cgroup: cgroup v2 without the memory controller: memory limits have no effect"
            " -> add cgroup_enable=memory swapaccount=1 to the kernel's command line, then reboot",
        ),
        (
            changed_facts("engine", storage="vfs"),
            "warn storage: vfs: slow, and every container copies its whole image"
            ' -> set "storage-driver": "overlay2" in /etc/docker/daemon.json, then restart Docker',
        ),
        (
            changed_facts("engine", skew=-12.5),
            "warn time: the engine's clock is 12.5 s behind -> sudo hwclock --hctosys on the machine of the engine,"
            " or restart Docker Desktop",
        ),
        (
            changed_facts("engine", skew=4000.0),
            "problem time: the engine's clock is 4000.0 s ahead"
            " -> sudo hwclock --hctosys on the machine of the engine,"
            " or restart Docker Desktop",
        ),
        (
            changed_facts("engine", facts=_sizes(memory=GIGABYTE // 4)),
            "warn memory: the engine has 256 MiB, all services together may use 1024 MiB"
            " -> give the engine more memory, or start fewer services: arcctl up NAME",
        ),
        (
            changed_facts("engine", facts=_sizes(disk=replace(DISK, free=GIGABYTE))),
            "problem disk: /var/lib: 1.0 GiB of 100.0 GiB free (1 %) -> docker system df",
        ),
        (
            changed_facts("directory", mounted=(File(path="config/redis", mode=0o700, wanted=0o755, owner="ada"),)),
            "problem mounts: containers cannot read what they mount: config/redis has mode 0700 instead of 0755"
            " -> arcctl doctor --fix",
        ),
        (
            changed_facts("engine", selinux=True),
            "warn selinux: SELinux confines containers, and config/ has the label of another machine"
            " -> sudo chcon -Rt container_file_t /srv/toy/config",
        ),
        (
            changed_facts("engine", selinux=True, base=_labelled("user_u:object_r:user_home_t:s0")),
            "warn selinux: SELinux confines containers, and config/ has the label user_u:object_r:user_home_t:s0"
            " -> sudo chcon -Rt container_file_t /srv/toy/config",
        ),
        (
            changed_facts("engine", WITHOUT_DOCKER, facts=_sizes(disk=replace(DISK, free=0))),
            "problem disk: /var/lib: 0 MiB of 100.0 GiB free (0 %) -> df -h /var/lib",
        ),
        (
            changed_facts("engine", facts=_sizes(disk=replace(DISK, free=5 * GIGABYTE))),
            "warn disk: /var/lib: 5.0 GiB of 100.0 GiB free (5 %) -> docker system df",
        ),
        (
            changed_facts("engine", facts=_sizes(disk=replace(DISK, refuses="read-only file system"))),
            "problem disk: /var/lib: read-only file system -> findmnt -T /var/lib; ls -ld /var/lib",
        ),
        (
            replace(
                changed_facts("directory", disk=replace(DISK, path="/home", size=GIGABYTE, free=0)),
                removable=(
                    Removable(what="a backup", size=1 << 20, command="arcctl backup delete small"),
                    Removable(what="a backup", size=3 << 20, command="arcctl backup delete big"),
                    Removable(what="a backup", size=1 << 10, command="arcctl backup delete tiny"),
                    Removable(what="servers that were built", size=2 << 20, command="arcctl engine clean"),
                ),
            ),
            "problem project-disk: /home: 0 MiB of 1.0 GiB free (0 %) -> arcctl backup delete big (a backup, 3 MiB),"
            " arcctl engine clean (servers that were built, 2 MiB), arcctl backup delete small (a backup, 1 MiB)",
        ),
        (
            changed_facts("engine", facts=_sizes(disk=None)),
            "unknown disk: the engine keeps its data on another machine -> docker system df",
        ),
        (
            changed_facts("engine", lookup=None),
            "unknown dns: no container that can look up names is running -> arcctl up --stack",
        ),
        (
            changed_facts(
                "engine", lookup=Lookup(inside="store", containers_found=False, outer="x.example", outer_found=True)
            ),
            "problem dns: store cannot resolve the names of other containers -> arcctl down, then arcctl up",
        ),
        (
            changed_facts(
                "engine", lookup=Lookup(inside="store", containers_found=True, outer="x.example", outer_found=False)
            ),
            "warn dns: store cannot resolve x.example, but this machine can"
            ' -> set "dns" in /etc/docker/daemon.json to a server that containers can reach, then restart Docker',
        ),
        (
            replace(FINE, proxies={"http_proxy": "http://p:3128", "no_proxy": "localhost,.corp"}),
            "warn proxy: HTTP_PROXY is set without 127.0.0.1 in NO_PROXY: requests to your services go to the proxy"
            " -> export NO_PROXY=.corp,localhost,127.0.0.1,.localhost",
        ),
        (
            replace(FINE, proxies={"grpc_proxy": "http://p:3128"}),
            "warn proxy: GRPC_PROXY is set without 127.0.0.1 and localhost in NO_PROXY: requests to your services go to"
            " the proxy -> export NO_PROXY=127.0.0.1,localhost,.localhost",
        ),
        (
            replace(FINE, taken=(Taken(port=80, service="front", owner="nginx (pid 42)"),)),
            "problem ports: 80 (front) is used by nginx (pid 42)"
            " -> stop that program, or set another port; to see the settings: arcctl config show",
        ),
        (
            replace(FINE, taken=None),
            "unknown ports: not checked: this needs valid settings and an engine",
        ),
        (
            changed_facts("directory", initialised=False, secrets_lost=True, problem=("it is lost", "find it")),
            "problem secrets-lost: it is lost -> find it",
        ),
        (
            replace(WITHOUT_DOCKER, directory=replace(FINE.directory, initialised=False)),
            "problem project: /srv/toy has no secrets yet -> arcctl init",
        ),
        (
            changed_facts("directory", problem=("FRONT_PORT: no number", "see .env.example")),
            "problem settings: FRONT_PORT: no number -> see .env.example",
        ),
        (
            changed_facts("directory", near_misses=("unknown setting FRONT_MOTO, did you mean FRONT_MOTTO?",)),
            "warn environment: unknown setting FRONT_MOTO, did you mean FRONT_MOTTO?"
            " -> unset it or correct its name; to see the names: arcctl config show",
        ),
        (
            changed_facts("directory", link="compose/.env points to nowhere", linkable=True),
            "warn env-link: compose/.env points to nowhere -> arcctl doctor --fix",
        ),
        (
            changed_facts("directory", link="compose/.env is a regular file", link_blocked=True),
            "warn env-link: compose/.env is a regular file"
            " -> mv compose/.env compose/.env.old, then arcctl doctor --fix",
        ),
        (
            changed_facts("directory", link="compose/.env is missing"),
            "warn env-link: compose/.env is missing -> arcctl init",
        ),
        (
            changed_facts(
                "directory", private=(File(path=".arcctl", mode=0o700, wanted=0o700, owner="root", mine=False),)
            ),
            "problem owner: .arcctl belongs to root -> sudo chown -R ada /srv/toy/.arcctl",
        ),
        (
            changed_facts(
                "engine",
                other_projects=("arc_store of /home/old",),
                about_other_projects="arcctl --project-directory /home/old down",
            ),
            "warn other-projects: arc_store of /home/old -> arcctl --project-directory /home/old down",
        ),
        (
            replace(FINE, started=False),
            "warn old-data: this project was never started, but the engine has its data: arc_store_data"
            " -> copy .arcctl/secrets.env from the project that created it",
        ),
        (
            changed_facts("engine", undeclared=("arc_gone_data",), about_undeclared="docker volume rm arc_gone_data"),
            "warn stale-volumes: no service declares these volumes: arc_gone_data -> docker volume rm arc_gone_data",
        ),
        (
            changed_facts("engine", volumes=(VolumeFacts(name="store_data", service="store", missing=("A", "B")),)),
            "problem incomplete-volume: store_data has data, but A, B missing or empty -> arcctl backup list,"
            " then arcctl backup restore NAME",
        ),
        (
            changed_facts(
                "engine", volumes=(VolumeFacts(name="store_data", service="store", version="16", wanted="18"),)
            ),
            "problem data-version: store_data has data of version 16, store is 18"
            " -> set the image tag that wrote the data, then arcctl upgrade",
        ),
        (
            replace(FINE, findings=(("store", _TIGHT), ("store", replace(_TIGHT, status="pass")))),
            "warn store-connections: store: 8 of 10 used -> close some",
        ),
        (
            replace(FINE, findings=(("store", replace(_TIGHT, status="fail")),)),
            "problem store-connections: store: 8 of 10 used -> close some",
        ),
        (
            changed_facts("engine", WITHOUT_DOCKER, supervisor="gone", outlived=(1, 2)),
            "problem supervisor: no longer running: it was killed, or the machine was restarted;"
            " it left 2 servers that are not restarted when they fail -> arcctl up",
        ),
        (
            changed_facts("engine", WITHOUT_DOCKER, supervisor="silent"),
            "problem supervisor: does not answer, although it runs: its socket was removed, or it hangs -> arcctl up",
        ),
        (
            changed_facts("engine", WITHOUT_DOCKER, socket="/" + "x" * 120),
            f"problem socket: the path /{'x' * 120} has 121 bytes, of at most 107"
            " -> use a shorter project directory: arcctl --project-directory ~/arc init",
        ),
        (
            changed_facts(
                "engine",
                WITHOUT_DOCKER,
                unavailable={
                    "front": Unavailable("front must be built first, about 5 min", "arcctl engine build front"),
                    "store": Unavailable("building store takes go", "install go, then arcctl engine build store"),
                    "shop": Unavailable("no package brings this server", "arcctl --engine docker up shop"),
                },
            ),
            "warn servers: front: front must be built first, about 5 min; store: building store takes go;"
            " only in containers: shop -> install go, then arcctl engine build store",
        ),
        (
            replace(WITHOUT_DOCKER, low_ports={80: "front", 443: "front"}),
            "warn low-ports: only root may listen below 1024: 80 (front), 443 (front)"
            " -> sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80",
        ),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
)
def test_one_problem_is_one_line_with_evidence_and_fix(facts: Facts, line: str) -> None:
    assert _complaints(facts) == [line]


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (changed_facts("host", open_files=None), "unknown open-files: the system does not say"),
        (changed_facts("engine", facts=_sizes(memory=0)), "unknown memory: the engine does not say"),
        (changed_facts("engine", facts=None), "ok engine: docker answers"),
        (changed_facts("host", wsl=True), "ok wsl: WSL, the project directory is on a Linux disk"),
        (
            changed_facts("engine", WITHOUT_DOCKER, supervisor="stopped"),
            "ok supervisor: not needed: nothing was started",
        ),
        (changed_facts("engine", WITHOUT_DOCKER, supervisor="running"), "ok supervisor: running"),
        (
            replace(FINE, proxies={"http_proxy": "http://p", "no_proxy": "*"}),
            "ok proxy: HTTP_PROXY is set, but not for 127.0.0.1",
        ),
    ],
)
def test_what_is_no_problem_is_said_too(facts: Facts, line: str) -> None:
    assert line in [_line(diagnosis) for diagnosis in judge(facts)]


def test_a_label_that_containers_may_read_is_no_problem() -> None:
    facts = changed_facts("engine", selinux=True, base=_labelled("system_u:object_r:container_file_t:s0"))
    assert (_complaints(facts), "selinux" in {d.id for d in judge(facts)}) == ([], True)


def test_a_project_without_private_files_has_no_modes_and_no_owner_to_judge() -> None:
    found = {diagnosis.id for diagnosis in judge(FINE)}
    assert found - {diagnosis.id for diagnosis in judge(changed_facts("directory", private=()))} == {"modes", "owner"}


def test_a_machine_that_is_offline_is_no_problem_of_the_engine() -> None:
    facts = changed_facts(
        "engine",
        lookup=Lookup(inside="store", containers_found=True, outer="x.example", outer_found=False, host_finds=False),
    )
    (dns,) = [diagnosis for diagnosis in judge(facts) if diagnosis.id == "dns"]
    assert _line(dns) == (
        "ok dns: store resolves the names of other containers but not x.example, like this machine (offline)"
    )


def test_another_kernel_is_not_judged_by_this_one() -> None:
    assert _complaints(changed_facts("engine", same_kernel=False)) == [
        "unknown inotify: the kernel of the engine does not say",
        "unknown overcommit: the kernel of the engine does not say",
    ]
