"""`ghl-bridge report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from bridge.cli.context import operations
from bridge.cli.output import print_json, print_table
from bridge.errors import WrongInput
from bridge.operating.input_faults import faults_of
from bridge.operating.report_csv import as_csv as csv_of
from bridge.operating.report_figures import MOST_BUSY
from bridge.operating.reports import ReportQuery
from bridge.operating.reports import report as made
from bridge.times import span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.operating.report_figures import Figures
    from bridge.operating.reports import Report

COLUMNS = ("received", "answered", "no reply", "skipped", "dead", "outside", "median", "cost")


def run(asked: Mapping[str, str], *, as_csv: bool, as_json: bool) -> None:
    """Print a report. Raises WrongInput."""
    found = operations()(made, _query(asked))
    if as_json:
        print_json(found)
    elif as_csv:
        print(csv_of(found), end="")
    else:
        _print(found)


def _query(asked: Mapping[str, Any]) -> ReportQuery:
    try:
        return TypeAdapter(ReportQuery).validate_python(asked)
    except ValidationError as error:
        name, says = faults_of(error)[0]
        raise WrongInput(f"--{name.removesuffix('_id')}: {says}") from None


def _print(found: Report) -> None:
    total, of = found.total, found.name or found.location_id or "all locations"
    print(f"{of}, {found.first_day} to {found.last_day} ({found.time_zone})")
    print(f"{total.received:,} messages, {total.answered:,} answered, {total.in_work:,} still waiting or being answered")
    if total.median_seconds is not None and total.p95_seconds is not None:
        print(f"half of the replies within {span(total.median_seconds)}, 95 of 100 within {span(total.p95_seconds)}")
    print(f"{total.handovers:,} handed over, {total.opt_outs:,} opt-outs, {total.undelivered:,} replies not delivered")
    tokens = f"{total.input_tokens:,} input tokens, {total.output_tokens:,} output tokens"
    print(f"{total.completions:,} answers of services, {tokens}{_cost(total, found.currency)}")
    if found.busiest_hours:
        print(f"busiest from {', '.join(f'{hour:02}:00' for hour in found.busiest_hours[:MOST_BUSY])}")
    if found.locations:
        rows = [(one.location_id, one.name, *_cells(one)) for one in found.locations]
        print_table(("location", "name", *COLUMNS), rows)
    else:
        print_table(("day", *COLUMNS), [(one.day, *_cells(one)) for one in found.days])


def _cost(total: Figures, currency: str) -> str:
    return "" if total.cost is None else f", cost {total.cost:,.2f} {currency}"


def _cells(one: Figures) -> tuple[str, ...]:
    counts = (one.received, one.answered, one.no_reply, one.skipped, one.dead, one.outside_hours)
    median = "" if one.median_seconds is None else span(one.median_seconds).replace(" ", "")
    return (*map(str, counts), median, "" if one.cost is None else f"{one.cost:.2f}")
