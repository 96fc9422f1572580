"""`python -m tests.testbed up|down|prepare|official|build|status|env|isolated`: the command line of the testbed."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from arcctl.errors import ArcError
from arcctl.model.binaries import Source
from tests.testbed import catalogue, engine, images, registry, second
from tests.testbed.catalogue import ARTIFACTS, Image
from tests.testbed.places import docker_host
from tests.testbed.shell import TestbedError, output, say

BUILDS_AT_ONCE = 2
# An engine that can pull this image needs no stand-ins.
PULL_CHECK = "redis:8.10.1-alpine"
PULL_SECONDS = 120


def up(options: argparse.Namespace) -> None:
    """Start the engine and build the images; do nothing if another engine can pull the official images."""
    if not options.force and other_engine():
        say("another engine answers and can pull: nothing to do, the tests use it and the official images")
        return
    print(f"export DOCKER_HOST={engine.start(options.bind)}", flush=True)
    build_images(catalogue.select(options.names))


def other_engine() -> bool:
    """Whether the default engine of the docker CLI is not ours, answers, and can pull."""
    if os.environ.get("DOCKER_HOST") == docker_host() or not engine.answers():
        return False
    return output(["docker", "pull", "--quiet", PULL_CHECK], seconds=PULL_SECONDS) is not None


def official(options: argparse.Namespace) -> None:
    """Fail where the tests would run on stand-ins."""
    del options
    if not other_engine():
        raise TestbedError("no Docker engine answers that can pull: the tests would run on stand-ins")


def build(options: argparse.Namespace) -> None:
    """Build only the artifacts, without an engine; all of them with the registry."""
    artifacts = [image.artifact for image in catalogue.select(options.names) if image.artifact]
    build_artifacts(artifacts if options.names else [*artifacts, registry.SOURCE])


def prepare(options: argparse.Namespace) -> None:
    """Build servers and images before the tests; no images if another engine can pull them."""
    build(options)
    if options.force or not other_engine():
        engine.start(options.bind)
        build_images(catalogue.select(options.names))
        second.note_images()
        engine.stop()
        second.copy_first()


def isolated(options: argparse.Namespace) -> None:
    """Run a command in a network namespace of its own, with the second engine.

    Run it directly where that is not possible, or where it needs an engine and another one can pull.
    """
    if not second.possible() or (not options.embedded and other_engine()):
        os.execvp(options.names[0], options.names)
    second.enter(options.names)


def inside(options: argparse.Namespace) -> None:
    """Run by `isolated` in the new namespace."""
    second.inside(options.names)


def build_artifacts(wanted: list[Source]) -> None:
    """Build what is missing, two at a time, the slowest first."""
    missing = [source for source in wanted if not ARTIFACTS.built(source)]
    with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool:
        list(pool.map(images.build_artifact, sorted(missing, key=lambda source: -source.minutes)))


def build_images(wanted: list[Image]) -> None:
    """Build what is missing: base images first, then the others in parallel; those without an artifact start first."""
    for image in wanted:
        if image.name in catalogue.BASE_IMAGES:
            images.ensure(image)
    rest = [image for image in wanted if image.name not in catalogue.BASE_IMAGES and images.buildable(image)]
    waiting = [image for image in rest if image.artifact and not ARTIFACTS.built(image.artifact)]
    at_once = [image for image in rest if image not in waiting]
    with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool:
        failed = [text for text in pool.map(attempt, at_once + waiting) if text]
    if failed:
        raise TestbedError("\n".join(failed))
    for image in wanted:
        if not images.buildable(image):
            say(f"skipped {image.name}: {image.folder} has no Dockerfile")
    say("all images are ready")


def attempt(image: Image) -> str | None:
    """Build one image; return the error, so that the other images are still built."""
    try:
        images.ensure(image)
    except (TestbedError, ArcError) as problem:
        say(f"{image.name} failed")
        return f"{image.name}: {problem}"
    return None


def down(options: argparse.Namespace) -> None:
    """Stop our engine; keep the cache."""
    del options
    engine.stop()


def status(options: argparse.Namespace) -> None:
    """Print a table of images and artifacts."""
    running = engine.running()
    print(f"engine: {docker_host() if running else 'not running'}")
    print(f"{'image':<56} {'kind':<7} {'artifact':<9} ready")
    for image in catalogue.select(options.names):
        artifact = "-" if image.artifact is None else ("built" if ARTIFACTS.built(image.artifact) else "missing")
        ready = "yes" if running and images.buildable(image) and images.is_ready(image) else "no"
        print(f"{image.reference:<56} {image.kind:<7} {artifact:<9} {ready}")


def env(options: argparse.Namespace) -> None:
    """Print the line that a shell evaluates to use our engine."""
    del options
    if not engine.running():
        raise TestbedError("the engine is not running")
    print(f"export DOCKER_HOST={docker_host()}")


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "up": up,
    "down": down,
    "prepare": prepare,
    "official": official,
    "build": build,
    "status": status,
    "env": env,
    "isolated": isolated,
    "inside": inside,
}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.testbed", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    names = "names or references of images, all by default; or the command to run, after --"
    parser.add_argument("names", nargs="*", help=names)
    parser.add_argument("--bind", type=Path, action="append", default=[], help="a folder that containers can mount")
    parser.add_argument("--force", action="store_true", help="start our engine even if another one answers")
    parser.add_argument("--embedded", action="store_true", help="the command to run uses no Docker engine")
    return parser.parse_args()


def main() -> None:
    """Run one command; an error is one line and exit code 1."""
    options = parse()
    try:
        COMMANDS[options.command](options)
    except (TestbedError, ArcError) as problem:
        raise SystemExit(f"testbed: {problem}") from None


if __name__ == "__main__":
    main()
