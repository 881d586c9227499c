"""The page for dead letters: filter by location, replay or drop some or all of them, dry run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bridge.errors import BridgeError, WrongInput
from bridge.operating import dead_letters, excerpts
from bridge.operating.dead_letters import DeadLetter, DeadLetterPage, Drop, Replay
from bridge.receiver.console.locations import names
from bridge.receiver.console.pages import Moved, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.operating.dead_letters import Became
    from bridge.receiver.console.pages import Visit

ON_A_PAGE = 50
AT_ONCE = 500
# With a filter that matches few dead letters, a page must not read for ever: the next page continues where this one stopped.
MOST_READ = 5_000
RESULTS = {
    "replayed": "replayed",
    "would replay": "would be replayed",
    "dropped": "dropped",
    "closed": "closed before",
    "newer": "not replayed, because a newer message was answered (select the option to replay it anyway)",
    "unknown": "not known",
}


def show(visit: Visit) -> Page:
    """A page of open dead letters."""
    return _shown(visit, visit.asked("location"), visit.asked("after"))


def show_said(visit: Visit) -> Page:
    """The same page with a service's error text."""
    id_ = visit.given("excerpt")
    try:
        said = {id_: visit.perform(excerpts.text, excerpts.OfTurn(id_)).text}
    except BridgeError as error:
        return _shown(visit, visit.given("location"), visit.given("after"), refused={id_: str(error)})
    return _shown(visit, visit.given("location"), visit.given("after"), said=said)


def _shown(
    visit: Visit, location: str, after: str, *, said: Mapping[str, str] | None = None, refused: Mapping[str, str] | None = None
) -> Page:
    letters, following = _some(visit, location, after, ON_A_PAGE)
    shown = {
        "letters": letters,
        "location": location,
        "after": after,
        "said": said or {},
        "refused": refused or {},
        "may_read": visit.admin_services.settings.console_show_text,
        "next": urlencode({"location": location, "after": following}) if following else "",
        "names": names(visit),
    }
    return Page("dead_letters.html", "letters", shown)


def change(visit: Visit) -> Page | Moved:
    """Replay or drop the selected dead letters, after a dry run or a confirmation where needed."""
    action, location, everything = visit.given("action"), visit.given("location"), visit.given("scope") == "all"
    ids = _all(visit, location) if everything else tuple(visit.form.get("id", ()))[:AT_ONCE]
    if not ids:
        raise WrongInput("no dead letter is selected: select some, or choose all")
    match action:
        case "replay":
            became = visit.perform(dead_letters.replay, Replay(ids=ids, force=bool(visit.given("force"))))
        case "drop" if visit.given("sure"):
            became = visit.perform(dead_letters.drop, Drop(ids))
        case "drop" | "dry_run":
            return _ask(visit, action, ids, location, everything=everything)
        case _:
            raise WrongInput("a dead letter can only be replayed or dropped")
    back = f"/console/dead-letters?{urlencode({'location': location})}" if location else "/console/dead-letters"
    return Moved(back, _told(became, more=everything and len(ids) == AT_ONCE))


def _ask(visit: Visit, action: str, ids: tuple[str, ...], location: str, *, everything: bool) -> Page:
    """The page with the result of a dry run, or with the confirmation of a drop."""
    told = ""
    if action == "dry_run":
        told = _told(visit.perform(dead_letters.replay, Replay(ids=ids, dry_run=True)), more=False)
    shown = {
        "action": "replay" if action == "dry_run" else "drop",
        "told": told,
        "ids": ids,
        "location": location,
        "everything": everything,
        "force": visit.given("force"),
    }
    return Page("dead_letters_sure.html", "letters", shown)


def _some(visit: Visit, location: str, after: str, most: int) -> tuple[list[DeadLetter], str | None]:
    """At most `most` dead letters, and the `after` of the next ones."""
    found: list[DeadLetter] = []
    read = 0
    while True:
        page = _page(visit, location, after, most - len(found))
        found += page.dead_letters
        read += AT_ONCE if location else most
        if not page.next or len(found) >= most or read >= MOST_READ:
            return found, page.next
        after = page.next


def _page(visit: Visit, location: str, after: str, room: int) -> DeadLetterPage:
    return visit.perform(dead_letters.list_, dead_letters.DeadLettersQuery(location_id=location, after=after, limit=room))


def _all(visit: Visit, location: str) -> tuple[str, ...]:
    return tuple(dead_letter.id for dead_letter in _some(visit, location, "", AT_ONCE)[0])


def _told(became: Iterable[Became], *, more: bool) -> str:
    counted = Counter(each.result for each in became)
    said = "; ".join(f"{count:,} {RESULTS[result]}" for result, count in counted.most_common())
    return f"{said}. There are more: repeat it for the next ones." if more else f"{said}."
