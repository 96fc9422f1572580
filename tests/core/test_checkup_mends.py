"""What `doctor --fix` would do: modes, links and leftovers of our own, never data, never what is not ours."""

from __future__ import annotations

import pytest

from arcctl.core.checkup import judge
from arcctl.core.checkup.facts import Facts, File, VolumeFacts
from arcctl.core.checkup.finding import EnvLink, Leftover, Mode, State
from tests.core.machines import spoilt


def test_what_a_command_that_works_now_writes_is_not_touched() -> None:
    facts = spoilt("home", leftovers=(".arcctl/.x",), busy="arcctl (pid 7)")
    (found,) = [finding for finding in judge(facts) if finding.id == "unfinished"]
    assert (found.state, found.evidence, found.mends) == (State.OK, "arcctl (pid 7) works on this home now", ())


@pytest.mark.parametrize(
    ("facts", "mends"),
    [
        (
            spoilt("home", private=(File(path="a", mode=0o644, wanted=0o600, owner="ada"),)),
            (Mode("a", 0o600),),
        ),
        (spoilt("home", private=(File(path="a", mode=0o644, wanted=0o600, owner="bob", mine=False),)), ()),
        (spoilt("home", link="it is missing", linkable=True), (EnvLink("compose/.env"),)),
        (spoilt("home", link="it is a file of its own"), ()),
        (spoilt("home", leftovers=(".arcctl/.x",)), (Leftover(".arcctl/.x"),)),
        (spoilt("engine", unfinished=("/data/store.new",)), (Leftover("/data/store.new"),)),
        (spoilt("engine", undeclared=("arc_gone_data",)), ()),
        (spoilt("engine", volumes=(VolumeFacts(name="v", service="s", missing=("x",)),)), ()),
    ],
)
def test_only_what_is_safe_is_mended(facts: Facts, mends: tuple[object, ...]) -> None:
    assert tuple(mend for finding in judge(facts) for mend in finding.mends) == mends
