"""Each point of the checklist, on the facts that make it speak up: the whole line as a user reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from arcctl.core.checkup import judge
from arcctl.core.checkup.facts import Facts, File, Lookup, Taken, VolumeFacts
from arcctl.core.checkup.finding import Finding, State
from arcctl.core.observed import Unavailable
from arcctl.core.ports import EngineFacts
from tests.core.machines import GIGABYTE, WELL, WITHOUT_DOCKER, spoilt


def _sizes(**changed: Any) -> EngineFacts:
    assert WELL.engine.facts
    return replace(WELL.engine.facts, **changed)


def _line(finding: Finding) -> str:
    return f"{finding.state} {finding.id}: {finding.evidence}" + (f" -> {finding.fix}" if finding.fix else "")


def _complaints(facts: Facts) -> list[str]:
    return [_line(finding) for finding in judge(facts) if finding.state is not State.OK]


def test_where_nothing_is_wrong_every_point_says_what_was_measured() -> None:
    assert [_line(finding) for finding in judge(WELL)] == [
        "ok home: /home/toy, secrets generated",
        "ok settings: 8 values fit",
        "ok modes: 2 private files and folders are yours alone",
        "ok owner: all belongs to ada",
        "ok env-link: plain `docker compose` finds the settings",
        "ok unfinished: no command was cut off",
        "ok engine: Docker 28.5.2, Compose 2.40.3",
        "ok cgroup: cgroup v2, memory controller on",
        "ok storage: overlay2",
        "ok time: the engine's clock is 0.1 s ahead",
        "ok memory: the engine has 16384 MiB, all services together may use 1024 MiB",
        "ok disk: 40.0 GiB free",
        "ok dns: inside store the names of containers are found, and index.example too",
        "ok proxy: no proxy is set",
        "ok ports: all free or ours",
        "ok other-homes: no other home is in the way",
        "ok half-volume: arc_store_data: initialised",
        "ok data-version: arc_store_data has version 18",
        "ok python: 3.11.7 at /usr/bin/python3",
        "ok account: runs as ada",
        "ok clock: 2027-01-15 08:00:00 UTC",
        "ok open-files: 20000 files at once, 20000 at the most",
        "ok inotify: 200000 watches, 512 instances for a user",
        "ok overcommit: vm.overcommit_memory is 1",
    ]


def test_without_docker_the_points_are_those_of_local_processes() -> None:
    own = {f.id for f in judge(WITHOUT_DOCKER)} - {f.id for f in judge(WELL)}
    gone = {f.id for f in judge(WELL)} - {f.id for f in judge(WITHOUT_DOCKER)}
    assert own == {"servers", "socket", "supervisor", "low-ports"}
    assert gone == {"cgroup", "storage", "time", "dns", "half-volume", "data-version"}
    assert _complaints(WITHOUT_DOCKER) == []


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (
            spoilt("host", python=(3, 10, 2)),
            "problem python: 3.10.2 at /usr/bin/python3 -> install Python 3.11 or newer, then make up",
        ),
        (
            spoilt("host", root=True, user="root", unprivileged=False),
            "problem account: runs as root, and there is no account `nobody` for servers that refuse root"
            " -> sudo useradd --system --no-create-home nobody",
        ),
        (
            spoilt("home", newest=1_800_000_500.0),
            "problem clock: 2027-01-15 08:00:00 UTC, but files of the home were written 500 s later"
            " -> sudo timedatectl set-ntp true",
        ),
        (
            spoilt("host", open_files=(256, 4096)),
            "warn open-files: 256 files at once, 4096 at the most -> ulimit -n 65536, then arcctl up",
        ),
        (
            spoilt("host", open_files=(256, 512)),
            "problem open-files: 256 files at once, 512 at the most -> ulimit -n 65536, then arcctl up",
        ),
        (
            spoilt("host", inotify_instances=64),
            "warn inotify: 200000 watches, 64 instances for a user"
            " -> sudo sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512",
        ),
        (
            spoilt("host", overcommit=0),
            "warn overcommit: vm.overcommit_memory is 0: a server that saves its memory by a fork may fail when memory"
            " is short -> sudo sysctl -w vm.overcommit_memory=1",
        ),
        (
            replace(spoilt("host", wsl=True), home=replace(WELL.home, root="/mnt/c/arc")),
            "warn wsl: WSL, the home is on a disk of Windows, where modes of files do not hold"
            " -> move the home below ~, then arcctl --home ~/arc up",
        ),
        (
            spoilt("engine", problem=("no Docker engine answers", "start Docker")),
            "problem engine: no Docker engine answers -> start Docker",
        ),
        (
            spoilt("engine", facts=_sizes(versions={"Docker": "24.0.7"})),
            "problem engine: Docker 24.0.7 is too old -> install Docker 25.0 or newer",
        ),
        (
            spoilt("engine", compose_problem=("Docker has no Compose plugin", "install it")),
            "problem compose: Docker has no Compose plugin -> install it",
        ),
        (
            spoilt("engine", cgroup="1"),
            "warn cgroup: cgroup v1, memory controller on -> boot with systemd.unified_cgroup_hierarchy=1",
        ),
        (
            spoilt("engine", memory_limits=False),
            "warn cgroup: cgroup v2 without the memory controller: limits of memory do not hold"
            " -> add cgroup_enable=memory swapaccount=1 to the kernel's command line, then restart",
        ),
        (
            spoilt("engine", storage="vfs"),
            "warn storage: vfs: slow, and every container is a whole copy of its image"
            ' -> set "storage-driver": "overlay2" in /etc/docker/daemon.json, then restart Docker',
        ),
        (
            spoilt("engine", skew=-12.5),
            "warn time: the engine's clock is 12.5 s behind -> restart Docker, or sudo hwclock --hctosys where it runs",
        ),
        (
            spoilt("engine", skew=4000.0),
            "problem time: the engine's clock is 4000.0 s ahead"
            " -> restart Docker, or sudo hwclock --hctosys where it runs",
        ),
        (
            spoilt("engine", facts=_sizes(memory=GIGABYTE // 4)),
            "warn memory: the engine has 256 MiB, all services together may use 1024 MiB"
            " -> give the engine more memory, or start less: arcctl up NAME",
        ),
        (
            spoilt("engine", facts=_sizes(disk_free=GIGABYTE)),
            "problem disk: 1.0 GiB free -> docker system df, then docker image prune",
        ),
        (
            spoilt("engine", facts=_sizes(disk_free=0)),
            "unknown disk: the engine keeps its data in another machine -> docker system df",
        ),
        (
            spoilt("engine", lookup=None),
            "unknown dns: no container runs in which names could be resolved -> arcctl up --stack",
        ),
        (
            spoilt("engine", lookup=Lookup(inside="store", own=False, outer="x.example", outer_found=True)),
            "problem dns: inside store the names of other containers are not found -> arcctl down, then arcctl up",
        ),
        (
            spoilt("engine", lookup=Lookup(inside="store", own=True, outer="x.example", outer_found=False)),
            "warn dns: inside store x.example is not found, and this machine finds it"
            ' -> set "dns" in /etc/docker/daemon.json to a server that containers can reach, then restart Docker',
        ),
        (
            replace(WELL, proxies={"http_proxy": "http://p:3128", "no_proxy": "localhost,.corp"}),
            "warn proxy: HTTP_PROXY without 127.0.0.1 in NO_PROXY: programs would ask the proxy for your services"
            " -> export NO_PROXY=.corp,localhost,127.0.0.1,.localhost",
        ),
        (
            replace(WELL, taken=(Taken(port=80, service="front", owner="nginx (pid 42)"),)),
            "problem ports: taken: 80 (front) by nginx (pid 42) -> free them, or set other ones: arcctl config show",
        ),
        (
            replace(WELL, taken=None),
            "unknown ports: cannot be looked at before settings and engine are well",
        ),
        (
            spoilt("home", initialised=False),
            "problem secrets-lost: /home/toy has no secrets, and the engine holds data: arc_store_data"
            " -> go to the home that has them, restore .arcctl/secrets.env, or destroy the data: arcctl clean",
        ),
        (
            replace(WITHOUT_DOCKER, home=replace(WELL.home, initialised=False)),
            "problem home: /home/toy has no secrets yet -> arcctl init",
        ),
        (
            spoilt("home", problem=("FRONT_PORT: no number", "see .env.example")),
            "problem settings: FRONT_PORT: no number -> see .env.example",
        ),
        (
            spoilt("home", near_misses=("unknown setting FRONT_MOTO, did you mean FRONT_MOTTO?",)),
            "warn environment: unknown setting FRONT_MOTO, did you mean FRONT_MOTTO?"
            " -> unset it, or spell it as the setting is spelt",
        ),
        (
            spoilt("home", private=(File(path=".arcctl", mode=0o700, wanted=0o700, owner="root", mine=False),)),
            "problem owner: .arcctl belongs to root -> sudo chown -R ada /home/toy/.arcctl",
        ),
        (
            spoilt("engine", foreign=("arc_store of /home/old",), remove_foreign="arcctl --home /home/old down"),
            "warn other-homes: arc_store of /home/old -> arcctl --home /home/old down",
        ),
        (
            replace(WELL, started=False),
            "warn old-data: this home was never started, and there is data already: arc_store_data"
            " -> bring .arcctl/secrets.env of the home that made it, or destroy it: arcctl clean",
        ),
        (
            spoilt("engine", undeclared=("arc_gone_data",), remove_undeclared="docker volume rm arc_gone_data"),
            "warn stale-volumes: no service declares them: arc_gone_data -> docker volume rm arc_gone_data",
        ),
        (
            spoilt("engine", volumes=(VolumeFacts(name="store_data", service="store", missing=("A", "B")),)),
            "problem half-volume: store_data has data but no A, B"
            " -> arcctl clean, then arcctl up --stack, and arcctl backup restore NAME where there is one",
        ),
        (
            spoilt("engine", volumes=(VolumeFacts(name="store_data", service="store", version="16", wanted="18"),)),
            "problem data-version: store_data has data of version 16, store is 18"
            " -> set the tag of the image that wrote it (arcctl config set), then arcctl upgrade says the way on",
        ),
        (
            spoilt("engine", WITHOUT_DOCKER, supervisor="gone", outlived=(1, 2)),
            "problem supervisor: the supervisor is gone: killed, or the machine was restarted,"
            " and left 2 servers behind that nobody would restart -> arcctl up",
        ),
        (
            spoilt("engine", WITHOUT_DOCKER, socket="/" + "x" * 120),
            f"problem socket: /{'x' * 120} has 121 of 100 characters -> arcctl --home ~/arc init, a shorter path",
        ),
        (
            spoilt(
                "engine",
                WITHOUT_DOCKER,
                unavailable={
                    "front": Unavailable("front must be built first, about 5 min", "arcctl engine build front"),
                    "store": Unavailable("building store takes go", "install go, then arcctl engine build store"),
                    "shop": Unavailable("no package brings this server", "arcctl --engine docker up shop"),
                },
            ),
            "warn servers: front: front must be built first, about 5 min; store: building store takes go;"
            " in containers only: shop -> install go, then arcctl engine build store",
        ),
        (
            replace(WITHOUT_DOCKER, low_ports={80: "front", 443: "front"}),
            "warn low-ports: 80 (front), 443 (front) below 1024, where only root may listen"
            " -> sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80",
        ),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
)
def test_a_point_that_is_wrong_says_its_evidence_and_its_fix_and_no_other_point_does(facts: Facts, line: str) -> None:
    assert _complaints(facts) == [line]


def test_offline_is_no_fault_of_the_engine() -> None:
    facts = spoilt(
        "engine",
        lookup=Lookup(inside="store", own=True, outer="x.example", outer_found=False, host_finds=False),
    )
    (dns,) = [finding for finding in judge(facts) if finding.id == "dns"]
    assert _line(dns) == (
        "ok dns: inside store the names of containers are found, x.example neither there nor here (offline)"
    )


def test_another_kernel_is_not_judged_by_this_one() -> None:
    assert _complaints(spoilt("engine", same_kernel=False)) == [
        "unknown inotify: the engine's kernel does not tell",
        "unknown overcommit: the engine's kernel does not tell",
    ]
