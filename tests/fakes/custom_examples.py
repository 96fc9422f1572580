"""Files of custom services that together use every field."""

from __future__ import annotations

from collections.abc import Mapping

from arcctl.custom.schema import CustomService, read

PAGE = {
    "image": "nginx:1.29-alpine",
    "ports": [{"container": 80, "host": 8100}, {"container": 9113, "host": 8101, "name": "metrics"}],
    "probe": "/",
    "web": True,
    "metrics": {"path": "/stub", "port": 9113},
    "environment": {"GREETING": "costs 5 $$"},
    "volumes": {"cache": "/var/cache/nginx", "pages": "/usr/share/nginx/html"},
}
AGENT = {
    "title": "The agent",
    "build": "apps/my-agent",
    "ports": [{"container": 8000, "host": 8102}],
    "probe": "/health",
    "needs": ["redis", "otel-collector", "front-page"],
    "database": True,
    "environment": {
        "CACHE_URL": "${REDIS_URL}",
        "CACHE_PORT": "${REDIS_HOST_PORT}",
        "FULL_URL": "${DATABASE_URL}",
        "PAGE": "${FRONT_PAGE_URL}",
        "PRICE": "5 $$",
    },
    "command": ["python", "-m", "agent", "--port", "${PORT}"],
    "user": "10001:10001",
    "memory_mb": 128,
    "embedded": {
        "lock": "apps/my-agent/requirements.lock",
        "command": ["python", "-m", "agent", "--port", "${PORT}", "--price", "$$5"],
    },
}
WORKER = {
    "image": "me/worker:2",
    "needs": ["my-agent"],
    "probe": "tcp",
    "ports": [{"container": 9000, "host": 8103, "name": "debug"}],
}


def examples(**files: Mapping[str, object]) -> dict[str, CustomService]:
    """Parsed files; underscores in their names become dashes."""
    return {name.replace("_", "-"): read(name.replace("_", "-"), declaration) for name, declaration in files.items()}


EXAMPLES = examples(front_page=PAGE, my_agent=AGENT, worker=WORKER)
