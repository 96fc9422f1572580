"""What `docker info` says of engines in virtual machines and of Podman: the fields that tell them, as users show them.

All but Podman's were read in public reports and documents; Podman 4.3.1 was asked by the `docker` program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GIB = 1 << 30
_SECURE = ["name=seccomp,profile=builtin", "name=cgroupns"]


def _info(
    system: str, name: str, kernel: str, memory: float, context: str, version: str = "29.2.1", **more: Any
) -> dict[str, Any]:
    return {
        "OperatingSystem": system,
        "Name": name,
        "KernelVersion": kernel,
        "MemTotal": round(memory * GIB),
        "ServerVersion": version,
        "DockerRootDir": "/var/lib/docker",
        "ProductLicense": "",
        "SecurityOptions": _SECURE,
        "ClientInfo": {"Context": context},
        **more,
    }


DOCKER_DESKTOP = _info("Docker Desktop", "docker-desktop", "6.10.0-linuxkit", 7.66, "desktop-linux", "27.1.1")
DOCKER_DESKTOP_ON_LINUX = _info(
    "Docker Desktop", "docker-desktop", "6.12.76-linuxkit", 3.658, "desktop-linux", "29.4.1",
    Labels=["com.docker.desktop.address=unix:///home/ada/.docker/desktop/docker-cli.sock"],
)  # fmt: skip
DOCKER_DESKTOP_ON_WSL = _info(
    "Docker Desktop", "docker-desktop", "6.6.87.2-microsoft-standard-WSL2", 15.41, "default", "29.2.1"
)
ORBSTACK = _info(
    "OrbStack", "orbstack", "6.17.8-orbstack-00308-g8f9c941121b1", 15.67, "orbstack", "28.5.2",
    ProductLicense="Community Engine",
)  # fmt: skip
COLIMA = _info("Ubuntu 24.04.4 LTS", "colima", "6.8.0-117-generic", 1.913, "colima", "29.5.2")
COLIMA_PROFILE = _info("Ubuntu 24.04.4 LTS", "colima-work", "6.8.0-117-generic", 3.8, "colima-work", "29.5.2")
COLIMA_RENAMED = _info("Ubuntu 24.04.4 LTS", "builder", "6.8.0-117-generic", 3.8, "colima", "29.5.2")
RANCHER_DESKTOP = _info(
    "Alpine Linux v3.20", "lima-rancher-desktop", "6.6.51-0-virt", 3.835, "rancher-desktop", "27.2.1"
)
RANCHER_DESKTOP_ON_WSL = _info(
    "Rancher Desktop WSL Distribution", "LAPTOP-7", "6.6.87.2-microsoft-standard-WSL2", 23.47, "default", "28.3.3"
)
PODMAN = _info(
    "debian", "vm", "6.18.44", 23.5, "default", "4.3.1", ID="b318eead-2381-4d4c-b26b-82aa9e62a1b6",
    DockerRootDir="/var/lib/containers/storage", ProductLicense="Apache-2.0", InitBinary="", DefaultRuntime="crun",
    SecurityOptions=["name=seccomp,profile=default"],
)  # fmt: skip
PODMAN_MACHINE = {
    **PODMAN,
    "OperatingSystem": "fedora",
    "Name": "localhost.localdomain",
    "DockerRootDir": "/var/home/core/.local/share/containers/storage",
    "MemTotal": 2 * GIB,
    "SecurityOptions": ["name=seccomp,profile=default", "name=rootless", "name=selinux"],
}
DOCKER_ENGINE = _info(
    "Debian GNU/Linux 12 (bookworm)", "build-1", "6.1.0-40-amd64", 15.6, "default", "28.5.2",
    ProductLicense="Community Engine", ID="b02bc96f-e857-407d-875f-6a991d946593",
)  # fmt: skip
ROOTLESS = {
    **DOCKER_ENGINE,
    "DockerRootDir": "/home/ada/.local/share/docker",
    "SecurityOptions": [*_SECURE, "name=rootless"],
    "ClientInfo": {"Context": "rootless"},
}
OF: Mapping[str, tuple[dict[str, Any], ...]] = {
    "Docker Desktop": (DOCKER_DESKTOP, DOCKER_DESKTOP_ON_LINUX, DOCKER_DESKTOP_ON_WSL),
    "OrbStack": (ORBSTACK,),
    "Colima": (COLIMA, COLIMA_PROFILE, COLIMA_RENAMED),
    "Rancher Desktop": (RANCHER_DESKTOP, RANCHER_DESKTOP_ON_WSL),
    "Podman": (PODMAN, PODMAN_MACHINE),
}
