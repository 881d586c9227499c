"""Dead letters: by location and by cause, replayed or dropped one by one, by the page or all of them, with a look before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bridge.errors import BridgeError, WrongInput
from bridge.operating import dead_letters, excerpts
from bridge.operating.causes import general
from bridge.operating.dead_letter_causes import CausesQuery, causes
from bridge.operating.dead_letters import DeadLetter, DeadLetterPage, Drop, Replay
from bridge.receiver.console.locations import names
from bridge.receiver.console.pages import Moved, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.operating.dead_letters import Became
    from bridge.receiver.console.pages import Visit

ON_A_PAGE = 15
AT_ONCE = 500
MOST_GROUPS = 5
RESULTS = {
    "replayed": "replayed",
    "would replay": "would be replayed",
    "dropped": "dropped",
    "closed": "closed before",
    "newer": "not replayed, because a newer message was answered (select the option to replay it anyway)",
    "unknown": "not known",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filter: location and cause; empty means all."""

    location: str = ""
    cause: str = ""

    @property
    def query(self) -> str:
        """The filter as an address' query."""
        chosen = {name: value for name, value in (("location", self.location), ("cause", self.cause)) if value}
        return f"?{urlencode(chosen)}" if chosen else ""


def show(visit: Visit) -> Page:
    """A page of the open dead letters."""
    return _shown(visit, Chosen(visit.asked("location"), visit.asked("cause")), visit.asked("after"))


def show_said(visit: Visit) -> Page:
    """The same page with a service's error text."""
    id_ = visit.given("excerpt")
    chosen = Chosen(visit.given("location"), visit.given("cause"))
    try:
        texts = {id_: visit.perform(excerpts.text, excerpts.OfTurn(id_)).text}
    except BridgeError as error:
        return _shown(visit, chosen, visit.given("after"), refused={id_: str(error)})
    return _shown(visit, chosen, visit.given("after"), said=texts)


def _shown(
    visit: Visit, chosen: Chosen, after: str, *, said: Mapping[str, str] | None = None, refused: Mapping[str, str] | None = None
) -> Page:
    page = _page(visit, chosen, after, ON_A_PAGE)
    groups = visit.perform(causes, CausesQuery(location_id=chosen.location)).causes if not (after or chosen.cause) else ()
    shown = {
        "letters": page.dead_letters,
        "missing": page.missing,
        "groups": groups,
        "most_groups": MOST_GROUPS,
        "error": general(page.dead_letters[0].error) if page.dead_letters else "",
        "location": chosen.location,
        "cause": chosen.cause,
        "back": chosen.query,
        "after": after,
        "said": said or {},
        "refused": refused or {},
        "may_read": visit.admin_services.settings.console_show_text,
        "next": urlencode({"location": chosen.location, "cause": chosen.cause, "after": page.next}) if page.next else "",
        "names": names(visit),
    }
    return Page("dead_letters.html", "letters", shown)


def change(visit: Visit) -> Page | Moved:
    """Replay or drop the selected ones, after a dry run or a question if requested or advisable."""
    action, everything = visit.given("action"), visit.given("scope") == "all"
    chosen = Chosen(visit.given("location"), visit.given("cause"))
    ids = _all(visit, chosen) if everything else tuple(visit.form.get("id", ()))[:AT_ONCE]
    if not ids:
        raise WrongInput("no dead letter is selected: select some, or choose all")
    match action:
        case "replay":
            became = visit.perform(dead_letters.replay, Replay(ids=ids, force=bool(visit.given("force"))))
        case "drop" if visit.given("sure"):
            became = visit.perform(dead_letters.drop, Drop(ids))
        case "drop" | "dry_run":
            return _ask(visit, action, ids, chosen, everything=everything)
        case _:
            raise WrongInput("a dead letter can be replayed or dropped")
    return Moved(f"/console/dead-letters{chosen.query}", _told(became, more=everything and len(ids) == AT_ONCE))


def _ask(visit: Visit, action: str, ids: tuple[str, ...], chosen: Chosen, *, everything: bool) -> Page:
    """What would happen: the result of a dry run, or the question before a drop."""
    result = ""
    if action == "dry_run":
        result = _told(visit.perform(dead_letters.replay, Replay(ids=ids, dry_run=True)), more=False)
    shown = {
        "action": "replay" if action == "dry_run" else "drop",
        "told": result,
        "ids": ids,
        "location": chosen.location,
        "cause": chosen.cause,
        "back": chosen.query,
        "everything": everything,
        "force": visit.given("force"),
    }
    return Page("dead_letters_sure.html", "letters", shown)


def _page(visit: Visit, chosen: Chosen, after: str, most: int) -> DeadLetterPage:
    asked = dead_letters.DeadLettersQuery(location_id=chosen.location, cause=chosen.cause, after=after, limit=most)
    return visit.perform(dead_letters.list_, asked)


def _all(visit: Visit, chosen: Chosen) -> tuple[str, ...]:
    """Replay or drop as many as possible in one request."""
    found: list[DeadLetter] = []
    after: str | None = ""
    while after is not None and len(found) < AT_ONCE:
        page = _page(visit, chosen, after, AT_ONCE - len(found))
        found += page.dead_letters
        after = page.next
    return tuple(each.id for each in found)


def _told(became: Iterable[Became], *, more: bool) -> str:
    counted = Counter(each.result for each in became)
    summary = "; ".join(f"{count:,} {RESULTS[result]}" for result, count in counted.most_common())
    return f"{summary}. There are more: repeat it for the next ones." if more else f"{summary}."
