"""Facts of a machine without problems, with and without Docker; tests change one at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arcctl.diagnostics.facts import EngineReport, Facts, File, Host, Lookup, ProjectFacts, VolumeFacts
from arcctl.engines.base import EngineFacts
from arcctl.model.disk import Disk

GIGABYTE = 1 << 30
DISK = Disk(path="/var/lib", size=100 * GIGABYTE, free=40 * GIGABYTE)
DOCKER = EngineReport(
    name="docker",
    facts=EngineFacts(versions={"Docker": "28.5.2", "Compose": "2.40.3"}, memory=16 * GIGABYTE, cpus=2, disk=DISK),
    cgroup="2",
    memory_limits=True,
    storage="overlay2",
    skew=0.1,
    lookup=Lookup(inside="store", containers_found=True, outer="index.example", outer_found=True),
    lookup_possible=True,
    volumes=(VolumeFacts(name="arc_store_data", service="store", version="18", wanted="18"),),
    all_volumes=("arc_store_data",),
)
EMBEDDED = EngineReport(
    name="embedded",
    facts=EngineFacts(versions={"Supervisor": "4.3.0"}, memory=16 * GIGABYTE, cpus=2, disk=DISK),
    supervisor="running",
    socket="/srv/toy/.arcctl/embedded/s",
    socket_limit=107,
)
FINE = Facts(
    host=Host(
        python=(3, 11, 7),
        interpreter="/usr/bin/python3",
        now=1_800_000_000.0,
        user="ada",
        open_files=(20_000, 20_000),
        inotify_watches=200_000,
        inotify_instances=512,
        overcommit=1,
        lowest_port=1024,
    ),
    directory=ProjectFacts(
        root="/srv/toy",
        initialised=True,
        private=(
            File(path=".arcctl", mode=0o700, wanted=0o700, owner="ada"),
            File(path=".arcctl/secrets.env", mode=0o600, wanted=0o600, owner="ada"),
        ),
        newest=1_799_999_000.0,
        link_path="compose/.env",
        settings=8,
    ),
    engine=DOCKER,
    proxies={},
    taken=(),
    memory_wanted=GIGABYTE,
    started=True,
)
WITHOUT_DOCKER = replace(FINE, engine=EMBEDDED)


def changed_facts(part: str, base: Facts = FINE, **changed: Any) -> Facts:
    """The facts with fields of one part replaced."""
    return replace(base, **{part: replace(getattr(base, part), **changed)})
