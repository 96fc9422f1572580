"""The README tells the truth: its tables come from the declarations, its commands exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from arcctl import services
from arcctl.core.connect import Side, Where
from arcctl.core.env import symbolic
from arcctl.core.model import Service

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text()


def _row(service: Service) -> str:  # type: ignore[type-arg]
    ports = [f"{p.host}".partition(":-")[2].rstrip("}") + f" ({p.name})" for p in service.ports(symbolic(service.env))]
    purpose = (service_module_doc(service).partition(":")[2].strip()).rstrip(".")
    needs = ", ".join(need.id for need in service.needs)
    return f"| {service.id} | {purpose} | {', '.join(ports)} | {needs} |"


def service_module_doc(service: Service) -> str:  # type: ignore[type-arg]
    from importlib import import_module

    return (import_module(service.module).__doc__ or "").strip().splitlines()[0]


@pytest.mark.parametrize("name", services.names())
def test_the_table_of_services_says_what_the_declarations_say(name: str) -> None:
    assert _row(services.load().services[name]) in README


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:`|\$ )make ([a-z]+)", README))))
def test_each_make_target_that_the_readme_names_exists(target: str) -> None:
    done = subprocess.run(("make", "-n", target), cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


ALERTS = [alert for service in services.load().services.values() for alert in service.monitoring.alerts]


@pytest.mark.parametrize("name", [alert.name for alert in ALERTS])
def test_each_alert_is_explained(name: str) -> None:
    assert f"| {name} | " in README


VARIABLES = [
    name
    for service in services.load().services.values()
    for name in service.connect(symbolic(service.env), Where(side=Side.HOST, host="host"))
]


@pytest.mark.parametrize("name", VARIABLES)
def test_each_variable_that_programs_find_is_named(name: str) -> None:
    assert f"`{name}`" in README
