"""Settings, image lock and notes of a project in memory, and the images of an engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arcctl.engines.base import PullFailure, PullProgress
from arcctl.model.image import Image, Locked


@dataclass(kw_only=True)
class ProjectFiles:
    env_files: dict[str, dict[str, str]] = field(default_factory=dict)
    """The `.env` file of each service."""
    locked: Mapping[str, Locked] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def note(self, name: str) -> dict[str, Any]:
        return self.notes.get(name, {})

    def keep_note(self, name: str, document: Mapping[str, Any]) -> None:
        self.notes[name] = dict(document)

    def set_value(self, service: str, name: str, value: str | None) -> None:
        kept = {n: v for n, v in self.env_files.get(service, {}).items() if n != name}
        self.env_files[service] = kept if value is None else {**kept, name: value}

    def image_lock(self) -> dict[str, Locked]:
        return dict(self.locked)

    def lock_images(self, lock: Mapping[str, Locked]) -> None:
        self.locked = lock


@dataclass
class FakeImages:
    """Images by reference; a pull copies from `remote`."""

    present: dict[str, Image] = field(default_factory=dict)
    remote: dict[str, Image] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    failures: dict[str, list[PullFailure]] = field(default_factory=dict)
    """How the first pulls of an image end, by its reference."""

    def look(self, references: Iterable[str]) -> Mapping[str, Image]:
        return {r: self.present[r] for r in references if r in self.present}

    async def pull(self, references: Iterable[str]) -> AsyncGenerator[PullProgress, None]:
        references = tuple(references)
        self.calls.append(f"pull {' '.join(references)}")
        for reference in references:
            yield PullProgress(reference=reference)
            yield PullProgress(reference=reference, done=2_000_000, total=8_000_000)
            if self.failures.get(reference):
                failure = self.failures[reference].pop(0)
                yield PullProgress(reference=reference, done=2_000_000, total=8_000_000, failure=failure)
            else:
                self.present[reference] = self.remote[reference]
                yield PullProgress(reference=reference, done=8_000_000, total=8_000_000, pulled=True)

    def save(self, images: Mapping[str, Image], path: Path) -> None:
        self.calls.append(f"save {' '.join(images)}")
        path.write_bytes(b"archive")

    def load(self, path: Path) -> Mapping[str, Image]:
        self.present |= self.remote
        return dict(self.remote)

    def name(self, image_id: str, reference: str) -> None:
        self.calls.append(f"name {image_id} {reference}")
        self.present[reference] = Image(reference=reference, id=image_id)
