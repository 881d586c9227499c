"""`ghl-bridge locations`."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from bridge.cli.context import operations
from bridge.cli.output import confirm, console, print_json, print_table, tell_missing, working
from bridge.errors import WrongInput
from bridge.operating import installs
from bridge.operating import locations as operating
from bridge.operating.holds import why_held
from bridge.operating.operation import Nothing
from bridge.times import ago_ms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.operating.location_summaries import LocationSummary
    from bridge.store.limits.budget import Left

PAGE = 500
TEMPLATE = """\
[locations.{id}]
name = ""
mode = "draft"                              # replies are internal comments that only staff see; later "live"
required_tags = ["ai_test"]                 # only contacts with this tag; remove this line later
# no ghl_token: the app is installed

[locations.{id}.assistable]                 # or agencii, openai, webhook, agent_studio, with provider = "..." above
assistant_id = ""
# token = {{ env = "NAME" }}                # absent: ASSISTABLE_TOKEN
"""


def apply(file: Path, *, prune: bool, replace_unreadable: bool, as_json: bool) -> None:
    """Read and check the file, then store its locations. Raises WrongInput with every fault, and then changes nothing."""
    from bridge.locations_file import read, tables_of

    with _faults_of(file):
        tables = tables_of(read(_text(file), os.environ))
        with working(f"applying {len(tables)} location(s)"):
            asked = operating.Apply(locations=tables, prune=prune, replace_unreadable=replace_unreadable)
            applied = operations()(operating.apply, asked)
    if as_json:
        print_json(applied)
        return
    for one in applied.locations:
        print(f"applied {one.id}  {one.name}  ({one.mode}, {one.provider})")
        _tell_lifted(one.id, one.replayed)
    for id_ in applied.removed:
        print(f"removed {id_}")


def list_all(*, as_json: bool) -> None:
    """Print all locations, one per line, sorted by name."""
    found = sorted(all_locations(), key=lambda each: (each.name, each.id))
    if as_json:
        print_json(found)
        return
    rows = [(each.id, each.name, each.mode, _state(each), *_history(each)) for each in found]
    print_table(("location", "name", "mode", "state", "failing", "last reply", "last event"), rows)
    for each in found:
        _tell_trouble(each)


def show(id_: str, *, as_json: bool) -> None:
    """Print one location's settings without its secrets. Raises WrongInput if it is not known."""
    shown = operations()(operating.show, operating.LocationQuery(id_))
    if as_json:
        print_json(shown)
        return
    rows = [(each.key, each.value, each.default if each.changed else "", each.label) for each in shown.in_words]
    print_table(("setting", "value", "default", "meaning"), rows)
    print(f"replies are posted by: {shown.delivery or 'not known yet; known after three answers'}")
    print(f"remaining requests at GHL: {_budget(shown.budget)}")
    _tell_trouble(shown)


def pause(id_: str, *, as_json: bool) -> None:
    """Pause a location. Raises WrongInput if it is not known."""
    paused = operations()(operating.pause, operating.LocationQuery(id_))
    if as_json:
        print_json(paused)
        return
    print(f"{id_} is paused: its messages are skipped, with the reason location_paused, until `locations resume {id_}`")


def resume(id_: str, *, as_json: bool) -> None:
    """End a pause or a hold. Raises WrongInput if the location is not known."""
    resumed = operations()(operating.resume, operating.LocationQuery(id_))
    if as_json:
        print_json(resumed)
        return
    print(f"{id_} is not paused")
    _tell_lifted(id_, resumed.replayed)


def remove(id_: str, *, yes: bool, as_json: bool) -> None:
    """Delete a location. Raises WrongInput if it is not known, DidNotWork if the user at the terminal says no."""
    confirm(f"Permanently delete location {id_} with its settings and tokens?", yes=yes)
    removed = operations()(operating.remove, operating.LocationQuery(id_))
    if as_json:
        print_json(removed)
        return
    print(f"{id_} is removed: its waiting messages are skipped, with the reason unknown_location")


def template(*, as_json: bool) -> None:
    """Print a locations file for all installed locations without settings."""
    found = operations()(installs.unconfigured, Nothing())
    if as_json:
        print_json(found)
        return
    if not found.location_ids:
        print("# no location to configure: every installed location has settings")
    for id_ in found.location_ids:
        print(TEMPLATE.format(id=id_))


def all_locations() -> Iterator[LocationSummary]:
    """Yield a summary of every location, read page by page, in the order of ids."""
    perform, after = operations(), ""
    while True:
        page = perform(operating.list_, operating.LocationsQuery(after=after, limit=PAGE))
        if not after:
            tell_missing(page.missing)
        yield from page.locations
        if page.next is None:
            return
        after = page.next


@contextmanager
def _faults_of(file: Path) -> Iterator[None]:
    """Put the file's name before each fault."""
    try:
        yield
    except WrongInput as error:
        name = "standard input" if str(file) == "-" else str(file)
        raise WrongInput("\n".join(f"{name}: {line.removeprefix(f'{name} ')}" for line in str(error).splitlines())) from None


def _tell_lifted(id_: str, replayed: int | None) -> None:
    if replayed is not None:
        print(f"{id_} is no longer on hold: waiting messages are answered now, {replayed} dead letter(s) are replayed")


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"{file} can't be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}") from None


def _state(summary: LocationSummary) -> str:
    """The state that keeps a location from answering, or `active`."""
    if summary.state == "hold":
        return f"on hold: {why_held(summary.hold_why or '')}"
    return f"{summary.state}, waits {summary.budget.wait_seconds:.0f} s for GHL" if summary.budget.wait_seconds else summary.state


def _history(summary: LocationSummary) -> tuple[str, str, str]:
    return str(summary.failing or ""), _ago(summary.last_answered_at), _ago(summary.last_event_at)


def _budget(left: Left) -> str:
    text = f"{left.left} of {left.most} in {left.interval_seconds:g} s, {left.left_today:,} of {left.most_today:,} today"
    return f"{text}; its conversations wait for {left.wait_seconds:.0f} s" if left.wait_seconds else text


def _ago(moment: str | None) -> str:
    """How long ago a time (ISO 8601) was, by this machine's clock."""
    return ago_ms(round(datetime.fromisoformat(moment).timestamp() * 1000), round(time.time() * 1000)) if moment else "none yet"


def _tell_trouble(summary: LocationSummary) -> None:
    if summary.token_trouble:
        console().print(f"{summary.id}: {summary.token_trouble}", markup=False, soft_wrap=True)
