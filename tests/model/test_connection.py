"""Endpoints as they are seen from elsewhere."""

from __future__ import annotations

import pytest

from arcctl.model.connection import Endpoint
from arcctl.model.names import LOOPBACK


@pytest.mark.parametrize(
    ("url", "elsewhere"),
    [
        ("postgresql://127.0.0.1:5432/arc", "postgresql://10.0.0.7:5432/arc"),
        ("http://localhost:3000/login?next=/", "http://10.0.0.7:3000/login?next=/"),
        ("http://127.0.0.1/ui", "http://10.0.0.7/ui"),
        ("http://grafana.localhost/", "http://grafana.localhost/"),
    ],
)
def test_an_endpoint_of_this_machine_has_the_address_of_the_engine(url: str, elsewhere: str) -> None:
    endpoint = Endpoint("web", url, user="arc", secret="s3cret")
    assert endpoint.at("10.0.0.7") == Endpoint("web", elsewhere, user="arc", secret="s3cret")
    assert endpoint.at(LOOPBACK) is endpoint
