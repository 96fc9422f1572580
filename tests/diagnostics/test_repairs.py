"""What `doctor --fix` may do: modes, links and leftovers of the project, never data, never files of others."""

from __future__ import annotations

import pytest

from arcctl.diagnostics.diagnosis import EnvLink, Leftover, Mode, State
from arcctl.diagnostics.facts import Facts, File, VolumeFacts
from arcctl.diagnostics.rules import judge
from tests.fakes.machines import changed_facts


def test_files_of_a_running_command_are_not_touched() -> None:
    facts = changed_facts("directory", leftovers=(".arcctl/.x",), busy="arcctl (pid 7)")
    (found,) = [diagnosis for diagnosis in judge(facts) if diagnosis.id == "unfinished"]
    assert (found.state, found.evidence, found.repairs) == (State.OK, "arcctl (pid 7) is changing this project now", ())


@pytest.mark.parametrize(
    ("facts", "repairs"),
    [
        (
            changed_facts("directory", private=(File(path="a", mode=0o644, wanted=0o600, owner="ada"),)),
            (Mode("a", 0o600),),
        ),
        (changed_facts("directory", private=(File(path="a", mode=0o644, wanted=0o600, owner="bob", mine=False),)), ()),
        (changed_facts("directory", link="it is missing", linkable=True), (EnvLink("compose/.env"),)),
        (changed_facts("directory", link="it is a regular file", link_blocked=True), ()),
        (changed_facts("directory", leftovers=(".arcctl/.x",)), (Leftover(".arcctl/.x"),)),
        (changed_facts("engine", unfinished=("/data/store.new",)), (Leftover("/data/store.new"),)),
        (changed_facts("engine", undeclared=("arc_gone_data",)), ()),
        (changed_facts("engine", volumes=(VolumeFacts(name="v", service="s", missing=("x",)),)), ()),
    ],
)
def test_only_safe_repairs_are_offered(facts: Facts, repairs: tuple[object, ...]) -> None:
    assert tuple(repair for diagnosis in judge(facts) for repair in diagnosis.repairs) == repairs
