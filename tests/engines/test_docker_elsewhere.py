"""What is different on an engine that shares no file and no port with this machine."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

import pytest

from arcctl.engines import select
from arcctl.engines.docker import config_volume, endpoint
from arcctl.engines.docker.engine import DockerEngine
from arcctl.engines.host_ports import EnginePorts
from arcctl.errors import PreflightError
from arcctl.settings.directory import ProjectDirectory
from tests.fakes.catalogue import TOY
from tests.fakes.docker import FakeDocker, inspected

REMOTE = endpoint.parse("tcp://docker:2376")


@pytest.fixture
def directory(tmp_path: Path) -> ProjectDirectory:
    (tmp_path / "config" / "store").mkdir(parents=True)
    (tmp_path / "config" / "store" / "store.conf").write_text("port 7000\n")
    (tmp_path / ".arcctl").mkdir()
    return ProjectDirectory(tmp_path)


def _engine(directory: ProjectDirectory, *, found: endpoint.Endpoint = REMOTE) -> DockerEngine:
    return DockerEngine(TOY, [directory.compose_file("base.yaml")], directory.compose_env, endpoint=found)


def test_config_files_are_copied_into_a_new_volume_before_the_container_is_made(
    docker: FakeDocker, directory: ProjectDirectory
) -> None:
    docker.says("*")
    docker.says("container create*", "c0ffee\n")
    _engine(directory).create(["store", "front"], recreate=True)
    files = f"compose --project-name arc -f {directory.compose_file('base.yaml')}"
    labels = "com.docker.compose.project=arc,volume-label=com.docker.compose.volume=store_config"
    assert docker.calls == [
        f"{files} rm --stop --force store",
        "volume rm --force arc_store_config",
        "container create --network none --pull never --label arcctl.ephemeral=arc --mount type=volume,"
        "source=arc_store_config,target=/arcctl/store,volume-nocopy=true,"
        f"volume-label={labels},volume-label=arcctl.config=store toy/store:1.0 -",
        "container cp - c0ffee:/",
        "container rm --force --volumes c0ffee",
        f"{files} up --no-deps --no-build --no-start --force-recreate store front",
    ]


def test_on_this_machine_config_files_are_mounted_and_not_copied(
    docker: FakeDocker, directory: ProjectDirectory
) -> None:
    docker.says("*")
    _engine(directory, found=endpoint.LOCAL).create(["store"])
    assert [call.split()[0] for call in docker.calls] == ["compose"]


def test_what_is_copied_is_readable_by_all_and_leaves_out_the_settings_of_a_user(directory: ProjectDirectory) -> None:
    folder = directory.root / "config" / "store"
    (folder / ".env").write_text("STORE_PASSWORD=s3cret\n")
    (folder / "gone.conf").symlink_to("nowhere")
    (folder / "more").mkdir()
    (folder / "more" / "deep.conf").write_text("deep\n")
    (folder / "more" / "deep.conf").chmod(0o600)
    with config_volume.archive({"store": ["store"]}, folder.parent) as file, tarfile.open(fileobj=file) as tar:
        found = {m.name: (stat.filemode(m.mode)[1:], m.uid) for m in tar.getmembers()}
        deep = tar.extractfile("arcctl/store/store/more/deep.conf")
        assert deep is not None
        assert deep.read() == b"deep\n"
    assert found == {
        "arcctl/store/store": ("rwxr-xr-x", 0),
        "arcctl/store/store/more": ("rwxr-xr-x", 0),
        "arcctl/store/store/more/deep.conf": ("rw-r--r--", 0),
        "arcctl/store/store/store.conf": ("rw-r--r--", 0),
    }


def test_volumes_with_config_files_are_no_data(docker: FakeDocker, directory: ProjectDirectory) -> None:
    docker.says("volume ls*", "arc_store_data\t\narc_store_config\tstore\n")
    assert _engine(directory).volumes() == ("arc_store_data",)


def test_no_path_of_this_machine_is_taken_for_one_of_the_engine(
    docker: FakeDocker, directory: ProjectDirectory
) -> None:
    docker.says("compose version*", "2.40.3\n")
    docker.says("info*", {"ServerVersion": "28.5.2", "DockerRootDir": str(directory.root), "ID": "x"})
    mounts = [{"Type": "volume", "Destination": "/data", "Source": str(directory.root)}]
    docker.says("container inspect*", [inspected("store", Mounts=mounts)])
    engine = _engine(directory)
    assert (engine.facts().disk, engine.disks(engine.observe())) == (None, {})


def test_ports_in_use_are_those_that_the_engine_publishes(docker: FakeDocker, directory: ProjectDirectory) -> None:
    listed = "0.0.0.0:80->80/tcp, [::]:80->80/tcp\n0.0.0.0:6650-6652->6650-6652/tcp, 5432/tcp\n\n"
    docker.says("container ls*", listed)
    ports = EnginePorts(_engine(directory))
    assert [port for port in (80, 443, 5432, 6650, 6652, 6653) if ports.taken(port)] == [80, 6650, 6652]
    assert (ports.owner(80), len(docker.calls)) == (None, 1)


@pytest.mark.parametrize("address", ["tcp://docker:2376", "ssh://me@box"])
def test_who_names_another_machine_never_gets_local_processes(
    docker: FakeDocker, directory: ProjectDirectory, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    _, engine = select.choose("auto", "", "", directory, TOY, lambda event: None)
    assert (engine.name, docker.calls) == ("docker", [])


def test_the_overlay_for_such_an_engine_comes_last(
    docker: FakeDocker, directory: ProjectDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker:2376")
    (directory.root / "compose").mkdir()
    directory.compose_file("remote.yaml").touch()
    _, engine = select.choose("docker", "", "", directory, TOY, lambda event: None, "0.0.0.0")
    files = [Path(word).name for word in engine.command() if word.endswith(".yaml")]
    assert (files, engine.host) == (["base.yaml", "stack.yaml", "remote.yaml"], "docker")


@pytest.mark.parametrize(
    ("old", "base", "remote"),
    [
        ("remote.yaml", "- ${ARCCTL_BIND_ADDRESS:-127.0.0.1}:${A:-1}:1", False),
        ("base.yaml", "- 127.0.0.1:${A:-1}:1", True),
    ],
)
def test_files_of_an_earlier_arcctl_are_not_taken_for_what_such_an_engine_needs(
    directory: ProjectDirectory, monkeypatch: pytest.MonkeyPatch, old: str, base: str, remote: bool
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker:2376")
    (directory.root / "compose").mkdir()
    directory.compose_file("base.yaml").write_text(base)
    if remote:
        directory.compose_file("remote.yaml").touch()
    _, engine = select.choose("docker", "", "", directory, TOY, lambda event: None, "0.0.0.0")
    with pytest.raises(PreflightError) as caught:
        engine.refuse_address("0.0.0.0")
    assert caught.value.message.startswith(f"compose/{old}: written by an earlier arcctl")
    assert caught.value.hint == "arcctl render, then arcctl up"
