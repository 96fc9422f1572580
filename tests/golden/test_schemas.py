"""The contracts of `--json`: they may grow, and nothing that a program relies on may go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from arcctl.model.service import Layer

BASELINES = sorted(Path(__file__).parent.glob("*.v1.json"))
SHIPPED = Path(__file__).parents[2] / "src" / "arcctl" / "schemas"


def breaches(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """What a program written for `old` can no longer rely on in `new`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in old.items():
            if key not in new:
                yield f"{path}/{key} is gone"
            else:
                yield from breaches(value, new[key], f"{path}/{key}")
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_breaches(old, new, path)
    elif old != new:
        yield f"{path} changed from {old} to {new}"


def _list_breaches(old: list[Any], new: list[Any], path: str) -> Iterator[str]:
    """What was required stays so; the words of an enumeration stay the same ones, since readers match on them."""
    same = set(map(str, old)) <= set(map(str, new)) if path.endswith("/required") else old == new
    if not same:
        yield f"{path} changed from {old} to {new}"


def test_every_schema_that_is_shipped_has_a_baseline() -> None:
    assert [path.name for path in BASELINES] == sorted(path.name for path in SHIPPED.iterdir())


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda path: path.name)
def test_the_shipped_schema_keeps_what_the_baseline_promises(baseline: Path) -> None:
    shipped = json.loads((SHIPPED / baseline.name).read_text())
    Draft202012Validator.check_schema(shipped)
    assert list(breaches(json.loads(baseline.read_text()), shipped)) == []


@pytest.mark.parametrize("name", ["health", "info"])
def test_the_layers_of_a_schema_are_those_of_services(name: str) -> None:
    schema = json.loads((SHIPPED / f"{name}.v1.json").read_text())
    assert schema["$defs"]["service"]["properties"]["layer"]["enum"] == list(Layer)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"properties": {"a": {}}}, {"properties": {}}, ["/properties/a is gone"]),
        ({"type": "string"}, {"type": "integer"}, ["/type changed from string to integer"]),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, ["/enum changed from ['a'] to ['a', 'b']"]),
        ({"required": ["a", "b"]}, {"required": ["a"]}, ["/required changed from ['a', 'b'] to ['a']"]),
        ({"required": ["a"]}, {"required": ["a", "b"], "title": "new"}, []),
    ],
)
def test_a_breaking_change_is_seen_and_an_addition_is_none(old: Any, new: Any, found: list[str]) -> None:
    assert list(breaches(old, new)) == found
