"""The recorded trace of a command."""

from __future__ import annotations

from arcctl.checks.record import Recorder
from arcctl.events import Event, Kind


def _spans(recorder: Recorder, *, ok: bool) -> list[dict[str, object]]:
    document = recorder.document("up", "ab" * 16, ok=ok)
    found: list[dict[str, object]] = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return found


def test_each_subject_is_a_span_of_the_command_from_its_first_to_its_last_event() -> None:
    recorder = Recorder()
    for kind, message in ((Kind.WORKING, "create"), (Kind.WAITING, "loading"), (Kind.READY, "fine")):
        recorder.note(Event(kind, "store", message))
    recorder.note(Event(Kind.FAILED, "shop", "crashed"))
    recorder.note(Event(Kind.NOTE, "", "by the way"))
    root, store, shop = _spans(recorder, ok=False)
    assert [span["name"] for span in (root, store, shop)] == ["up", "store", "shop"]
    assert store["parentSpanId"] == shop["parentSpanId"] == root["spanId"]
    assert [span["status"] for span in (root, store, shop)] == [{"code": 2}, {"code": 1}, {"code": 2}]
    assert int(str(store["startTimeUnixNano"])) >= int(str(root["startTimeUnixNano"]))
    assert int(str(store["endTimeUnixNano"])) <= int(str(root["endTimeUnixNano"]))
