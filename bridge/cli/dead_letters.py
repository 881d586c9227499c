"""`ghl-bridge dead-letters`: list, causes, show, replay, drop."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bridge.cli.context import operations
from bridge.cli.explain import tell
from bridge.cli.output import console, plain, print_json, print_table, progress, tell_missing
from bridge.errors import NotKnown, WrongInput
from bridge.operating import dead_letter_causes as grouping
from bridge.operating import dead_letters as operating
from bridge.operating import excerpts
from bridge.operating.explain import ExplainQuery, explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.operating.dead_letters import Became, DeadLetter

PAGE = 500
BATCH = 50
SAYS = {
    "replayed": "replayed",
    "would replay": "would be replayed",
    "unknown": "is not known",
    "closed": "was already replayed, dropped or superseded",
    "newer": "not replayed: a newer turn of the contact was answered; use --force to replay it anyway",
    "dropped": "dropped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """The filter: location and cause; empty means all."""

    location: str = ""
    cause: str = ""


def list_causes(*, location: str, as_json: bool) -> None:
    """Print the causes, the most frequent first."""
    causes = operations()(grouping.causes, grouping.CausesQuery(location_id=location)).causes
    if as_json:
        print_json(causes)
        return
    rows = [
        (each.id, str(each.dead_letters), str(each.locations), (each.last_failed_at or "")[:19], each.error) for each in causes
    ]
    print_table(("cause", "dead letters", "locations", "last (UTC)", "error"), rows)


def list_all(*, location: str, cause: str = "", as_json: bool) -> None:
    """Print the open dead letters, oldest first."""
    letters = list(_all(Which(location=location, cause=cause)))
    if as_json:
        print_json(letters)
        return
    rows = [(each.id, (each.failed_at or "")[:19], each.location_id, str(each.attempts), each.error) for each in letters]
    print_table(("dead letter", "failed at (UTC)", "location", "attempts", "error"), rows)


def show(id_: str, *, said: bool, as_json: bool) -> None:
    """Print a dead letter with its timeline and, with `said`, the service's error text.

    Raises WrongInput if there is no open dead letter with that id, or no error text is stored.
    """
    perform = operations()
    dead_letter = perform(operating.show, operating.DeadLetterQuery(id_))
    excerpt = perform(excerpts.text, excerpts.OfTurn(id_)) if said else None
    if as_json:
        print_json({**asdict(dead_letter), "said": excerpt} if said else dead_letter)
        return
    print_table(("", ""), [(name, plain(value)) for name, value in asdict(dead_letter).items()])
    if excerpt:
        console().print(f"\n{excerpt.provider} said ({excerpt.at}):\n{excerpt.text}\n", markup=False, soft_wrap=True)
    try:
        tell(perform(explain, ExplainQuery(dead_letter.message_ids[0])))
    except NotKnown:
        console().print("its timeline has expired")


def replay(ids: tuple[str, ...], *, every: bool, which: Which, dry_run: bool, force: bool, as_json: bool) -> None:
    """Replay some, or all. Raises WrongInput for unknown ids, before anything is replayed."""
    if every == bool(ids):
        raise WrongInput("give ids of dead letters or --all, but not both")
    if ids and which.cause:
        raise WrongInput("--cause needs --all")
    batches = _batches([dead_letter.id for dead_letter in _all(which)]) if every else [ids]
    perform = operations()
    results: list[Became] = []
    for some in progress(batches, "replaying", as_json=as_json):
        results += perform(operating.replay, operating.Replay(ids=some, dry_run=dry_run, force=force))
    _tell(results, as_json=as_json)


def drop(ids: tuple[str, ...], *, as_json: bool) -> None:
    """Drop some dead letters. Raises WrongInput for unknown ids, before anything is dropped."""
    _tell(operations()(operating.drop, operating.Drop(ids)), as_json=as_json)


def _all(which: Which) -> Iterator[DeadLetter]:
    perform, after = operations(), ""

    def query(after: str) -> operating.DeadLettersQuery:
        return operating.DeadLettersQuery(location_id=which.location, cause=which.cause, after=after, limit=PAGE)

    while True:
        page = perform(operating.list_, query(after))
        if not after:
            tell_missing(page.missing)
        yield from page.dead_letters
        if page.next is None:
            return
        after = page.next


def _batches(ids: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(ids[at : at + BATCH]) for at in range(0, len(ids), BATCH)]


def _tell(results: Sequence[Became], *, as_json: bool) -> None:
    if as_json:
        print_json(results)
        return
    for one in results:
        print(f"{one.id}  {SAYS[one.result]}")
    print(f"{len(results)} dead letter(s)")
