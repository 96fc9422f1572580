"""Programs that run a Docker engine in a virtual machine, and Podman: what differs for arcctl, by their own docs.

Pure: they are told by what `docker info` says. The page `docs/reference/engine-products.md` is rendered from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SOCKET = "/var/run/docker.sock"
"""Docker's own default, on the machine that the engine runs on."""
WSL_MEMORY = "set memory={gib}GB below [wsl2] in %UserProfile%\\.wslconfig on Windows, then wsl --shutdown"
"""On WSL 2, Windows gives the memory to all of Linux."""
_WSL_DOCS = "https://learn.microsoft.com/en-us/windows/wsl/wsl-config"
_DOCKER_DOCS = "https://docs.docker.com/desktop"
_COLIMA_DOCS = "https://github.com/abiosoft/colima"
_RANCHER_DOCS = "https://docs.rancherdesktop.io"
_PODMAN_DOCS = "https://docs.podman.io/en/latest/markdown"


class Name(StrEnum):
    DOCKER_DESKTOP = "Docker Desktop"
    ORBSTACK = "OrbStack"
    COLIMA = "Colima"
    RANCHER_DESKTOP = "Rancher Desktop"
    PODMAN = "Podman"


@dataclass(frozen=True, kw_only=True)
class Product:
    name: Name
    told_by: str
    """What `docker info` says of it."""
    socket: str
    """Where clients on this machine find it, and the name of its context."""
    memory: str
    """What its virtual machine has by default."""
    more_memory: str
    """What gives it `gib` GiB, which are `mib` MiB."""
    shared: tuple[str, ...] = ()
    """The folders of this machine that containers can mount by default; empty where they can mount all."""
    share_more: str = ""
    host: str
    """The name of this machine in containers."""
    low_ports: str = ""
    """What lets it publish ports below 1024 where its machine runs containers without root."""
    limits: str
    """What else is other than on Linux, and what to do."""
    sources: tuple[str, ...]
    """Where its docs say so."""

    def give(self, gib: int) -> str:
        """What gives its virtual machine that much memory."""
        return self.more_memory.format(gib=gib, mib=gib * 1024)


PRODUCTS = (
    Product(
        name=Name.DOCKER_DESKTOP,
        told_by="`Operating System: Docker Desktop`",
        socket="macOS: `~/.docker/run/docker.sock`, Linux: `~/.docker/desktop/docker.sock`; context `desktop-linux`",
        memory="half of this machine's memory; on WSL 2, what Windows gives it",
        more_memory="Docker Desktop, Settings, Resources, Memory limit: at least {gib} GB",
        shared=("~", "/Users", "/Volumes", "/private", "/tmp", "/var/folders"),
        share_more="add the folder in Docker Desktop, Settings, Resources, File sharing",
        host="`host.docker.internal`",
        limits=(
            f"`{SOCKET}` need not exist on this machine: `docker` finds the socket by its context, and in a mount "
            "that path is the socket inside the virtual machine. Leave `TRAEFIK_DOCKER_SOCKET` as it is."
        ),
        sources=(
            f"{_DOCKER_DOCS}/settings-and-maintenance/settings/",
            f"{_DOCKER_DOCS}/setup/install/mac-permission-requirements/",
            f"{_DOCKER_DOCS}/features/networking/networking-how-tos/",
            _WSL_DOCS,
        ),
    ),
    Product(
        name=Name.ORBSTACK,
        told_by="`Operating System: OrbStack`",
        socket="`~/.orbstack/run/docker.sock`; context `orbstack`",
        memory="at most 8 GB, given back when unused",
        more_memory="orb config set memory_mib {mib}, then orb stop and orb start",
        host="`host.docker.internal`",
        limits="Bind mounts work from any folder. Containers have names of their own too, `NAME.orb.local`.",
        sources=(
            "https://docs.orbstack.dev/settings",
            "https://docs.orbstack.dev/docker/file-sharing",
            "https://docs.orbstack.dev/docker/network",
        ),
    ),
    Product(
        name=Name.COLIMA,
        told_by="`Name: colima`, or `colima-PROFILE`; the context has the same name",
        socket="`~/.colima/default/docker.sock`; context `colima`",
        memory="2 GiB, too little for the observability layer",
        more_memory="colima stop, then colima start --memory {gib}",
        shared=("~",),
        share_more="add the folder below `mounts:` after colima stop, colima start --edit",
        host="`host.docker.internal`, which is `host.lima.internal`",
        limits=(
            "A folder outside of the shared ones is empty in the container, without an error. The Compose plugin is "
            "not part of it: `brew install docker-compose`."
        ),
        sources=(
            f"{_COLIMA_DOCS}#customizing-the-vm",
            f"{_COLIMA_DOCS}/blob/main/docs/FAQ.md",
            f"{_COLIMA_DOCS}/blob/main/embedded/defaults/colima.yaml",
        ),
    ),
    Product(
        name=Name.RANCHER_DESKTOP,
        told_by="`Name: lima-rancher-desktop`; on Windows `Operating System: Rancher Desktop WSL Distribution`",
        socket=f"`~/.rd/docker.sock`, with administrative access also `{SOCKET}`; context `rancher-desktop`",
        memory="what Preferences, Virtual Machine, Hardware say; Kubernetes takes a part of it",
        more_memory="rdctl set --virtual-machine.memory-in-gb={gib} --kubernetes.enabled=false",
        shared=("~", "/tmp/rancher-desktop"),
        share_more="add the folder below `mounts:` in its override.yaml, then restart Rancher Desktop",
        host="`host.docker.internal`",
        limits=(
            "Choose dockerd (moby) as its container engine, for containerd has no Docker socket. Its Kubernetes comes "
            "with a Traefik of its own on the ports 80 and 443."
        ),
        sources=(
            f"{_RANCHER_DOCS}/faq",
            f"{_RANCHER_DOCS}/ui/preferences/virtual-machine/hardware",
            f"{_RANCHER_DOCS}/ui/preferences/application/general",
            f"{_RANCHER_DOCS}/references/rdctl-command-reference",
            f"{_RANCHER_DOCS}/how-to-guides/using-testcontainers",
            f"{_RANCHER_DOCS}/how-to-guides/provisioning-scripts",
        ),
    ),
    Product(
        name=Name.PODMAN,
        told_by="`Docker Root Dir` ends with `containers/storage`; the licence is Apache-2.0, the version Podman's own",
        socket=(
            "Linux: `/run/podman/podman.sock`, rootless `$XDG_RUNTIME_DIR/podman/podman.sock`; with a machine: "
            "`podman machine inspect --format '{{.ConnectionInfo.PodmanSocket.Path}}'`; `DOCKER_HOST` has to name it"
        ),
        memory="on Linux no machine is needed; a machine has 2 GiB",
        more_memory="podman machine stop, then podman machine set --memory {mib} and podman machine start",
        shared=("~", "/Users", "/private", "/var/folders"),
        share_more="create the machine again: podman machine init --volume FOLDER:FOLDER",
        host="`host.containers.internal`, and `host.docker.internal`",
        low_ports="podman machine stop, then podman machine set --rootful and podman machine start",
        limits=(
            "Not tested, so `up` refuses it without `--engine docker`. It needs the `docker` program with Docker's own "
            "Compose plugin, for `podman-compose` does not "
            "have its commands. Of Podman 4.3.1 it was seen that its engine has another id at each call, so that two "
            "of them cannot be told apart, and that it cannot be asked which container has a port that is taken. "
            "Without root it publishes no port below 1024: give its machine root, or on Linux "
            "`sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80`."
        ),
        sources=(
            f"{_PODMAN_DOCS}/podman-machine-set.1.html",
            f"{_PODMAN_DOCS}/podman-machine-init.1.html",
            f"{_PODMAN_DOCS}/podman-compose.1.html",
            f"{_PODMAN_DOCS}/podman-system-service.1.html",
            "https://github.com/containers/common/blob/main/docs/containers.conf.5.md",
            "https://github.com/containers/podman/blob/main/rootless.md",
        ),
    ),
)
_BY_NAME: Mapping[str, Product] = {product.name: product for product in PRODUCTS}


def product(info: Mapping[str, Any]) -> Product | None:
    """Whose engine said this as `docker info --format '{{json .}}'`; None for Docker Engine, and for others."""
    name = _name(info)
    return _BY_NAME[name] if name else None


def _name(info: Mapping[str, Any]) -> Name | None:
    system, machine = str(info.get("OperatingSystem", "")), str(info.get("Name", ""))
    if is_podman(info):
        return Name.PODMAN
    if system in (Name.DOCKER_DESKTOP, Name.ORBSTACK):
        return Name(system)
    if machine == "lima-rancher-desktop" or system.startswith(Name.RANCHER_DESKTOP):
        return Name.RANCHER_DESKTOP
    context = str((info.get("ClientInfo") or {}).get("Context", ""))
    return Name.COLIMA if any(n == "colima" or n.startswith("colima-") for n in (machine, context)) else None


def in_wsl(info: Mapping[str, Any]) -> bool:
    """Whether the engine runs in WSL 2, where folders of Windows and of other distributions are all shared."""
    return "microsoft" in str(info.get("KernelVersion", "")).lower()


def socket_to_mount(found: Product | None, endpoint: str, *, near: bool) -> str:
    """The engine's socket as a container mounts it, for clients who find it at `endpoint`; empty where unknown.

    In a virtual machine it is where Docker has it, whatever it is for clients. `near` says whether there is none.
    """
    if found and not (found.name is Name.PODMAN and near):
        return SOCKET
    return endpoint.removeprefix("unix://") if near and endpoint.startswith("unix://") else ""


def is_podman(info: Mapping[str, Any]) -> bool:
    """Docker's own says `Community Engine`, or nothing."""
    folder = str(info.get("DockerRootDir", ""))
    return info.get("ProductLicense") == "Apache-2.0" or folder.endswith("/containers/storage")


def is_rootless(info: Mapping[str, Any]) -> bool:
    """Whether the engine runs without root."""
    return any("rootless" in option for option in info.get("SecurityOptions") or ())


def versions(info: Mapping[str, Any]) -> dict[str, str]:
    """The engine's version by the name of its program: Podman counts otherwise than Docker."""
    return {"Podman" if is_podman(info) else "Docker": str(info.get("ServerVersion", ""))}


def untested(info: Mapping[str, Any]) -> str:
    """Name and version of what only has Docker's interface; it differs where the others do not."""
    return f"Podman {info.get('ServerVersion', '')}".strip() if is_podman(info) else ""


def engine_id(info: Mapping[str, Any]) -> str:
    """What tells an engine from others; empty for Podman, which makes one up at each call."""
    return "" if is_podman(info) else str(info.get("ID", ""))
