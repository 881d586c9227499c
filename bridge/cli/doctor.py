"""`ghl-bridge doctor`: finds missing settings and unreachable services, and says what to do."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.text import Text

from bridge.cli.context import operations
from bridge.cli.output import console, print_json
from bridge.errors import DidNotWork, NotKnown, WrongInput
from bridge.operating.doctor.end_to_end import SendTest, plan, send_test
from bridge.operating.doctor.installation import DoctorQuery, examine
from bridge.operating.explain import ExplainQuery, explain

if TYPE_CHECKING:
    from bridge.operating.doctor.findings import Finding
    from bridge.operating.operation import Operations


def run(*, location: str, contact: str, as_json: bool) -> None:
    """Check everything and, with a contact, test end to end. Raises DidNotWork, after printing, if anything is wrong."""
    perform = operations()
    findings = list(perform(examine, DoctorQuery(location_id=location)).findings)
    if not as_json:
        _tell(findings)
    if contact:
        tested = _send_test(perform, SendTest(location_id=location or _location_of(perform, contact), contact_id=contact))
        findings += tested
        if not as_json:
            _tell(tested)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    wrong = sum(not finding.ok for finding in findings)
    if wrong:
        raise DidNotWork(f"{wrong} problem(s) found")


def _send_test(perform: Operations, asked: SendTest) -> list[Finding]:
    """Print the plan before the test, but not into a JSON document on standard output."""
    print(f"the test, in location {asked.location_id}:", file=sys.stderr)
    for sentence in perform(plan, asked).says:
        print(f"  * {sentence}", file=sys.stderr)
    return list(perform(send_test, asked).findings)


def _location_of(perform: Operations, contact: str) -> str:
    try:
        return perform(explain, ExplainQuery(contact)).location_id
    except NotKnown:
        raise WrongInput(f"contact {contact} is not known here yet: add its location with --location ID") from None


def _tell(findings: list[Finding]) -> None:
    for finding in findings:
        word, style = ("note", "cyan") if finding.note else ("ok", "green") if finding.ok else ("PROBLEM", "bold red")
        console().print(Text(f"{word:<7}", style).append(f"  {finding.what}: {finding.says}", "default"), soft_wrap=True)
