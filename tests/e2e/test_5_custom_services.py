"""Custom services work in every command like the built-in ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
import yaml

from arcctl.model.names import PROJECT
from tests.e2e.clients import superuser
from tests.e2e.driver import Platform, eventually
from tests.e2e.smoke_tests import verdict

NAME = "arc-visits"
ROLE = "own_arc_visits"


@pytest.fixture(scope="module")
def new(either: Platform) -> Iterator[Platform]:
    """A platform with a service from `service new`, running."""
    either.arcctl("service", "new", NAME, "--database", "--web").ok()
    if not either.shift:
        _build(either)
    either.arcctl("up", NAME).ok()
    yield either
    if (either.directory / f"services/{NAME}.yaml").exists():
        either.arcctl("service", "remove", NAME, "--data", "--yes").ok()
    either.arcctl("up", "traefik").ok()


def _build(platform: Platform) -> None:
    """As `up` does, but with the network of the host: containers of the testbed cannot reach the Internet."""
    words = ("buildx", "build", "--load", "--network", "host", "--tag", f"{PROJECT}-{NAME}:0.1.0", f"apps/{NAME}")
    platform.docker(*words)


def _port(platform: Platform) -> int:
    port: int = yaml.safe_load((platform.directory / f"services/{NAME}.yaml").read_text())["ports"][0]["host"]
    return port


def _visit(platform: Platform) -> dict[str, Any]:
    answer = httpx.get(f"http://127.0.0.1:{_port(platform)}/visits")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _databases(platform: Platform) -> set[str]:
    with superuser(platform, "postgres") as connection:
        return {str(name) for (name,) in connection.execute("SELECT datname FROM pg_database")}


def _roles(platform: Platform) -> set[str]:
    with superuser(platform, "postgres") as connection:
        return {str(name) for (name,) in connection.execute("SELECT rolname FROM pg_roles")}


def _metric(platform: Platform, query: str) -> list[Any]:
    answer = httpx.get(f"http://127.0.0.1:{platform.port(9090)}/api/v1/query?query={quote(query)}")
    result: list[Any] = answer.json()["data"]["result"]
    return result


def test_it_is_healthy_by_name_by_layer_and_in_all(new: Platform) -> None:
    for word in (NAME, "custom", "all"):
        report = new.health(word)
        (service,) = [s for s in report["services"] if s["name"] == NAME]
        assert (service["status"], service["custom"]) == ("healthy", True)
        assert report["status"] == "healthy", new.arcctl("health", word).out


def test_a_second_up_has_nothing_to_do(new: Platform) -> None:
    assert "already running, nothing to do" in new.arcctl("up", NAME).ok().err


def test_it_passes_its_smoke_test_with_its_database(new: Platform) -> None:
    assert verdict(new, NAME) == ("passed", "")


def test_env_and_db_list_include_it(new: Platform) -> None:
    assert f"ARC_VISITS_URL=http://127.0.0.1:{_port(new)}" in new.arcctl("env", NAME, "--format", "dotenv").ok().out
    assert ROLE in new.arcctl("db", "list").ok().out


def test_every_command_that_lists_services_includes_it(new: Platform) -> None:
    _visit(new)
    assert f"http://127.0.0.1:{_port(new)}" in new.arcctl("info", NAME).ok().out
    assert {c["name"]: c["state"] for c in new.containers(NAME)} == {
        NAME: "running",
        f"{NAME}-db": "exited",
    }
    assert '"message": "visit ' in new.arcctl("logs", NAME).ok().out
    assert "ARC_VISITS_HOST_PORT" in new.arcctl("config", "show").ok().out
    assert f"role {ROLE}" in new.arcctl("bootstrap", NAME, "--check", "--json").ok().out
    assert NAME in new.arcctl("service", "list").ok().out


def test_it_keeps_its_data_after_a_restart(new: Platform) -> None:
    first = _visit(new)["visits"]
    new.arcctl("restart", NAME).ok()
    assert _visit(new)["visits"] == first + 1
    with superuser(new, ROLE) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM visits").fetchone() == (True,)


def test_it_cannot_connect_to_another_database(new: Platform) -> None:
    password = new.secrets()["ARC_VISITS_DB_PASSWORD"]
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(host="127.0.0.1", port=new.port(5432), user=ROLE, password=password, dbname="arc")


def test_a_request_is_followed_through_the_telemetry_path(new: Platform) -> None:
    trace = json.loads(new.arcctl("trace", _visit(new)["trace_id"], "--wait", "--json").ok().out)
    assert [(span["service"], span["name"]) for span in trace["spans"]] == [
        (NAME, "GET /visits"),
        (NAME, "count a visit"),
    ]
    assert all(hop["ok"] and hop["found"] for hop in trace["hops"])


def test_the_gateway_routes_its_name_to_it(new: Platform) -> None:
    answer = httpx.get(f"http://127.0.0.1:{new.port(80)}/health", headers={"Host": f"{NAME}.localhost"})
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_its_panel_in_the_overview_has_data(new: Platform) -> None:
    _visit(new)
    overview = json.loads((new.directory / "config/grafana/dashboards/overview.json").read_text())
    (panel,) = [panel for panel in overview["panels"] if panel.get("title") == f"{NAME}: up"]
    (query,) = [target["expr"] for target in panel["targets"]]
    assert eventually(lambda: _metric(new, query))


def test_no_command_shows_its_secret(new: Platform) -> None:
    password = new.secrets()["ARC_VISITS_DB_PASSWORD"]
    seen = [
        new.arcctl(*words).ok().out for words in (("ps", "--json"), ("info", NAME), ("config", "show"), ("logs", NAME))
    ]
    if not new.shift:
        seen.append(new.docker("inspect", "arc_arc_visits"))
    assert [text for text in seen if password in text] == []


def test_its_metrics_are_scraped_under_its_name(either: Platform) -> None:
    """With an image that serves metrics; the one of `service new` does not."""
    declaration = {
        "image": "python:3.13-slim",
        "ports": [{"container": 8000, "host": 8190 + (either.shift and 1)}],
        "probe": "/",
        "metrics": {"path": "/metrics"},
        "command": ["python3", "-c", _METRICS, "${PORT}"],
        "embedded": {"command": ["python3", "-c", _METRICS, "${PORT}"]},
    }
    (either.directory / "services").mkdir(exist_ok=True)
    (either.directory / "services/arc-metered.yaml").write_text(yaml.safe_dump(declaration))
    try:
        either.arcctl("up", "arc-metered").ok()
        assert eventually(lambda: _metric(either, 'answers_total{job="arc-metered"}'))
    finally:
        either.arcctl("service", "remove", "arc-metered", "--data", "--yes").ok()
        either.arcctl("up", "prometheus").ok()
    assert not (either.directory / "config/prometheus/custom.yml").exists()


_METRICS = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"answers_total 42\\n")
http.server.HTTPServer(("0.0.0.0", int(sys.argv[1])), Page).serve_forever()
"""


def test_remove_keeps_data_and_code_and_remove_with_data_keeps_code(new: Platform) -> None:
    before = _visit(new)["visits"]
    output = new.arcctl("service", "remove", NAME, "--yes").ok().err
    assert f"data that is kept: role {ROLE}, database {ROLE}, secret ARC_VISITS_DB_PASSWORD" in output
    assert "code that is kept: apps/arc-visits" in output
    assert NAME not in new.arcctl("ps", "all", "--json").ok().out
    assert ROLE in _databases(new)

    new.arcctl("service", "new", NAME, "--database", "--web").ok()
    new.arcctl("up", NAME).ok()
    assert _visit(new)["visits"] == before + 1

    new.arcctl("service", "remove", NAME, "--data", "--yes").ok()
    assert ROLE not in _databases(new) | _roles(new)
    assert "ARC_VISITS_DB_PASSWORD" not in new.secrets()
    assert (new.directory / "apps" / NAME / "README.md").is_file()
    assert list((new.directory / "compose").glob("custom*")) == []
    assert new.health("all")["status"] == "healthy", new.arcctl("health", "all").out
