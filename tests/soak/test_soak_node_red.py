"""The flow of the rival: what is wired exists, and what fails is tried again."""

from __future__ import annotations

import json

from tests.soak.node_red import FLOWS


def test_every_wire_leads_to_a_node_and_failures_lead_back() -> None:
    """A failed request passes a delay and reaches its own request again."""
    nodes = {node["id"]: node for node in json.loads(FLOWS.read_text())}
    ways = {id_: [to for wires in node.get("wires", ()) for to in wires] for id_, node in nodes.items()}
    assert {to for tos in ways.values() for to in tos} <= nodes.keys()
    assert {"complete", "post"} <= _reached(ways, "wait")
    for request in ("complete", "post"):
        assert "wait" in _reached(ways, request)


def _reached(ways: dict[str, list[str]], begin: str) -> set[str]:
    reached: set[str] = set()
    todo = [begin]
    while todo:
        for to in ways[todo.pop()]:
            if to not in reached:
                reached.add(to)
                todo.append(to)
    return reached
