"""Alerts and dashboard: alerts fire when they should, metrics exist, and every alert says what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from bridge.metrics import GHL_REQUEST, PROVIDER_REQUEST, Tally
from bridge.model import Ended, MessageId, Status
from bridge.receiver.metrics import MetricsSnapshot
from bridge.store.figures.counts import Counts
from tests.stored import accept, keep, lanes_of, message, part, posted, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

INFRA = Path(__file__).parent.parent.parent / "infra"
ALERTS, ALERTS_TEST = INFRA / "monitoring/prometheus/alerts.yaml", INFRA / "monitoring/prometheus/alerts_test.yaml"
DASHBOARD: dict[str, Any] = json.loads((INFRA / "monitoring/grafana/dashboard.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
NAMES = re.findall(r"- alert: (\w+)", ALERTS.read_text(encoding="utf-8"))
promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed; Debian has it in `prometheus`")


def run(*arguments: str | Path) -> None:
    """Run promtool."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0, done.stdout + done.stderr


def expressions() -> Iterator[str]:
    """Every expression of the dashboard, as Prometheus gets it."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m")


@pytest.fixture
def exported(redis: Redis) -> set[str]:
    """The names of all samples in /metrics."""
    keep(redis)
    accept(redis, message())
    lanes = lanes_of(redis)
    turn = take(lanes)
    lanes.sent(turn, replace(posted(part("0"), [MessageId("r1")], at_ms=1, how="posted"), channel="SMS"))
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(turn.messages[0].id,)))
    tally = Tally()
    tally.time(GHL_REQUEST, "GET /contacts/{id}", "2xx", seconds=1)
    tally.time(PROVIDER_REQUEST, "assistable", "2xx", seconds=1)
    Counts(redis).add(tally)
    registry = CollectorRegistry()
    registry.register(MetricsSnapshot(redis, Counts(redis), by_location=True))
    return set(re.findall(r"^(ghl_bridge_\w+)", generate_latest(registry).decode(), re.MULTILINE))


@promtool
def test_alerts_ring_when_they_should() -> None:
    """The rules are valid, and promtool's tests of them pass."""
    run("check", "rules", ALERTS)
    run("test", "rules", ALERTS_TEST)


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_been_heard(name: str) -> None:
    """The tests of the rules see each alert both inactive and firing."""
    tests = ALERTS_TEST.read_text(encoding="utf-8")
    cases = re.findall(rf"alertname: {name}\b(.*?)(?=alertname:|\n  - name:|\Z)", tests, re.DOTALL)
    ringing = ["exp_labels" in case for case in cases]
    assert any(ringing)


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_its_paragraph(name: str) -> None:
    """The runbook has its meaning and the first command."""
    rule = ALERTS.read_text(encoding="utf-8").partition(f"- alert: {name}\n")[2].partition("- alert:")[0]
    anchor = re.search(r"runbook: infra/docs/how-to/runbook\.md#([\w-]+)", rule)
    assert anchor
    sections = (INFRA / "docs/how-to/runbook.md").read_text(encoding="utf-8").split("\n## ")[1:]
    found = {_anchor(section.partition("\n")[0]): section for section in sections}
    assert "**What it means.**" in found[anchor[1]]
    assert re.search(r"```sh\n\S+", found[anchor[1]])
    assert f"`{name}`" in found[anchor[1]]


def test_alerts_and_dashboard_use_what_there_is(exported: set[str]) -> None:
    """Every named metric is in /metrics, and the dashboard shows all of them."""
    alerted = set(re.findall(r"ghl_bridge_\w+", ALERTS.read_text(encoding="utf-8")))
    shown = {name for expression in expressions() for name in re.findall(r"ghl_bridge_\w+", expression)}
    assert alerted <= exported
    assert shown <= exported
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown} == families


@promtool
def test_the_dashboards_expressions_can_be_read(tmp_path: Path) -> None:
    """Prometheus accepts each of them."""
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions())]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    run("check", "rules", file)


@promtool
def test_the_runbooks_scraping_can_be_read(tmp_path: Path) -> None:
    """The configuration in the runbook is valid for Prometheus."""
    (told,) = re.findall(r"```yaml\n(.*?)```", (INFRA / "docs/how-to/runbook.md").read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "prometheus.yml"
    file.write_text(told, encoding="utf-8")
    run("check", "config", file)


def test_the_dashboard_explains_itself() -> None:
    """Every panel has its own title, a sentence, a unit, and a place without another panel."""
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    for panel in PANELS:
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
