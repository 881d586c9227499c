"""A report as CSV: a row for each day, or for each location of a report of all. Pure."""

from __future__ import annotations

import csv
import io
from dataclasses import fields
from typing import TYPE_CHECKING

from bridge.operating.report_figures import Figures

if TYPE_CHECKING:
    from bridge.operating.reports import Report

# A spreadsheet would run a cell that begins with one of these.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(report: Report) -> str:
    """Comma-separated values with a header line; of all locations, one row each."""
    names = [field.name for field in fields(Figures)]
    keys, rows = (("location_id", "name"), report.locations) if report.locations else (("day",), report.days)
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\r\n")
    lines.writerow([*keys, *names, "currency"])
    for row in rows:
        lines.writerow([*(_cell(getattr(row, name)) for name in (*keys, *names)), report.currency])
    return written.getvalue()


def _cell(value: object) -> object:
    """None is an empty cell; text that a spreadsheet would read as a formula is marked as text."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value
