"""What often goes wrong on real machines: pure rules over facts that were collected once."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import PurePath

from arcctl.diagnostics.diagnosis import Aside, Diagnosis, EnvLink, Leftover, Mode, ok, problem, unknown, warn
from arcctl.diagnostics.facts import Facts
from arcctl.engines.base import too_old
from arcctl.engines.docker.products import WSL_MEMORY, Name, Product
from arcctl.model.disk import GIGABYTE, MEGABYTE, SPARE_BYTES, Disk, Space
from arcctl.model.host_ports import PRIVILEGED
from arcctl.model.names import LOCAL_NAMES, NO_PROXY, PROXIES

FIX = "arcctl doctor --fix"
BUILD, IN_CONTAINERS = "arcctl engine build", "arcctl --engine docker"
UNUSUAL_STORAGE = ("vfs", "devicemapper", "aufs", "overlay")
NOTABLE_SKEW, BAD_SKEW = 2.0, 30.0
"""Seconds between two clocks; more than the second breaks tokens, and metrics are refused as too old."""
OLDEST_PYTHON = (3, 11)
FEW_FILES, ENOUGH_FILES = 1024, 65536
"""The supervisor does not start with fewer than the first, and brokers run out of them."""
FEW_WATCHES, FEW_INSTANCES = 8192, 128
DRIFT = 60.0
"""Seconds by which a file may be newer than now."""
LARGEST = 3
"""How many things to remove are named where a disk is full."""
WINDOWS_DISK = "/mnt/"
CONTAINER_LABEL = "container_file_t"
"""What `:z` behind a mount would set."""


def _secrets(facts: Facts) -> Iterator[Diagnosis]:
    root = facts.directory.root
    if facts.directory.initialised:
        yield ok("project", f"{root}, secrets generated")
    elif facts.directory.problem and facts.directory.secrets_lost:
        yield problem("secrets-lost", *facts.directory.problem)
    else:
        yield problem("project", f"{root} has no secrets yet", "arcctl init")


def _settings(facts: Facts) -> Iterator[Diagnosis]:
    if facts.directory.secrets_lost:
        return
    if facts.directory.problem:
        yield problem("settings", *facts.directory.problem)
    else:
        yield ok("settings", f"{facts.directory.settings} settings are valid")


def _files(facts: Facts) -> Iterator[Diagnosis]:
    """Files that cannot be read; `settings` reports those with settings."""
    for text, fix, aside in facts.directory.unreadable:
        if (text, fix) != facts.directory.problem:
            yield problem("files", text, fix, repairs=(Aside(aside),) if aside else ())


def _near_misses(facts: Facts) -> Iterator[Diagnosis]:
    for text in facts.directory.near_misses:
        yield warn("environment", text, "unset it or correct its name; to see the names: arcctl config show")


def _modes(facts: Facts) -> Iterator[Diagnosis]:
    if facts.directory.private:
        readable = [file for file in facts.directory.private if file.mode & ~file.wanted & 0o077]
        text = ", ".join(f"{file.path} has mode {file.mode:04o} instead of {file.wanted:04o}" for file in readable)
        text = text or f"only you can read the {len(facts.directory.private)} private files and folders"
        repairs = tuple(Mode(file.path, file.wanted) for file in readable if file.mine)
        yield problem("modes", text, FIX, when=readable, repairs=repairs)


def _mounted(facts: Facts) -> Iterator[Diagnosis]:
    """Servers in containers run as users of their own."""
    if facts.engine.storage:
        files = facts.directory.mounted
        text = ", ".join(f"{file.path} has mode {file.mode:04o} instead of {file.wanted:04o}" for file in files)
        text = f"containers cannot read what they mount: {text}" if files else "containers can read what they mount"
        repairs = tuple(Mode(file.path, file.wanted) for file in files if file.mine)
        yield problem("mounts", text, FIX, when=files, repairs=repairs)


def _selinux(facts: Facts) -> Iterator[Diagnosis]:
    if facts.engine.selinux:
        label = facts.directory.selinux_label
        text = f"SELinux confines containers, and config/ has the label {label or 'of another machine'}"
        fix = f"sudo chcon -Rt {CONTAINER_LABEL} {shlex.quote(facts.directory.root)}/config"
        yield warn("selinux", text, fix, when=CONTAINER_LABEL not in label)


def _owner(facts: Facts) -> Iterator[Diagnosis]:
    if facts.directory.private:
        others = [file for file in facts.directory.private if not file.mine]
        text = ", ".join(f"{file.path} belongs to {file.owner}" for file in others)
        text = text or f"all private files belong to {facts.host.user}"
        fix = f"sudo chown -R {facts.host.user} {shlex.quote(facts.directory.root)}/.arcctl"
        yield (warn if facts.host.root else problem)("owner", text, fix, when=others)


def _env_link(facts: Facts) -> Iterator[Diagnosis]:
    directory, path = facts.directory, facts.directory.link_path
    if not directory.initialised:
        return
    if not directory.link:
        yield ok("env-link", "plain `docker compose` finds the settings")
    elif directory.linkable:
        yield warn("env-link", directory.link, FIX, repairs=(EnvLink(path),))
    elif directory.link_blocked:
        yield warn("env-link", directory.link, f"mv {path} {path}.old, then {FIX}")
    else:
        yield warn("env-link", directory.link, "arcctl init")


def _leftovers(facts: Facts) -> Iterator[Diagnosis]:
    if facts.directory.busy:
        yield ok("unfinished", f"{facts.directory.busy} is changing this project now")
        return
    left = (*facts.directory.leftovers, *facts.engine.unfinished)
    text = f"left by an interrupted command: {', '.join(left)}" if left else "no command was interrupted"
    yield warn("unfinished", text, FIX, when=left, repairs=tuple(Leftover(path) for path in left))


def _engine(facts: Facts) -> Iterator[Diagnosis]:
    report = facts.engine
    if report.problem:
        yield problem("engine", *report.problem)
        return
    versions = report.facts.versions if report.facts else {}
    old = too_old(versions)
    text = ", ".join(f"{name} {version}" for name, version in versions.items()) or f"{report.name} answers"
    yield problem("engine", *old) if old else ok("engine", text)


def _docker(facts: Facts) -> Iterator[Diagnosis]:
    if facts.engine.docker_refused:
        yield warn("docker", *facts.engine.docker_refused)


def _compose(facts: Facts) -> Iterator[Diagnosis]:
    if facts.engine.compose_problem:
        yield problem("compose", *facts.engine.compose_problem)


def _cgroup(facts: Facts) -> Iterator[Diagnosis]:
    report = facts.engine
    if report.cgroup and not report.memory_limits:
        text = f"cgroup v{report.cgroup} without the memory controller: memory limits have no effect"
        fix = "add cgroup_enable=memory swapaccount=1 to the kernel's command line, then reboot"
        yield warn("cgroup", text, fix)
    elif report.cgroup:
        fix = "add systemd.unified_cgroup_hierarchy=1 to the kernel's command line, then reboot"
        yield warn("cgroup", f"cgroup v{report.cgroup}, memory controller on", fix, when=report.cgroup == "1")


def _storage(facts: Facts) -> Iterator[Diagnosis]:
    driver = facts.engine.storage
    if driver:
        slow = driver in UNUSUAL_STORAGE
        text = f"{driver}: slow, and every container copies its whole image" if slow else driver
        fix = 'set "storage-driver": "overlay2" in /etc/docker/daemon.json, then restart Docker'
        yield warn("storage", text, fix, when=slow)


def _time(facts: Facts) -> Iterator[Diagnosis]:
    skew = facts.engine.skew
    if skew is not None:
        text = f"the engine's clock is {abs(skew):.1f} s {'ahead' if skew > 0 else 'behind'}"
        fix = "sudo hwclock --hctosys on the machine of the engine, or restart Docker Desktop"
        level = problem if abs(skew) > BAD_SKEW else warn
        yield level("time", text, fix, when=abs(skew) > NOTABLE_SKEW)


def _memory(facts: Facts) -> Iterator[Diagnosis]:
    if facts.engine.facts is None:
        return
    has, wanted = facts.engine.facts.memory, facts.memory_wanted
    if not has:
        yield unknown("memory", "the engine does not say")
        return
    least = facts.memory_default if facts.memory_default else wanted
    text = f"the engine has {has // MEGABYTE} MiB, all services together may use {wanted // MEGABYTE} MiB"
    if least < wanted:
        text += f", those that `arcctl up` starts {least // MEGABYTE} MiB"
    enough = -(-(least if has < least // 2 else wanted // 2) // GIGABYTE)
    more = _more_memory(facts, enough) or "give the engine more memory"
    yield warn("memory", text, f"{more}, or start fewer services: arcctl up NAME", when=has < wanted // 2)


def _more_memory(facts: Facts, gib: int) -> str:
    """What gives a virtual machine that much memory; empty for an engine without one."""
    found = _virtual(facts)
    if found and facts.engine.in_wsl:
        return WSL_MEMORY.format(gib=gib)
    return found.give(gib) if found else ""


def _virtual(facts: Facts) -> Product | None:
    """Whose virtual machine the engine is in. On Linux, Podman needs none."""
    found = facts.engine.product
    return None if found and found.name is Name.PODMAN and facts.engine.same_kernel else found


def _disk(facts: Facts) -> Iterator[Diagnosis]:
    if facts.engine.facts is None:
        return
    disk, own = facts.engine.facts.disk, facts.directory.disk
    if disk:
        yield _space("disk", disk, facts, "docker system df" if facts.engine.storage else f"df -h {_quoted(disk)}")
    else:
        yield unknown("disk", "the engine keeps its data on another machine", "docker system df")
    if own and own.space is not Space.ENOUGH and not (disk and (own.size, own.files) == (disk.size, disk.files)):
        yield _space("project-disk", own, facts, f"df -h {_quoted(own)}")


def _space(id: str, disk: Disk, facts: Facts, otherwise: str) -> Diagnosis:
    """What arcctl can remove comes first, the biggest first; without such things it is `otherwise`."""
    if disk.refuses:
        return problem(id, str(disk), f"findmnt -T {_quoted(disk)}; ls -ld {_quoted(disk)}")
    largest = sorted(facts.removable, key=lambda item: -item.size)[:LARGEST]
    fix = ", ".join(f"{item.command} ({item.what}, {item.size / MEGABYTE:.0f} MiB)" for item in largest)
    level = problem if disk.space is Space.NONE or disk.free < SPARE_BYTES else warn
    return level(id, str(disk), fix or otherwise, when=disk.space is not Space.ENOUGH)


def _quoted(disk: Disk) -> str:
    return shlex.quote(disk.path)


def _rootless(facts: Facts) -> Iterator[Diagnosis]:
    if facts.engine.rootless:
        text = "the engine runs without root: limits need cgroup v2, and ports below 1024 need a kernel setting"
        yield ok("rootless", text)


def _product(facts: Facts) -> Iterator[Diagnosis]:
    found, report = facts.engine.product, facts.engine
    if found and found.name is Name.PODMAN:
        version = report.facts.versions.get(found.name, "") if report.facts else ""
        text = f"{' '.join(filter(None, (found.name, version)))} answers in the place of Docker: not tested with arcctl"
        fix = "where there is a Docker engine too: unset DOCKER_HOST, then docker context use default"
        yield warn("product", text, fix)
    elif found:
        where = "on WSL 2" if report.in_wsl else "in a virtual machine"
        yield ok("product", f"{found.name}, {where}; for containers this machine is {found.host.replace('`', '')}")


def _shared_folders(facts: Facts) -> Iterator[Diagnosis]:
    """What containers mount has to be in the virtual machine; elsewhere the mount is refused, or empty."""
    found, root = _virtual(facts), PurePath(facts.directory.root)
    if found and found.shared and not facts.engine.in_wsl:
        folders = [folder.replace("~", facts.host.home, 1) for folder in found.shared]
        text = f"the project directory is {root}, and {found.name} shares {', '.join(folders)} unless told otherwise"
        fix = f"{found.share_more}; or move it below ~: arcctl --project-directory ~/arc init"
        yield warn("shared-folders", text, fix, when=not any(root.is_relative_to(folder) for folder in folders))


def _docker_socket(facts: Facts) -> Iterator[Diagnosis]:
    wanted = facts.engine.docker_socket
    for mount in facts.socket_mounts if wanted else ():
        same = _without_var(mount.path) == _without_var(wanted)
        text = f"{mount.component} mounts {mount.path}" + ("" if same else f", and the engine's socket is {wanted}")
        fix = f"set {mount.setting}={wanted} in config/{mount.service}/.env, then arcctl up {mount.service}"
        yield warn("docker-socket", text, fix, when=not same)


def _without_var(path: str) -> str:
    """`/var/run` is `/run`."""
    return path.removeprefix("/var") if path.startswith("/var/run/") else path


def _servers(facts: Facts) -> Iterator[Diagnosis]:
    """Servers that could run as local processes, and are not installed."""
    report = facts.engine
    if report.socket:
        only_docker = {name for name, why in report.unavailable.items() if IN_CONTAINERS in why.command}
        missing = {name: why for name, why in report.unavailable.items() if name not in only_docker}
        rest = f"only in containers: {', '.join(sorted(only_docker))}" if only_docker else ""
        text = "; ".join(filter(None, (*(f"{name}: {why.reason}" for name, why in missing.items()), rest)))
        text = text or "all are installed"
        commands = [why.command for why in missing.values()]
        fix = next((command for command in commands if not command.startswith(BUILD)), BUILD)
        yield warn("servers", text, fix, when=missing)


def _socket(facts: Facts) -> Iterator[Diagnosis]:
    report = facts.engine
    if report.socket:
        length = len(report.socket.encode(errors="surrogateescape"))
        text = f"the path {report.socket} has {length} bytes, of at most {report.socket_limit}"
        fix = "use a shorter project directory: arcctl --project-directory ~/arc init"
        yield problem("socket", text, fix, when=length > report.socket_limit)


def _dns(facts: Facts) -> Iterator[Diagnosis]:
    lookup = facts.engine.lookup
    if lookup is None:
        if facts.engine.lookup_possible:
            yield unknown("dns", "no container that can look up names is running", "arcctl up --stack")
    elif not lookup.containers_found:
        text = f"{lookup.inside} cannot resolve the names of other containers"
        yield problem("dns", text, "arcctl down, then arcctl up")
    elif not lookup.outer_found and lookup.host_finds:
        text = f"{lookup.inside} cannot resolve {lookup.outer}, but this machine can"
        fix = 'set "dns" in /etc/docker/daemon.json to a server that containers can reach, then restart Docker'
        yield warn("dns", text, fix)
    else:
        outer = f"and {lookup.outer}" if lookup.outer_found else f"but not {lookup.outer}, like this machine (offline)"
        yield ok("dns", f"{lookup.inside} resolves the names of other containers {outer}")


def _names(facts: Facts) -> Iterator[Diagnosis]:
    """Browsers resolve `*.localhost` by themselves; other programs ask the system."""
    if not facts.gateway_port:
        return
    if not facts.unresolved:
        yield ok("names", "this machine resolves the names that the gateway serves")
        return
    first, port = facts.unresolved[0], facts.gateway_port
    text = f"this machine does not resolve {', '.join(facts.unresolved)}, which the gateway serves; browsers do"
    once = f"curl --resolve {first}:{port}:127.0.0.1 http://{first}:{port}"
    line = f"echo 127.0.0.1 {' '.join(facts.unresolved)} | sudo tee -a /etc/hosts"
    yield warn("names", text, f"{once}; for all programs: {line}")


def _proxy(facts: Facts) -> Iterator[Diagnosis]:
    used = ", ".join(name.upper() for name in PROXIES if facts.proxies.get(name))
    if not used:
        yield ok("proxy", "no proxy is set")
        return
    exceptions = {part.strip() for part in facts.proxies.get(NO_PROXY, "").split(",")}
    reached = LOCAL_NAMES if facts.reached_at in LOCAL_NAMES else (facts.reached_at,)
    missing = [] if "*" in exceptions else [name for name in reached if name not in exceptions]
    text = f"{used} is set without {' and '.join(missing)} in NO_PROXY: requests to your services go to the proxy"
    fix = f"export NO_PROXY={','.join((*sorted(exceptions - {''}), *missing, '.localhost'))}"
    yield warn("proxy", text, fix) if missing else ok("proxy", f"{used} is set, but not for {reached[0]}")


def _ports(facts: Facts) -> Iterator[Diagnosis]:
    if facts.taken is None:
        yield unknown("ports", "not checked: this needs valid settings and an engine")
        return
    text = ", ".join(f"{t.port} ({t.service}) is used by {t.owner}" for t in facts.taken)
    fix = "stop that program, or set another port; to see the settings: arcctl config show"
    yield problem("ports", text or "all are free or used by this project", fix, when=facts.taken)


def _ports_twice(facts: Facts) -> Iterator[Diagnosis]:
    for text, fix in facts.ports_twice:
        yield problem("ports-twice", text, fix)


def _low_ports(facts: Facts) -> Iterator[Diagnosis]:
    """Ports that need root, for an engine without root."""
    found, lowest = _virtual(facts), facts.host.lowest_port
    if found and found.low_ports and facts.engine.rootless:
        ports = ", ".join(f"{port} ({service})" for port, service in facts.low_ports.items())
        text = f"the machine of {found.name} has no root, and publishes no port below {PRIVILEGED}"
        yield warn("low-ports", f"{text}: {ports}" if ports else text, found.low_ports, when=ports)
        return
    as_user = facts.engine.rootless or (bool(facts.engine.socket) and not facts.host.root)
    if as_user and lowest is not None:
        low = {port: service for port, service in facts.low_ports.items() if port < lowest}
        ports = ", ".join(f"{port} ({service})" for port, service in low.items())
        text = f"only root may listen below {lowest}: {ports}" if low else f"none is below {lowest}"
        fix = f"sudo sysctl -w net.ipv4.ip_unprivileged_port_start={min(low, default=lowest)}"
        yield warn("low-ports", text, fix, when=low)


def _other_projects(facts: Facts) -> Iterator[Diagnosis]:
    others = facts.engine.other_projects
    text = ", ".join(others) or "no other project is in the way"
    yield warn("other-projects", text, facts.engine.about_other_projects, when=others)


def _old_data(facts: Facts) -> Iterator[Diagnosis]:
    data = ", ".join(facts.engine.all_volumes)
    if data and facts.directory.initialised and not facts.started:
        fix = "copy .arcctl/secrets.env from the project that created it"
        yield warn("old-data", f"this project was never started, but the engine has its data: {data}", fix)


def _undeclared(facts: Facts) -> Iterator[Diagnosis]:
    if facts.engine.undeclared:
        text = f"no service declares these volumes: {', '.join(facts.engine.undeclared)}"
        yield warn("stale-volumes", text, facts.engine.about_undeclared)


def _complete(facts: Facts) -> Iterator[Diagnosis]:
    """A server that finds an incomplete data folder does not initialise it, and fails."""
    if facts.engine.volumes:
        incomplete = [v for v in facts.engine.volumes if v.missing]
        text = "; ".join(f"{v.name} has data, but {', '.join(v.missing)} missing or empty" for v in incomplete)
        text = text or f"{', '.join(v.name for v in facts.engine.volumes)}: initialised"
        fix = "arcctl backup list, then arcctl backup restore NAME"
        yield problem("incomplete-volume", text, fix, when=incomplete)


def _version(facts: Facts) -> Iterator[Diagnosis]:
    known = [v for v in facts.engine.volumes if v.version]
    if known:
        other = [v for v in known if v.wanted and v.version != v.wanted]
        text = "; ".join(f"{v.name} has data of version {v.version}, {v.service} is {v.wanted}" for v in other)
        text = text or ", ".join(f"{v.name} has version {v.version}" for v in known)
        in_containers = "set the image tag that wrote the data, then arcctl upgrade"
        locally = "install the version of its package that wrote the data, then arcctl up"
        fix = locally if facts.engine.socket else in_containers
        yield problem("data-version", text, fix, when=other)


def _supervisor(facts: Facts) -> Iterator[Diagnosis]:
    state, outlived = facts.engine.supervisor, len(facts.engine.outlived)
    if state:
        left = f"; it left {outlived} servers that are not restarted when they fail" if outlived else ""
        text = {
            "running": "running",
            "silent": "does not answer, although it runs: its socket was removed, or it hangs",
            "stopped": "not needed: nothing was started",
            "gone": f"no longer running: it was killed, or the machine was restarted{left}",
        }[state]
        yield problem("supervisor", text, "arcctl up", when=state in ("gone", "silent"))


def _causes(facts: Facts) -> Iterator[Diagnosis]:
    for key, cause in facts.causes:
        yield problem(f"{key}-{cause.cause}", f"{key} {cause.message}", cause.hint)


def _findings(facts: Facts) -> Iterator[Diagnosis]:
    """Of each kind, the ones that are not right; else one line for all."""
    for service, finding in facts.findings:
        if finding.status != "pass":
            level = problem if finding.status == "fail" else warn
            yield level(f"{service}-{finding.id}", f"{service}: {finding.message}", finding.hint)
    if facts.findings and all(finding.status == "pass" for _, finding in facts.findings):
        yield ok("usage", "; ".join(f"{service}: {finding.message}" for service, finding in facts.findings))


def _python(facts: Facts) -> Iterator[Diagnosis]:
    host = facts.host
    text = f"{'.'.join(map(str, host.python))} at {host.interpreter}"
    fix = "install Python 3.11 or newer, then make up"
    yield problem("python", text, fix, when=host.python[:2] < OLDEST_PYTHON)


def _account(facts: Facts) -> Iterator[Diagnosis]:
    host = facts.host
    missing = host.root and not host.unprivileged
    text = f"runs as {host.user}" + ", but there is no account `nobody` for servers that refuse root" * missing
    yield problem("account", text, "sudo useradd --system --no-create-home nobody", when=missing)


def _clock(facts: Facts) -> Iterator[Diagnosis]:
    now = facts.host.now
    ahead = facts.directory.newest - now
    text = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if ahead > DRIFT:
        text += f", but files of the project are from {ahead:.0f} s later"
    yield problem("clock", text, "sudo timedatectl set-ntp true", when=ahead > DRIFT)


def _open_files(facts: Facts) -> Iterator[Diagnosis]:
    if facts.host.open_files is None:
        yield unknown("open-files", "the system does not say")
        return
    soft, hard = facts.host.open_files
    text = f"a process may open {soft} files, and raise that to {hard}"
    if hard < FEW_FILES:
        yield problem("open-files", text, f"sudo prlimit --pid $$ --nofile={ENOUGH_FILES}, then arcctl up")
    else:
        fix = f"ulimit -n {min(hard, ENOUGH_FILES)}, then arcctl up"
        yield warn("open-files", text, fix, when=soft < FEW_FILES)


def _inotify(facts: Facts) -> Iterator[Diagnosis]:
    """Servers watch their files; all containers of a user share the watches of a kernel."""
    watches, instances = facts.host.inotify_watches, facts.host.inotify_instances
    if watches is None or instances is None or not facts.engine.same_kernel:
        yield unknown("inotify", "the kernel of the engine does not say")
        return
    fix = "sudo sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512"
    few = watches < FEW_WATCHES or instances < FEW_INSTANCES
    yield warn("inotify", f"{watches} watches and {instances} instances per user", fix, when=few)


def _overcommit(facts: Facts) -> Iterator[Diagnosis]:
    value = facts.host.overcommit
    if value is None or not facts.engine.same_kernel:
        yield unknown("overcommit", "the kernel of the engine does not say")
        return
    text = f"vm.overcommit_memory is {value}"
    if value != 1:
        text += ": servers that fork to save their data may fail when memory is short"
    yield warn("overcommit", text, "sudo sysctl -w vm.overcommit_memory=1", when=value != 1)


def _wsl(facts: Facts) -> Iterator[Diagnosis]:
    if facts.host.wsl:
        slow = facts.directory.root.startswith(WINDOWS_DISK)
        where = "on a Windows disk, where file modes have no effect" if slow else "on a Linux disk"
        fix = "move the project directory below ~, then arcctl --project-directory ~/arc up"
        yield warn("wsl", f"WSL, the project directory is {where}", fix, when=slow)


Rule = Callable[[Facts], Iterator[Diagnosis]]

RULES: tuple[Rule, ...] = (
    _secrets, _settings, _files, _near_misses, _modes, _mounted, _selinux, _owner, _env_link, _leftovers,
    _engine, _docker, _compose, _cgroup, _storage, _time, _memory, _disk, _rootless,
    _product, _shared_folders, _docker_socket, _servers, _socket,
    _dns, _names, _proxy, _ports, _ports_twice, _low_ports,
    _other_projects, _old_data, _undeclared, _complete, _version, _supervisor, _causes, _findings,
    _python, _account, _clock, _open_files, _inotify, _overcommit, _wsl,
)  # fmt: skip


def judge(facts: Facts) -> tuple[Diagnosis, ...]:
    """The diagnoses of all rules; a rule that does not apply to this machine yields none."""
    return tuple(diagnosis for rule in RULES for diagnosis in rule(facts))
