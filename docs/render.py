"""Renders the reference pages from the program and its declarations.

`python -m docs.render` writes them; with `--check` it writes nothing and exits with 1 where one is out of date.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from arcctl import errors, services
from arcctl.cli.main import app
from arcctl.engines.base import oldest
from arcctl.engines.docker import products
from arcctl.model.backup_method import Dump, Method
from arcctl.model.connection import Side, Where
from arcctl.model.env import NAME, ServiceEnv, Variable, symbolic, variables
from arcctl.model.names import IMAGES, PORTS, PROJECT
from arcctl.model.service import Component, Port, Service
from arcctl.settings import bind_address, image_registry
from tests import faults, platforms

CHECKOUT = Path(__file__).parents[1]
SCHEMAS = CHECKOUT / "src" / "arcctl" / "schemas"
NOTE = "Rendered from the program by `make docs`: change its source, not this page.\n"
EXAMPLES = re.compile(r"^Examples?: (.*)\Z", re.MULTILINE | re.DOTALL)
MARKED = re.compile(r"(<!-- (?P<name>[a-z ]+) -->\n?)(?:(?!<!--).)*?(?P<end>\n?<!-- end of (?P=name) -->)", re.DOTALL)
"""A part of a written page that comes from the program, between marks with its name."""


def table(headers: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [headers, ("---",) * len(headers), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _page(title: str, *parts: str) -> str:
    return "\n".join((f"# {title}\n", NOTE, *(part for part in parts if part)))


# Commands


@dataclass(frozen=True)
class Entry:
    """One command or group of commands."""

    words: tuple[str, ...]
    command: Any
    context: Any

    @property
    def name(self) -> str:
        return " ".join(self.words)

    @property
    def group(self) -> bool:
        return hasattr(self.command, "commands")

    @property
    def text(self) -> str:
        """What it does, without its examples."""
        return EXAMPLES.sub("", self.command.help or "").strip()

    @property
    def examples(self) -> tuple[str, ...]:
        found = EXAMPLES.search(self.command.help or "")
        return tuple(" ".join(words.split()) for words in re.findall(r"`([^`]+)`", found[1])) if found else ()


def command_tree() -> Iterator[Entry]:
    """The program, then every command that is not hidden, each group before its commands."""
    return _walk(typer.main.get_command(app), ("arcctl",), None)


def _walk(command: Any, words: tuple[str, ...], parent: Any) -> Iterator[Entry]:
    context = typer.Context(command, info_name=words[-1], parent=parent)
    yield Entry(words, command, context)
    for name in sorted(command.list_commands(context)) if hasattr(command, "list_commands") else ():
        child = command.get_command(context, name)
        if not child.hidden:
            yield from _walk(child, (*words, name), context)


def commands() -> str:
    entries = tuple(command_tree())
    rows = [(f"[{e.name}](#{'-'.join(e.words)})", e.text.split("\n\n", 1)[0]) for e in entries if not e.group]
    return _page("Commands", table(("command", "what it does"), rows), *(_command(entry) for entry in entries))


def _command(entry: Entry) -> str:
    usage = entry.command.get_usage(entry.context).removeprefix("Usage: ")
    records = [p.get_help_record(entry.context) for p in entry.command.params]
    rows = [(f"`{name}`", meaning) for name, meaning in filter(None, records)]
    examples = "".join(f"$ {words}\n" for words in entry.examples)
    parts = [f"## {entry.name}\n", f"{entry.text}\n" if entry.text else ""]
    parts += [f"```text\n{' '.join(usage.split())}\n```\n", table(("argument or option", "meaning"), rows)]
    parts += [f"```console\n{examples}```\n" if examples else ""]
    return "\n".join(part for part in parts if part)


# Services


LABEL = re.compile(r"\{\{ \$(?:labels\.)?(\w+) \}\}")
"""What an alert fills in when it fires."""


def _purpose(service: Service[Any]) -> str:
    """The summary in the docstring of its module, without the name."""
    return services.summary(service.id).partition(":")[2].strip().rstrip(".")


def _ports(service: Service[Any], env: ServiceEnv) -> Iterator[tuple[Port, str, str]]:
    """Each published port of a service and its components, with the setting of its host port and the default."""
    for component in (service, *service.components):
        for port in component.network.ports(env):
            setting, _, default = str(port.host).strip("${}").partition(":-")
            yield port, setting, default


def service_table() -> str:
    """What each service is for."""
    rows = []
    for service in services.load().services.values():
        ports = ", ".join(f"{default} ({port.name})" for port, _, default in _ports(service, symbolic(service.env)))
        rows.append((service.id, _purpose(service), ports, ", ".join(need.id for need in service.needs)))
    return table(("service", "what it is for", "on 127.0.0.1", "depends on"), rows)


def services_page() -> str:
    return _page("Services", service_table(), *map(_service, services.load().services.values()))


def _local(service: Service[Any]) -> str:
    """Where its server comes from on the embedded engine."""
    if service.process is None:
        return "not available: no package contains this server"
    built = all(source.minutes for source in service.process.sources)
    return f"{service.process.sources[0].name}, " + ("after `arcctl engine build`" if built else "at once")


def _backup(method: Method | None) -> str:
    if method is None:
        return "no data of its own"
    return "dumped while it runs" if isinstance(method, Dump) else "stopped for seconds while its files are copied"


def _service(service: Service[Any]) -> str:
    env = symbolic(service.env)
    here = Where(side=Side.HOST, host="host")
    components = ", ".join(f"`{component.id}`" for component in service.components)
    connect = ", ".join(f"`{name}`" for name in service.network.connect(env, here))
    resources = ", ".join(resource.name for resource in service.setup.resources(env))
    alerts = [(f"`{alert.name}`", LABEL.sub(r"*\1*", alert.summary)) for alert in service.telemetry.alerts]
    facts = [
        ("image", f"`{service.container.image.replace(NAME, PROJECT)}`"),
        ("layer", service.layer),
        ("components", components),
        ("without Docker", _local(service)),
        ("backup", _backup(service.backup(env))),
        ("variables for programs (`arcctl env`)", connect),
        ("created by `up` and `bootstrap`", resources),
    ]
    return "\n".join(
        (
            f"## {service.id}\n",
            table(("", ""), [fact for fact in facts if fact[1]]),
            table(("alert", "fires when"), alerts) if alerts else "",
        )
    )


def ports_page() -> str:
    rows = [
        (default, service.id, port.name, str(port.container), f"`{setting}`")
        for service in services.load().services.values()
        for port, setting, default in _ports(service, symbolic(service.env))
    ]
    headers = ("port on 127.0.0.1", "service", "name", "port in the container", "setting")
    return _page("Ports", table(headers, _sorted(rows)), "Without Docker there are more:\n", _local_ports())


def _local_ports() -> str:
    """What containers have for themselves."""
    rows = [
        (default, component.id, port.name, f"`{setting}`")
        for component in services.load().components().values()
        for port, setting, default in _inner_ports(component)
    ]
    return table(("port on 127.0.0.1", "process", "name", "setting"), _sorted(rows))


def _inner_ports(component: Component[Any]) -> Iterator[tuple[Port, str, str]]:
    for port in component.process.ports(symbolic(component.env)) if component.process else ():
        setting, _, default = str(port.host).strip("${}").partition(":-")
        yield port, setting, default


def _sorted(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return sorted(rows, key=lambda row: int(row[0]))


def limits_page() -> str:
    rows = [(s.id, limit.of, limit.most, limit.beyond) for s in services.load().services.values() for limit in s.limits]
    intro = (
        "A span or a log record may have up to 16 MB, over gRPC and over HTTP. A long value of a span is in a trace of "
        "its own, whose id is the id of the span twice; its attribute says so: `… 412331 bytes more in trace …`. "
        "Jaeger shows it under *Warnings*.\n"
    )
    return _page("Limits", intro, table(("service", "limit of", "at most", "what a client sees beyond it"), rows))


# Faults


def faults_page() -> str:
    intro = (
        "Every cell is an end-to-end test: the fault is caused on a running platform, `arcctl health` reports it once "
        "with the service itself as the root cause, and, where it lasts, what depends on the service names it. "
        "Then what the last column says repairs it.\n"
    )
    rows = [
        (fault.name, fault.made, " or ".join(fault.statuses), f"`{fault.shown}`", fault.repair)
        for fault in faults.FAULTS
    ]
    cells = [(name, *(", ".join(fault.tested(name)) or "-" for fault in faults.FAULTS)) for name in faults.SERVICES]
    why = "".join(f"- *{fault.name}*: {fault.otherwise}.\n" for fault in faults.FAULTS if fault.otherwise)
    return _page(
        "Faults",
        intro,
        table(("fault", "how it is caused", "status", "what `health` says", "what repairs it"), rows),
        "## Tested on\n",
        table(("service", *(fault.name for fault in faults.FAULTS)), cells),
        why,
    )


# Platforms


def platforms_page() -> str:
    catalogue = services.load()
    names = tuple(machine.name for machine in platforms.MACHINES)
    intro = (
        "Where arcctl runs. **macOS cannot be run where arcctl is developed: what is said of it here is read from what "
        "packages contain, and not tested.** Everything that differs between systems and processors is in one module, "
        "`src/arcctl/engines/machine.py`.\n"
    )
    engines = [
        ("tested", *(machine.tested for machine in platforms.MACHINES)),
        ("Python", *("3.11 to 3.14" for _ in names)),
        ("Docker engine", *("yes" if "Linux" in name else "in a virtual machine" for name in names)),
    ]
    rows = [
        (service, *(platforms.embedded(service, catalogue, machine) for machine in platforms.MACHINES))
        for service in catalogue.services
    ]
    wheels = [
        (package, *(found.get(name, "no wheel") for name in names)) for package, found in platforms.WHEELS.items()
    ]
    images = {c.id: platforms.repository(c.container.image) for c in catalogue.components().values()}
    found = [
        (f"`{image}`", ", ".join(_users(image, images)), "yes" if said else "expected", said)
        for image, said in sorted(platforms.IMAGES.items())
    ]
    return _page(
        "Platforms",
        intro,
        table(("", *names), engines),
        "## Services without Docker\n",
        "*At once* means that the first `arcctl up` installs the server, *after a build* that `arcctl engine build` "
        "builds it. On any machine, `arcctl engine list` says what is so there.\n",
        table(("service", *names), rows),
        "## The oldest system for each wheel\n",
        "An end-to-end test downloads the wheels that pip chooses for each kind of machine, and looks for the program "
        "in them. Postgres also needs the C++ library (`libstdc++6` on Debian), which the smallest systems lack.\n",
        table(("package", *names), wheels),
        "## Images\n",
        "Each is made for amd64. *Expected* means that no statement of its makers about arm64 was found.\n",
        table(("image", "used by", "arm64", "known from"), found),
    )


def _users(image: str, images: Mapping[str, str]) -> list[str]:
    return [name for name, used in images.items() if used == image]


# Settings


def settings_page() -> str:
    found = services.load().services.values()
    intro = (
        "Put settings into `config/<service>/.env`, or use `arcctl config set SERVICE NAME VALUE`. "
        "The process environment takes precedence.\n"
    )
    of_services = (_settings(service.id, variables(service.env)) for service in found)
    return _page(
        "Settings",
        intro,
        *of_services,
        _settings(IMAGES, (image_registry.VARIABLE,)),
        _settings(PORTS, (bind_address.VARIABLE,)),
    )


def _settings(owner: str, own: Iterable[Variable]) -> str:
    rows = [(f"`{v.name}`", _default(v), v.description) for v in own if not v.shared]
    return "\n".join((f"## {owner}\n", table(("setting", "default", "meaning"), rows)))


def _default(variable: Variable) -> str:
    if variable.server_issued:
        return "issued by the server"
    if variable.generate:
        return "generated"
    return f"`{variable.default}`" if variable.default else ""


# Exit codes and JSON


def exit_codes_page() -> str:
    codes = table(("code", "meaning"), [(str(code), meaning) for code, meaning in errors.EXIT_CODES.items()])
    drawn = (errors.__doc__ or "").partition("\n\n")[2].strip()
    return _page("Exit codes", codes, "## Errors\n", f"```text\n{drawn}\n```\n")


def json_page() -> str:
    documents = [json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.json"))]
    intro = (
        "Every `--json` prints one document that begins with the name of its schema. "
        "`arcctl schema` lists those with a JSON Schema, and `arcctl schema NAME` prints it.\n"
    )
    return _page("JSON documents", intro, *(_schema(document) for document in documents))


def _schema(document: Mapping[str, Any]) -> str:
    parts = [f"## {document['title']}\n"]
    shapes = {"": document, **document.get("$defs", {})}
    for name, shape in shapes.items():
        rows = [
            (f"`{key}`", _type(value), value.get("description", ""))
            for key, value in shape.get("properties", {}).items()
        ]
        if rows:
            parts += [f"`{name}`:\n" if name else "", table(("field", "type", "meaning"), rows)]
    return "\n".join(part for part in parts if part)


def _type(shape: Mapping[str, Any]) -> str:
    if "$ref" in shape:
        return str(shape["$ref"]).rpartition("/")[2]
    if "enum" in shape:
        return " · ".join(map(str, shape["enum"]))
    if shape.get("type") == "array":
        return f"list of {_type(shape.get('items', {}))}"
    return str(shape.get("const", shape.get("type", "any")))


# Engine products

PRODUCTS_INTRO = """\
On Linux, Docker's own engine shares kernel, files and ports with this machine. The programs below run it in a virtual
machine, or are another engine behind the same commands. What differs for arcctl is told here as their own docs say
it; `arcctl doctor` says which of them answers, and checks what can be seen: the memory of the virtual machine, whether
containers can mount the project directory, the socket that the gateway's proxy mounts, and ports below 1024.

No service was started on any of them. Docker Desktop, OrbStack, Colima and Rancher Desktop are programs for macOS and
Windows above all, where arcctl's tests cannot run; what they say of themselves in `docker info` is known from public
reports, and the tests of these checks are fed with it. On Podman 4.3.1 for Linux, only read-only commands were tried:
`arcctl doctor`, `arcctl up --dry-run`, `arcctl health`, `arcctl ps` and `arcctl info`.
"""
ROOTLESS = """\
`dockerd` may run without root too (`docker info` says `rootless`). Its socket is `$XDG_RUNTIME_DIR/docker.sock`, in the
context `rootless`, and the gateway's proxy has to mount that one: `TRAEFIK_DOCKER_SOCKET=/run/user/1000/docker.sock`
in `config/traefik/.env`. Ports below 1024 need `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80`, and limits of
memory need cgroup v2 with systemd.
([Docker's docs](https://docs.docker.com/engine/security/rootless/troubleshoot/))
"""


def engine_products_page() -> str:
    headers = ("", *(product.name.value for product in products.PRODUCTS))
    rows = [
        ("recognized by", *(product.told_by for product in products.PRODUCTS)),
        ("socket", *(product.socket for product in products.PRODUCTS)),
        ("memory of the virtual machine", *(product.memory for product in products.PRODUCTS)),
        ("give it 8 GiB", *(product.give(8) for product in products.PRODUCTS)),
        ("folders that containers can mount", *(_shared(product) for product in products.PRODUCTS)),
        ("this machine, for containers", *(product.host for product in products.PRODUCTS)),
        ("limits, and what to do", *(product.limits for product in products.PRODUCTS)),
        ("source", *(_sources(product) for product in products.PRODUCTS)),
    ]
    wsl = f"On WSL 2, every folder is shared, and for more memory: {products.WSL_MEMORY.format(gib=8)}.\n"
    return _page(
        "Engine products", PRODUCTS_INTRO, table(headers, rows), wsl, "## Docker Engine without root\n", ROOTLESS
    )


def _shared(product: products.Product) -> str:
    folders = ", ".join(f"`{folder}`" for folder in product.shared)
    return f"{folders}; for others: {product.share_more}" if folders else "all"


def _sources(product: products.Product) -> str:
    return ", ".join(f"[{number}]({source})" for number, source in enumerate(product.sources, 1))


# Stand-in images

PROMISES = CHECKOUT / "tests" / "testbed" / "images" / "promises.yaml"
PROMISE_NOTE = """\
What each stand-in promises of the official image in whose place it stands, and the official file that this was read
from. Rendered from [promises.yaml](promises.yaml) by `make docs`. `tests/e2e/test_2_promises.py` compares the second
column with the image that runs, be it the stand-in or the official one; `tests/stubs` tests the rules of the stubs.
"""


def promises_page() -> str:
    import yaml

    rows = [
        (name, _image_promise(said), said.get("offers", ""), _rules(said), said.get("differs", ""), said["read_from"])
        for name, said in yaml.safe_load(PROMISES.read_text()).items()
    ]
    headers = ("stand-in", "image and environment", "offers", "rules and memory", "where it differs", "read from")
    return "\n".join(("# What the stand-ins promise\n", PROMISE_NOTE, table(headers, rows)))


def _image_promise(said: Mapping[str, Any]) -> str:
    image = {"user": "root", **{k: v for k, v in said["image"].items() if v}}
    shown = {**{k: " ".join(v) if isinstance(v, list) else v for k, v in image.items()}, **said.get("environment", {})}
    return "; ".join(f"{name} `{value}`" for name, value in shown.items()) if said["image"] else ""


def _rules(said: Mapping[str, Any]) -> str:
    metrics = [f"exports {', '.join(said['metrics'])}"] if "metrics" in said else []
    return "; ".join((*said.get("rules", ()), *metrics, *([said["memory"]] if "memory" in said else [])))


PAGES: Mapping[str, Callable[[], str]] = {
    "commands": commands,
    "services": services_page,
    "ports": ports_page,
    "limits": limits_page,
    "faults": faults_page,
    "platforms": platforms_page,
    "settings": settings_page,
    "exit-codes": exit_codes_page,
    "engine-products": engine_products_page,
    "json": json_page,
}


def rendered() -> dict[Path, str]:
    """Every rendered file with its text."""
    texts = {CHECKOUT / "docs" / "reference" / f"{name}.md": page() for name, page in PAGES.items()}
    texts[PROMISES.with_name("README.md")] = promises_page()
    written = (CHECKOUT / "README.md", *(path for path in (CHECKOUT / "docs").rglob("*.md") if path not in texts))
    return {**texts, **{path: MARKED.sub(_filled, path.read_text()) for path in written}}


PARTS: Mapping[str, Callable[[], str]] = {
    "services": service_table,
    "oldest docker": lambda: f"Docker {oldest('Docker')} or newer with Compose {oldest('Compose')} or newer",
}


def _filled(mark: re.Match[str]) -> str:
    return f"{mark[1]}{PARTS[mark['name']]().rstrip()}{mark['end']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a file is out of date")
    check = parser.parse_args().check
    stale = {path: text for path, text in rendered().items() if not path.is_file() or path.read_text() != text}
    for path, text in stale.items():
        if check:
            print(f"{path.relative_to(CHECKOUT)} is out of date: make docs")
        else:
            path.write_text(text)
    raise SystemExit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
