"""`secrets list`: which secrets there are, who uses them, and where each comes from. Never a value."""

from __future__ import annotations

from arcctl.project import Project
from arcctl.secrets.plan import GENERATED, SERVER_ISSUED, generated_origins, not_rotatable, origin_of, secrets
from arcctl.secrets.report import Entry, ListReport


def list_secrets(project: Project) -> ListReport:
    values, changed, origins = (
        project.settings.values,
        project.directory.secret_changes(),
        generated_origins(project.sources),
    )
    entries = []
    for name, secret in secrets(project.catalogue).items():
        origin = origin_of(values[name], origins)
        reason, hint = not_rotatable(secret, values[name], origins)
        known = origin in (GENERATED, SERVER_ISSUED)
        entries.append(
            Entry(
                name=name,
                service=secret.owner,
                users=secret.users,
                containers=secret.containers,
                restarts=secret.restarts,
                origin=origin,
                changed=changed.get(name) if known else None,
                rotation=not reason,
                reason=reason,
                hint=hint,
            )
        )
    return ListReport(tuple(entries))
