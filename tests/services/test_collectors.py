"""The memory limiter of a local process refuses at the same share as that of a container, which reads percents."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from arcctl import services
from arcctl.model.env import symbolic
from arcctl.settings.template import template

CATALOGUE = services.load()


@pytest.mark.parametrize("name", ["jaeger", "otel-collector"])
def test_a_local_process_has_the_limits_of_its_container(name: str) -> None:
    component = CATALOGUE.services[name]
    config: Any = yaml.safe_load((template() / "config" / name / "config.yaml").read_text())
    percents, memory = config["processors"]["memory_limiter"], component.container.memory_mb
    assert component.process
    (patch,) = component.process.patches(symbolic(component.env)).values()
    limiter = patch["processors"]["memory_limiter"]
    assert limiter == {
        "limit_percentage": None,
        "spike_limit_percentage": None,
        "limit_mib": memory * percents["limit_percentage"] // 100,
        "spike_limit_mib": memory * percents["spike_limit_percentage"] // 100,
    }
