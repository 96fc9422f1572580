"""Infisical: the vault for secrets of people and programs."""

from __future__ import annotations

from pydantic import SecretStr

from arcctl.core.env import HostPort, generated, shared
from arcctl.core.model import Healthcheck, Inline, Layer, Limits, Link, Port, Service
from arcctl.core.probe import Http
from arcctl.core.proof import Call, Calls, Proof
from arcctl.services import postgres, redis
from arcctl.services._presets import web

NAME = __name__.rpartition(".")[2]
PORT = 8080
UID = 1001
_ENV_FILE = "/run/arc/env"
_METRICS = "OTEL_TELEMETRY_COLLECTION_ENABLED=true\nOTEL_EXPORT_TYPE=prometheus\n"  # served on port 9464


class Env(postgres.ConsumerEnv, env_prefix="INFISICAL_"):
    host_port: HostPort = 3001
    """Port on the host's loopback address."""
    encryption_key: SecretStr = generated(32, alphabet="hex")
    """Encrypts every secret in the database; exactly 32 characters. Lose it and the vault is lost."""
    auth_secret: SecretStr = generated()
    """Signs tokens; a new one logs everybody out."""
    redis_password: SecretStr = shared("REDIS_PASSWORD")
    """Password of Redis, which holds the job queues."""


def _env_file(env: Env) -> str:
    """Variables for a shell; Infisical takes settings from nowhere else."""
    settings = {
        "ENCRYPTION_KEY": env.encryption_key.get_secret_value(),
        "AUTH_SECRET": env.auth_secret.get_secret_value(),
        "DB_CONNECTION_URI": postgres.url(NAME, env.db_password),
        "REDIS_URL": f"redis://:{env.redis_password.get_secret_value()}@{redis.HOST}:{redis.PORT}",
    }
    return "".join(f"{name}='{value}'\n" for name, value in settings.items()) + _METRICS


def _proofs(env: Env) -> tuple[Proof, ...]:
    status = Call(name="see its database and Redis", port=PORT, path="/api/status", expect='"redisConfigured":true')
    return (Calls(steps=(status,)), postgres.login(NAME, env.db_password))


SERVICE: Service[Env] = Service(
    module=__name__,
    title="Infisical",
    layer=Layer.PLATFORM,
    env=Env,
    image="infisical/infisical:v0.165.16",
    needs=(postgres.SERVICE, redis.SERVICE),
    ports=lambda env: (Port(container=PORT, host=env.host_port),),
    # Secrets come from a file that the shell reads, so that they do not show in `docker inspect`.
    command=("sh", "-c", f"set -a && . {_ENV_FILE} && exec ./standalone-entrypoint.sh"),
    environment=lambda env: {
        "NODE_ENV": "production",
        "SITE_URL": f"http://{NAME}.localhost",
        "TELEMETRY_ENABLED": "false",
        "DISABLE_UPDATE_CHECK": "true",
        "ANNOUNCEMENTS_ENABLED": "false",
        # The image's own limit of 2 GB would let it take half of the machine.
        "NODE_OPTIONS": "--max-old-space-size=640",
    },
    mounts=lambda env: (Inline(path=_ENV_FILE, text=_env_file(env), uid=UID, gid=UID),),
    labels=lambda env: web(NAME, PORT),
    stop_grace=30,
    limits=Limits(memory_mb=1024),
    # Each answer writes two lines to the log, hence the long interval.
    healthcheck=Healthcheck(
        test=("CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{PORT}/api/status"),
        interval=30,
        start_period=180,
    ),
    probe=lambda env: Http(port=PORT, path="/api/status", body='"message":"Ok"'),
    helpers=(postgres.database(NAME, Env),),
    proofs=_proofs,
    links=lambda env: (Link(name="ui", url=f"http://127.0.0.1:{env.host_port}"),),
)
