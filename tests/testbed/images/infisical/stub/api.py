"""The calls of the HTTP API that set up an instance and write and read a secret."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any

from .store import Store

Body = dict[str, Any]
Answer = tuple[int, Body]
BOOTSTRAP_DAYS = 90
LOGIN_SECONDS = 2_592_000
WRONG_LOGINS, WRONG_SECONDS, LOCKED_SECONDS = 3, 30, 300
LOCKED = "This identity auth method is temporarily locked, please try again later"


class Refused(Exception):
    """An error response."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Api:
    """One method for each call; the table at the end maps paths to methods."""

    def __init__(self, store: Store, auth_secret: str) -> None:
        self.store = store
        self.auth_secret = auth_secret

    def answer(self, method: str, path: str, body: Body, token: str) -> Answer:
        """Find the call and run it."""
        for verb, pattern, call, open_to_all in ROUTES:
            match = re.fullmatch(pattern, path)
            if verb == method and match is not None:
                if not open_to_all:
                    body = {**body, CALLER: self.caller(token)}
                return call(self, body, *match.groups())
        raise Refused(404, f"Route {method}:{path} not found (stub)")

    def caller(self, token: str) -> str:
        """The identity whose token it is, empty for the instance's own; refuses one that is unknown or expired."""
        known = self.store.get("token", self.signed(token)) if token else None
        if known is None:
            raise Refused(401, "Token missing" if not token else "You are not allowed to access this resource")
        if known["expires"] < time.time():
            raise Refused(401, "Identity access token exceeded max age, please re-authenticate")
        return str(known["identity"])

    def new_token(self, seconds: float, identity: str = "") -> str:
        """Create and store a token."""
        token = secrets.token_urlsafe(48)
        self.store.put("token", self.signed(token), {"expires": time.time() + seconds, "identity": identity})
        return token

    def signed(self, token: str) -> str:
        """The stored hash of a token: another secret knows none of the tokens."""
        return digest(self.auth_secret + token)

    def config(self, _: Body) -> Answer:
        initialized = self.store.get("instance", "admin") is not None
        return 200, {"config": {"allowSignUp": not initialized, "initialized": initialized}}

    def status(self, _: Body) -> Answer:
        invite_only = self.store.get("instance", "admin") is None
        return 200, {
            "date": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "message": "Ok",
            "emailConfigured": False,
            "inviteOnlySignup": invite_only,
            "redisConfigured": True,
            "secretScanningConfigured": False,
        }

    def bootstrap(self, body: Body) -> Answer:
        for name in ("email", "password", "organization"):
            if not body.get(name):
                raise Refused(422, f"{name}: Required")
        ids = {name: str(uuid.uuid4()) for name in ("user", "organization", "identity")}
        if not self.store.put("instance", "admin", {**ids, "email": body["email"]}, fresh=True):
            raise Refused(400, "Instance has already been set up")
        organization = str(body["organization"])
        user = {"email": body["email"], "username": body["email"], "firstName": "Admin", "lastName": "User"}
        return 200, {
            "message": "Successfully bootstrapped instance",
            "user": {"id": ids["user"], **user, "superAdmin": True},
            "organization": {"id": ids["organization"], "name": organization, "slug": slug(organization)},
            "identity": {
                "id": ids["identity"],
                "name": "Instance Admin Identity",
                "credentials": {"token": self.new_token(BOOTSTRAP_DAYS * 86_400)},
            },
        }

    def make_project(self, body: Body) -> Answer:
        name = required(body, "projectName")
        short = body.get("slug") or f"{slug(name)}-{secrets.token_hex(2)}"
        if not 5 <= len(short) <= 36 or short != slug(short):
            raise Refused(422, "slug: Must be a valid slug of 5 to 36 characters")
        if any(project["slug"] == short for project in self.store.all("project")):
            raise Refused(400, "Project with the same slug already exists")
        environments = [{"name": label, "slug": key} for label, key in ENVIRONMENTS]
        project: Body = {"id": str(uuid.uuid4()), "name": name, "slug": short, "environments": environments}
        self.store.put("project", project["id"], project)
        if body[CALLER]:
            self.join_project({"role": "admin"}, project["id"], body[CALLER])
        return 200, {"project": project}

    def projects(self, body: Body) -> Answer:
        """Those that the caller is a member of; who made one is."""
        caller = body[CALLER]
        member = {m["projectId"] for m in self.store.all("membership") if m["identityId"] == caller}
        return 200, {"projects": [p for p in self.store.all("project") if not caller or p["id"] in member]}

    def must_manage(self, body: Body) -> None:
        """Only the instance's own identity and administrators of the organisation change identities."""
        caller = self.store.get("identity", body[CALLER])
        if body[CALLER] and (caller or {}).get("role") != "admin":
            raise Refused(403, "You are not allowed to change identity")

    def make_identity(self, body: Body) -> Answer:
        self.must_manage(body)
        names = {"name": required(body, "name"), "orgId": body.get("organizationId"), "role": body.get("role")}
        identity: Body = {"id": str(uuid.uuid4()), **names}
        self.store.put("identity", identity["id"], identity)
        return 200, {"identity": identity}

    def attach_auth(self, body: Body, identity: str) -> Answer:
        self.must_manage(body)
        if self.store.get("identity", identity) is None:
            raise Refused(404, f"Failed to find identity with ID {identity}")
        if self.store.get("auth", identity) is not None:
            raise Refused(400, "Failed to add universal auth to already configured identity")
        auth = {"id": str(uuid.uuid4()), "identityId": identity, "clientId": str(uuid.uuid4())}
        self.store.put("auth", identity, auth)
        return 200, {"identityUniversalAuth": auth}

    def make_client_secret(self, body: Body, identity: str) -> Answer:
        self.must_manage(body)
        auth = self.store.get("auth", identity)
        if auth is None:
            raise Refused(400, "The identity does not have universal auth")
        value = secrets.token_hex(32)
        data = {"id": str(uuid.uuid4()), "clientSecretPrefix": value[:4], "isClientSecretRevoked": False}
        name = f"{auth['clientId']}:{digest(value)}"
        self.store.put("client", name, {"identityId": identity, "name": name, **data})
        return 200, {"clientSecret": value, "clientSecretData": data}

    def client_secrets(self, body: Body, identity: str) -> Answer:
        """The client secrets, without revoked ones."""
        self.must_manage(body)
        return 200, {"clientSecretData": [c for c in self.store.all("client") if live(c, identity)]}

    def revoke_client_secret(self, body: Body, identity: str, number: str) -> Answer:
        self.must_manage(body)
        for client in self.store.all("client"):
            if live(client, identity) and client["id"] == number:
                self.store.put("client", client["name"], {**client, "isClientSecretRevoked": True})
                return 200, {"clientSecretData": {**client, "isClientSecretRevoked": True}}
        raise Refused(404, f"Client secret with ID '{number}' not found")

    def join_project(self, body: Body, project: str, identity: str) -> Answer:
        if self.store.get("project", project) is None:
            raise Refused(404, f"Project with ID '{project}' not found")
        membership = {"projectId": project, "identityId": identity, "role": body.get("role", "member")}
        if not self.store.put("membership", f"{project}:{identity}", membership, fresh=True):
            raise Refused(400, f"Identity with id {identity} already exists in project with id {project}")
        return 200, {"identityMembership": membership}

    def login(self, body: Body) -> Answer:
        name = required(body, "clientId")
        if not any(auth["clientId"] == name for auth in self.store.all("auth")):
            raise Refused(401, "Invalid credentials")
        wrong = self.wrong_logins(name)
        if wrong >= WRONG_LOGINS:
            raise Refused(401, LOCKED)
        client = self.store.get("client", f"{name}:{digest(required(body, 'clientSecret'))}")
        if client is None or client.get("isClientSecretRevoked"):
            seconds = LOCKED_SECONDS if wrong + 1 == WRONG_LOGINS else WRONG_SECONDS
            self.store.put("lockout", name, {"failedAttempts": wrong + 1, "expires": time.time() + seconds})
            raise Refused(401, "Invalid credentials")
        self.store.remove("lockout", name)
        token = self.new_token(LOGIN_SECONDS, client["identityId"])
        lives = {"expiresIn": LOGIN_SECONDS, "accessTokenMaxTTL": LOGIN_SECONDS}
        return 200, {"accessToken": token, **lives, "tokenType": "Bearer"}

    def wrong_logins(self, client: str) -> int:
        """The wrong logins that still count."""
        known = self.store.get("lockout", client)
        return known["failedAttempts"] if known and known["expires"] > time.time() else 0

    def write_secret(self, body: Body, name: str) -> Answer:
        value = {"secretKey": name, "secretValue": required(body, "secretValue").strip(), "version": 1}
        if not self.store.put("secret", self.place(body, name), value, fresh=True):
            raise Refused(400, "Secret already exist")
        return 200, {"secret": value}

    def change_secret(self, body: Body, name: str) -> Answer:
        old = self.present(self.store.get("secret", self.place(body, name)), name)
        value = {**old, "secretValue": required(body, "secretValue").strip(), "version": old["version"] + 1}
        self.store.put("secret", self.place(body, name), value)
        return 200, {"secret": value}

    def read_secret(self, body: Body, name: str) -> Answer:
        return 200, {"secret": self.present(self.store.get("secret", self.place(body, name)), name)}

    def delete_secret(self, body: Body, name: str) -> Answer:
        return 200, {"secret": self.present(self.store.remove("secret", self.place(body, name)), name)}

    def place(self, body: Body, name: str) -> str:
        """Where a secret is: project, environment, path and name."""
        project, environment = required(body, "projectId"), required(body, "environment")
        if self.store.get("project", project) is None:
            raise Refused(404, f"Project with ID '{project}' not found")
        return f"{project}:{environment}:{body.get('secretPath', '/')}:{name}"

    def present(self, secret: Body | None, name: str) -> Body:
        """The secret, or an error response."""
        if secret is None:
            raise Refused(404, f"Secret with name '{name}' not found")
        return secret


def live(client: Body, identity: str) -> bool:
    """Whether a client secret is of this identity and was not revoked."""
    return bool(client["identityId"] == identity and not client.get("isClientSecretRevoked"))


def required(body: Body, name: str) -> str:
    """A required field of the request."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(422, f"{name}: Required")
    return value


def digest(text: str) -> str:
    """The stored hash of a token."""
    return hashlib.sha256(text.encode()).hexdigest()


def slug(text: str) -> str:
    """A name for URLs."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


CALLER = "(caller)"
"""Field of a body that holds the identity which calls."""
ENVIRONMENTS = (("Development", "dev"), ("Staging", "staging"), ("Production", "prod"))
_AUTH = "/api/v1/auth/universal-auth"
_SECRET = "/api/v4/secrets/([^/]+)"
ROUTES: tuple[tuple[str, str, Callable[..., Answer], bool], ...] = (
    ("GET", "/api/status", Api.status, True),
    ("GET", "/api/v1/admin/config", Api.config, True),
    ("POST", "/api/v1/admin/bootstrap", Api.bootstrap, True),
    ("POST", f"{_AUTH}/login", Api.login, True),
    ("POST", "/api/v1/projects", Api.make_project, False),
    ("GET", "/api/v1/projects", Api.projects, False),
    ("POST", "/api/v1/identities", Api.make_identity, False),
    ("POST", f"{_AUTH}/identities/([^/]+)", Api.attach_auth, False),
    ("POST", f"{_AUTH}/identities/([^/]+)/client-secrets", Api.make_client_secret, False),
    ("GET", f"{_AUTH}/identities/([^/]+)/client-secrets", Api.client_secrets, False),
    ("POST", f"{_AUTH}/identities/([^/]+)/client-secrets/([^/]+)/revoke", Api.revoke_client_secret, False),
    ("POST", "/api/v1/projects/([^/]+)/memberships/identities/([^/]+)", Api.join_project, False),
    ("POST", _SECRET, Api.write_secret, False),
    ("PATCH", _SECRET, Api.change_secret, False),
    ("GET", _SECRET, Api.read_secret, False),
    ("DELETE", _SECRET, Api.delete_secret, False),
)
