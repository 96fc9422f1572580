"""Checks a data source as `Save & test` of Grafana does."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

QUESTIONS = {
    "prometheus": ("/api/v1/query?query=1%2B1", "Successfully queried the Prometheus API."),
    "loki": ("/loki/api/v1/query?query=vector(1)%2Bvector(1)", "Data source successfully connected."),
    "jaeger": ("/api/services", "Data source is working"),
    "tempo": ("/api/echo", "Data source is working"),
}


def check(source: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """The status code and body of `/api/datasources/uid/<uid>/health`."""
    if source["type"] not in QUESTIONS:
        return 404, {"message": "Plugin not found"}
    path, success = QUESTIONS[source["type"]]
    try:
        ask(source["url"].rstrip("/") + path)
    except (OSError, ValueError) as problem:
        return 400, {"status": "ERROR", "message": f"Unable to connect with {source['name']}: {problem}"}
    return 200, {"status": "OK", "message": success}


def ask(url: str) -> object:
    """A JSON answer, or an error."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def forward(url: str, body: bytes | None, kind: str | None) -> tuple[int, str, bytes]:
    """Forward a request to a data source; return status code, content type and body."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind} if kind else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers.get("Content-Type", "application/json"), answer.read()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.headers.get("Content-Type", "text/plain"), problem.read()
    except OSError as problem:
        return 502, "application/json", json.dumps({"message": f"Bad Gateway: {problem}"}).encode()
