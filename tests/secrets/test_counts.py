"""What a rotation costs: settings are resolved once per change of theirs, the engine observed once per decision."""

from __future__ import annotations

import pytest

from arcctl.model.rotation import Change
from arcctl.secrets import rotate
from tests.fakes.counting import Counts, counting
from tests.secrets.test_rotate import NAME, NEW, OLD, platform, run

RESOLVED = 2
OBSERVED = 6
"""What to do; two looks until each recreated container is ready; which services to verify."""


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    return counting(monkeypatch)


def test_a_rotation_resolves_the_old_and_the_new_settings_once_each(counts: Counts) -> None:
    toy, _ = platform()
    counts.reset()
    assert run(toy, NAME).rotated == (NAME,)
    assert counts.resolved <= RESOLVED
    assert counts.observed <= OBSERVED


def test_a_preview_resolves_and_observes_once(counts: Counts) -> None:
    toy, _ = platform()
    counts.reset()
    assert [secret.name for secret in rotate.preview((NAME,), toy.project()).secrets] == [NAME]
    assert (counts.resolved, counts.observed) == (1, 1)


@pytest.mark.parametrize("kept", [OLD, NEW])
def test_finishing_an_interrupted_rotation_resolves_no_more_than_that(counts: Counts, kept: str) -> None:
    toy, store = platform()
    store.accepted, toy.directory.kept[NAME] = {OLD, NEW}, kept
    toy.directory.journal = (Change(name=NAME, old=OLD, new=NEW),)
    counts.reset()
    assert run(toy).rotated == (NAME,)
    assert counts.resolved <= RESOLVED
    assert counts.observed <= OBSERVED
