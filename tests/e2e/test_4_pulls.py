"""Images from a real registry, over a network that is slow, cut, or refused: what is pulled, asked again, and said."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from arcctl.model.image import mirrored
from arcctl.services import load
from tests.e2e.driver import Done, Platform, eventually
from tests.testbed.bad_network import CUT, BadNetwork, Fault, in_front_of
from tests.testbed.engine import STORES, empty
from tests.testbed.places import docker_host
from tests.testbed.registry import PASSWORD, USER, Registry, layer, serving

pytestmark = pytest.mark.docker

SERVICES = ("loki", "jaeger", "prometheus")
"""Each of one image that is not built."""
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with serving(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def network(registry: Registry) -> Iterator[BadNetwork]:
    with in_front_of(registry.address) as found:
        yield found


@pytest.fixture(scope="module", params=STORES)
def puller(request: pytest.FixtureRequest, engine: dict[str, str]) -> Iterator[Platform]:
    """A project on an engine that has none of the images, for each of Docker's two image stores."""
    with contextlib.ExitStack() as stack:
        environment = engine
        if engine.get("DOCKER_HOST") == docker_host():
            environment = {**engine, "DOCKER_HOST": stack.enter_context(empty(request.param))}
        elif request.param != next(iter(STORES)):
            pytest.skip("an engine of somebody else has the image store that it has")
        yield stack.enter_context(Platform(Path(), environment).new_project())


@pytest.fixture
def project(puller: Platform, network: BadNetwork) -> Iterator[Platform]:
    """Its images come over that network."""
    puller.arcctl("config", "set", "images", "registry", network.address).ok()
    yield puller
    _forget_images(puller, network.address)


def _forget_images(project: Platform, registry: str) -> None:
    references = [mirrored(reference, registry) for reference in _references()]
    subprocess.run(("docker", "image", "rm", *references), env=dict(project.environment), capture_output=True)


def _references() -> tuple[str, ...]:
    return tuple(load().services[name].container.image for name in SERVICES)


def _publish(to: Registry, *images: list[bytes]) -> None:
    """An image of these layers for each of the services."""
    for reference, layers in zip(_references(), images, strict=False):
        to.publish(reference, layers)


def _pull(project: Platform, *names: str, **extra: Any) -> Done:
    return project.arcctl("images", "pull", *(names or SERVICES), **extra)


def _listed(project: Platform, *services: str) -> list[dict[str, Any]]:
    return list(json.loads(project.arcctl("images", "list", *services, "--json").ok().out)["images"])


def _present(project: Platform) -> set[str]:
    """The services whose image the engine has."""
    return {name for image in _listed(project, *SERVICES) if image["present"] for name in image["used_by"]}


def test_images_are_pulled_beside_each_other_and_shared_layers_once(
    project: Platform, registry: Registry, network: BadNetwork
) -> None:
    shared = layer(2)
    _publish(registry, *([shared, layer(1)] for _ in SERVICES))
    network.rate = 3 * MEGABYTE
    done = _pull(project).ok()
    assert _present(project) >= set(SERVICES)
    assert [line for line in done.err.splitlines() if "pulled" in line]
    assert max(Counter(sent.path.rsplit("/", 1)[1] for sent in network.blobs()).values()) == 1
    large = sorted((s for s in network.blobs() if s.size > MEGABYTE / 2), key=lambda sent: sent.began)
    assert any(later.began < earlier.ended for earlier, later in pairwise(large))


@pytest.mark.parametrize("part", ["manifests", "blobs"])
@pytest.mark.parametrize("fault", [503, 500, 429, CUT])
def test_what_a_registry_or_the_network_does_not_give_at_first_is_asked_for_again(
    part: str, fault: int, project: Platform, registry: Registry, network: BadNetwork
) -> None:
    _publish(registry, *([layer(0.2)] for _ in SERVICES))
    network.faults.append(Fault(f"/grafana/loki/{part}/", fault, 2))
    _pull(project).ok()
    assert _present(project) >= set(SERVICES)


def test_a_rate_limit_that_stays_is_said_with_the_login_that_raises_it(
    project: Platform, registry: Registry, network: BadNetwork
) -> None:
    _publish(registry, *([layer(0.2)] for _ in SERVICES))
    network.faults.append(Fault("/grafana/loki/manifests/", 429))
    done = _pull(project)
    assert done.code == 3
    assert f"the rate limit of {network.address} is used up" in done.err
    assert f"docker login {network.address}" in done.err
    assert done.err.count("next attempt in") == 3
    assert _present(project) >= set(SERVICES) - {"loki"}  # the others do not suffer


@pytest.mark.parametrize("status", [401, 403])
def test_a_login_that_is_wanted_is_named(
    status: int, project: Platform, registry: Registry, network: BadNetwork
) -> None:
    _publish(registry, *([layer(0.2)] for _ in SERVICES))
    network.faults.append(Fault("/grafana/loki/", status))
    done = _pull(project)
    assert (done.code, "next attempt" in done.err) == (3, False)
    assert "wants a login" in done.err
    assert f"docker login {network.address}" in done.err


def _empty_configuration(folder: Path) -> Path:
    """One of Docker that knows no login, with the plugins of the user's own."""
    folder.mkdir()
    plugins = Path.home() / ".docker" / "cli-plugins"
    if plugins.is_dir():
        (folder / "cli-plugins").symlink_to(plugins)
    return folder


def test_a_private_registry_is_used_with_the_credentials_of_docker(puller: Platform, tmp_path: Path) -> None:
    credentials = {"DOCKER_CONFIG": str(_empty_configuration(tmp_path / "docker"))}
    with serving(tmp_path, login=True) as private:
        _publish(private, *([layer(0.2)] for _ in SERVICES))
        puller.arcctl("config", "set", "images", "registry", private.address).ok()
        refused = _pull(puller, **credentials)
        assert (refused.code, f"docker login {private.address}" in refused.err) == (3, True)
        login = ("docker", "login", private.address, "--username", USER, "--password-stdin")
        environment = {**puller.environment, **credentials}
        subprocess.run(login, input=PASSWORD, env=environment, text=True, check=True, capture_output=True)
        _pull(puller, **credentials).ok()
        assert _present(puller) >= set(SERVICES)
        _forget_images(puller, private.address)


def test_an_image_that_is_not_there_is_named_and_the_others_come(
    project: Platform, registry: Registry, network: BadNetwork
) -> None:
    _publish(registry, *([layer(0.2)] for _ in SERVICES))
    project.arcctl("config", "set", "jaeger", "image_tag", "0.0.0").ok()
    done = _pull(project)
    project.arcctl("config", "set", "jaeger", "image_tag", "--unset").ok()
    assert done.code == 3
    assert re.search(rf"jaeger:0\.0\.0\S*: {network.address} has no such image", done.err)
    assert _present(project) >= set(SERVICES) - {"jaeger"}


def test_a_registry_that_does_not_answer_is_named(project: Platform) -> None:
    project.arcctl("config", "set", "images", "registry", "127.0.0.1:9").ok()
    done = _pull(project)
    assert done.code == 3
    assert "127.0.0.1:9" in done.err
    assert "refused" in done.err


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_pull_that_was_cut_off_asks_for_no_complete_image_again(
    by: signal.Signals, project: Platform, registry: Registry, network: BadNetwork
) -> None:
    _publish(registry, [layer(0.3), layer(0.4)], [layer(4)], [layer(4)])
    network.rate = 2 * MEGABYTE
    child = project.start("images", "pull", *SERVICES)
    assert eventually(lambda: "loki" in _present(project))
    child.send_signal(by)
    child.communicate(timeout=30)
    before = len(network.sent)
    network.rate = 0
    _pull(project).ok()
    assert _present(project) >= set(SERVICES)
    assert not [sent.path for sent in network.sent[before:] if "/grafana/loki/blobs/" in sent.path]


def test_docker_with_containerd_goes_on_within_a_layer(
    project: Platform, registry: Registry, network: BadNetwork
) -> None:
    _publish(registry, [layer(8)])
    network.rate = 2 * MEGABYTE
    child = project.start("images", "pull", "loki")
    assert eventually(lambda: network.passed_on > 5 * MEGABYTE)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    eventually(lambda: len([sent for sent in network.sent if "/blobs/" in sent.path]) == 2)
    before = len(network.sent)
    network.rate = 0
    _pull(project, "loki").ok()
    (again,) = [sent for sent in network.sent[before:] if sent.size > MEGABYTE]
    assert bool(again.start) == project.docker("info", "--format", "{{.DriverStatus}}").startswith("[[driver-type")


def test_an_image_of_a_mirror_is_the_locked_one_by_its_digest_only(
    project: Platform, registry: Registry, network: BadNetwork
) -> None:
    def locked() -> tuple[str, ...]:
        (image,) = _listed(project, "loki")
        return image["registry"], image["upstream"], image["state"]

    place = (network.address, _references()[0])
    _publish(registry, *([layer(0.2)] for _ in SERVICES))
    _pull(project).ok()
    project.arcctl("images", "lock").ok()
    assert locked() == (*place, "locked")
    _forget_images(project, network.address)
    _publish(registry, [layer(0.2)])  # another image of the same name
    _pull(project, "loki").ok()
    assert locked() == (*place, "other")


def test_up_runs_what_a_mirror_has(platform: Platform, registry: Registry, network: BadNetwork) -> None:
    images = [image["reference"] for image in _listed(platform, "redis")]
    for image in images:
        name = mirrored(image, registry.address)
        platform.docker("tag", image, name)
        platform.docker("push", "--quiet", name)
        platform.docker("image", "rm", name)
    platform.arcctl("config", "set", "images", "registry", network.address).ok()
    try:
        platform.arcctl("up", "redis").ok()
        assert platform.service("redis")["status"] == "healthy"
        found = _listed(platform, "redis")
        assert [(image["registry"], image["upstream"]) for image in found] == [
            (network.address, name) for name in images
        ]
    finally:
        platform.arcctl("clean", "--yes").ok()
        platform.arcctl("config", "set", "images", "registry", "--unset").ok()
        platform.docker("image", "rm", *(mirrored(image, network.address) for image in images))
