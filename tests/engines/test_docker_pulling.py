"""Progress and failures of a pull, as Compose 2 and Compose 5 tell them; the program `docker` is a script."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from arcctl.engines.base import PullFailure, PullProgress
from arcctl.engines.docker.images import DockerImages
from arcctl.engines.docker.pulling import PARALLEL
from arcctl.engines.docker.refusals import pull_failure
from arcctl.errors import EngineError
from tests.fakes.docker import FakeDocker

SHOP, STORE = "ghcr.io/toy/shop:3.1", "toy/store:1.0"
REFERENCES = (SHOP, STORE)


def _image(number: int, *, five: bool, text: str, words: str = "") -> dict[str, Any]:
    """A line about an image, by the version of Compose."""
    if not five:
        return {"id": f"i{number}", "text": text, **({"status": words} if words else {})}
    status = {"Pulled": "Done", "Warning": "Warning", "Error": "Error"}.get(text, "Working")
    told = {"Warning": {"text": words}, "Error": {"text": "Error", "details": words}}.get(text, {"text": text})
    return {"id": f"Image {REFERENCES[number]}", "status": status, **told}


def _layer(number: int, name: str, text: str, current: int = 0, total: int = 0, *, five: bool) -> dict[str, Any]:
    sizes = {"current": current, "total": total} if total else {}
    parent = f"Image {REFERENCES[number]}" if five else f"i{number}"
    return {"id": name, "parent_id": parent, "text": text, **({"status": "Working"} if five else {}), **sizes}


def _pull(docker: FakeDocker, *events: dict[str, Any] | str, code: int = 0) -> list[PullProgress]:
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    docker.says("compose*pull", err="\n".join([*lines, ""]), code=code)

    async def pull() -> list[PullProgress]:
        return [progress async for progress in DockerImages(lambda _: []).pull(REFERENCES)]

    return asyncio.run(pull())


def _last(progress: list[PullProgress], reference: str) -> PullProgress:
    return [one for one in progress if one.reference == reference][-1]


def _failure(progress: list[PullProgress], reference: str) -> PullFailure:
    failure = _last(progress, reference).failure
    assert failure
    return failure


@pytest.mark.parametrize("five", [False, True], ids=["Compose 2", "Compose 5"])
def test_bytes_are_those_of_layers_and_a_shared_layer_counts_once(docker: FakeDocker, five: bool) -> None:
    found = _pull(
        docker,
        _image(0, five=five, text="Pulling"),
        _image(1, five=five, text="Pulling"),
        _layer(0, "base", "Pulling fs layer", five=five),
        _layer(0, "base", "Downloading", 10, 100, five=five),
        _layer(1, "base", "Downloading", 10, 100, five=five),
        _layer(1, "own", "Already exists", five=five),
        _layer(1, "other", "Downloading", 3, 30, five=five),
        _layer(0, "base", "Extracting", 1, 7, five=five),
        _layer(0, "base", "Pull complete", five=five),
        _image(0, five=five, text="Pulled"),
        _layer(1, "other", "Download complete", five=five),
        _image(1, five=five, text="Pulled"),
    )
    assert [(one.reference, one.done, one.total, one.pulled) for one in found] == [
        (SHOP, 0, 0, False),
        (STORE, 0, 0, False),
        (SHOP, 10, 100, False),
        (STORE, 3, 30, False),
        (SHOP, 100, 100, False),
        (SHOP, 100, 100, True),
        (STORE, 30, 30, False),
        (STORE, 30, 30, True),
    ]
    (call,) = docker.calls
    assert f"--progress json --parallel {PARALLEL} pull" in call


@pytest.mark.parametrize("five", [False, True], ids=["Compose 2", "Compose 5"])
@pytest.mark.parametrize("text", ["Warning", "Error"])
def test_an_image_fails_in_the_words_of_its_registry_and_the_others_go_on(
    docker: FakeDocker, five: bool, text: str
) -> None:
    words = "Head https://ghcr.io/v2/toy/shop/manifests/3.1: denied"
    found = _pull(
        docker,
        _layer(0, "base", "Downloading", 10, 100, five=five),
        _image(0, five=five, text=text, words=words),
        _layer(1, "base", "Downloading", 20, 100, five=five),
        _image(1, five=five, text="Pulled"),
        {"tail": True, "text": "WARNING: Some service image(s) must be built from source"},
        {"error": True, "message": f"Error response from daemon: {words}"},
        code=1,
    )
    assert _failure(found, SHOP).reason == "ghcr.io wants a login"
    assert [one for one in found if one.reference == STORE] == [
        PullProgress(reference=STORE, done=20, total=100),
        PullProgress(reference=STORE, done=100, total=100, pulled=True),
    ]


def test_what_breaks_off_on_the_way_has_the_reason_that_compose_gives_at_its_end(docker: FakeDocker) -> None:
    limit = "toomanyrequests: You have reached your pull rate limit"
    found = _pull(
        docker,
        _image(0, five=False, text="Warning", words=limit),
        _layer(1, "own", "Downloading", 3, 30, five=False),
        {"error": True, "message": f"unexpected EOF\nError response from daemon: {limit}"},
        code=1,
    )
    assert _failure(found, SHOP).reason == "the rate limit of ghcr.io is used up"
    assert (_failure(found, STORE).reason, _failure(found, STORE).passing) == ("unexpected EOF", True)
    assert (_last(found, STORE).done, _last(found, STORE).total) == (3, 30)


def test_lines_that_are_no_events_mean_nothing(docker: FakeDocker) -> None:
    found = _pull(docker, "time=now level=warning", "[1]", "{", "", '{"level": "warning", "msg": "x"}', '{"id": "i7"}')
    assert found == [PullProgress(reference=reference, pulled=True) for reference in REFERENCES]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((), "docker ended with exit code 1, and without a reason"),
        (("unknown flag: --progress", ""), "unknown flag: --progress"),
        ((_image(0, five=False, text="Warning"),), "docker gives no reason"),
    ],
)
def test_a_pull_that_ends_without_an_answer_fails(
    docker: FakeDocker, lines: tuple[str | dict[str, Any], ...], reason: str
) -> None:
    assert _failure(_pull(docker, *lines, code=1), SHOP).reason == reason


def test_without_an_engine_no_image_is_blamed(docker: FakeDocker) -> None:
    words = "unable to get image 'a:1': Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?"
    with pytest.raises(EngineError, match=r"^cannot reach the Docker engine$"):
        _pull(docker, {"error": True, "message": words}, code=1)


def test_without_docker_there_is_a_hint_to_install_it(
    docker: FakeDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="the program `docker` is not on the PATH") as caught:
        _pull(docker)
    assert caught.value.hint == "install Docker 28.0 or newer"


def test_an_interrupt_ends_the_programs_at_once(docker: FakeDocker) -> None:
    """`docker` has Compose as a child, which goes on where only `docker` is killed."""
    child = docker.folder / "child"
    program = docker.folder / "docker"
    event = json.dumps(_image(0, five=False, text="Pulling"))
    program.write_text(f"#!/bin/sh\nsleep 20 &\necho $! > {child}\necho '{event}' >&2\nwait\n")

    async def interrupted() -> None:
        async for _ in DockerImages(lambda _: []).pull(REFERENCES):
            asyncio.current_task().cancel()  # type: ignore[union-attr]

    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())
    assert time.monotonic() - began < 10
    deadline = time.monotonic() + 5
    while _lives(int(child.read_text())) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _lives(int(child.read_text()))


def _lives(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


HUB, OTHER = "redis:8", "mirror.example.com:5000/redis:8"
NETWORK = "check the network, or copy it from another machine (arcctl images load FILE)"


@pytest.mark.parametrize(
    ("reference", "words", "reason", "hint"),
    [
        (
            HUB,
            "toomanyrequests: You have reached your pull rate limit.",
            "the rate limit of Docker Hub is used up",
            "wait, or raise it (docker login)",
        ),
        (
            OTHER,
            "unexpected status from HEAD request to https://mirror.example.com:5000/v2/: 429 Too Many Requests",
            "the rate limit of mirror.example.com:5000 is used up",
            "wait, or raise it (docker login mirror.example.com:5000)",
        ),
        (
            OTHER,
            "unauthorized: authentication required",
            "mirror.example.com:5000 wants a login",
            "docker login mirror.example.com:5000",
        ),
        (OTHER, "403 Forbidden", "mirror.example.com:5000 wants a login", "docker login mirror.example.com:5000"),
        (
            "toy/gone:1",
            "pull access denied for toy/gone, repository does not exist or may require 'docker login': denied",
            "Docker Hub has no such image, or wants a login",
            "check its name, or log in (docker login)",
        ),
        (
            HUB,
            "manifest for redis:8 not found: manifest unknown: manifest unknown",
            "Docker Hub has no such image",
            "check its name and its tag (arcctl images list)",
        ),
        (
            HUB,
            "docker.io/library/redis:8: not found",
            "Docker Hub has no such image",
            "check its name and its tag (arcctl images list)",
        ),
        (
            HUB,
            "failed to register layer: write /x: no space left on device",
            "no space left on the disk of the Docker engine",
            "free disk space",
        ),
        (
            "mirror.example.com/dockerhub/library/redis:8",
            'unknown: failed to resolve reference "x": failed to do request: Head "https://x/": it rains',
            'Head "https://x/": it rains',
            NETWORK,
        ),
        (HUB, "Error response from daemon: open /x: permission denied", "open /x: permission denied", NETWORK),
    ],
)
def test_each_failure_has_a_reason_and_a_next_step(reference: str, words: str, reason: str, hint: str) -> None:
    passing = "rate limit" in reason
    assert pull_failure(reference, words) == PullFailure(reason=reason, hint=hint, passing=passing)


@pytest.mark.parametrize(
    ("words", "passing"),
    [
        ("received unexpected HTTP status: 503 Service Unavailable", True),
        ("unexpected status from GET request to https://x/v2/: 500 Internal Server Error", True),
        ("failed with status: 502 Bad Gateway", True),
        ("error from registry: overloaded", True),
        ("error pulling image configuration: status code 504", True),
        ("read tcp 10.0.0.2:5->10.0.0.3:443: read: connection reset by peer", True),
        ("dial tcp 10.0.0.3:443: connect: connection refused", True),
        ("unexpected EOF", True),
        ('Get "https://registry-1.docker.io/v2/": EOF', True),
        ('Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout', True),
        ("context deadline exceeded", True),
        ("lookup registry-1.docker.io: server misbehaving", True),
        ("lookup regstry.example.com: no such host", False),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", False),
        ("x509: certificate signed by unknown authority", False),
    ],
)
def test_another_attempt_is_worth_it_only_where_the_failure_passes(words: str, passing: bool) -> None:
    assert pull_failure(HUB, words) == PullFailure(reason=words, hint=NETWORK, passing=passing)
