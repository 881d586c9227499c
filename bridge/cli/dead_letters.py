"""`ghl-bridge dead-letters`: list, show, replay, drop."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.progress import track

from bridge.cli.door import console, print_json, print_table, settings
from bridge.cli.explain import in_words
from bridge.errors import WrongInput
from bridge.model import LocationId

if TYPE_CHECKING:
    from bridge.store.dead_letters import DeadLetter, DeadLetters

SAYS = {
    "replayed": "replayed",
    "would replay": "would be replayed",
    "unknown": "is not known",
    "closed": "was replayed, dropped or superseded before",
    "newer": "not replayed: a newer turn of the contact was answered; --force replays it all the same",
    "dropped": "dropped",
}


def list_all(*, location: str, as_json: bool) -> None:
    """The open ones, oldest first."""
    letters = list(_open().all(location_id=LocationId(location) if location else None))
    if as_json:
        print_json([as_document(letter) for letter in letters])
        return
    rows = [(letter.id, _time(letter)[:19], letter.lane.location_id, str(letter.attempts), letter.error) for letter in letters]
    print_table(("dead letter", "failed at (UTC)", "location", "tries", "error"), rows)


def show(id_: str, *, as_json: bool) -> None:
    """One, with its timeline. Raises WrongInput if there is no open one of that id."""
    from bridge.store.timelines import Timelines
    from bridge.wiring import build_redis

    letter = _open().get(id_)
    if letter is None:
        raise WrongInput(f"there is no open dead letter {id_}; `ghl-bridge dead-letters list` shows the ones there are")
    if as_json:
        print_json(as_document(letter))
        return
    print_table(("", ""), [(name, str(value)) for name, value in as_document(letter).items()])
    timeline = Timelines(build_redis(settings())).find(letter.message_ids[0])
    for line in in_words(timeline) if timeline else ():
        console().print(line, markup=False, soft_wrap=True)


def replay(ids: tuple[str, ...], *, every: bool, location: str, dry_run: bool, force: bool, as_json: bool) -> None:
    """Give some, or all, another chance. Raises WrongInput for ids that are not known, before anything is replayed."""
    store = _open()
    chosen = _chosen(store, ids, every=every, location=location)
    shown = track(chosen, description="replaying", console=console(), disable=as_json or not console().is_terminal)
    results = {id_: "would replay" if dry_run else str(store.replay(id_, force=force)) for id_ in shown}
    _tell(results, as_json=as_json)


def drop(ids: tuple[str, ...], *, as_json: bool) -> None:
    """Close some for good. Raises WrongInput for ids that are not known, before anything is dropped."""
    store = _open()
    chosen = _chosen(store, ids, every=False, location="")
    _tell(dict(zip(chosen, map(str, store.drop(chosen)), strict=True)), as_json=as_json)


def as_document(letter: DeadLetter) -> dict[str, Any]:
    """The contract's JSON form."""
    return {
        "id": letter.id,
        "location_id": letter.lane.location_id,
        "contact_id": letter.lane.contact_id,
        "conversation_id": letter.conversation_id,
        "message_ids": list(letter.message_ids),
        "channel": letter.channel,
        "error": letter.error,
        "attempts": letter.attempts,
        "failed_at": _time(letter),
    }


def _open() -> DeadLetters:
    from bridge.wiring import build_dead_letters, build_redis

    here = settings()
    return build_dead_letters(here, build_redis(here))


def _chosen(store: DeadLetters, ids: tuple[str, ...], *, every: bool, location: str) -> tuple[str, ...]:
    if every == bool(ids):
        raise WrongInput("name dead letters, or --all, and not both")
    if every:
        return tuple(letter.id for letter in store.all(location_id=LocationId(location) if location else None))
    unknown = [id_ for id_ in ids if not store.is_known(id_)]
    if unknown:
        raise WrongInput(f"not known: {', '.join(unknown)}; `ghl-bridge dead-letters list` shows the open ones")
    return ids


def _tell(results: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json([{"id": id_, "result": result} for id_, result in results.items()])
        return
    for id_, result in results.items():
        print(f"{id_}  {SAYS[result]}")
    print(f"{len(results)} dead letter(s)")


def _time(letter: DeadLetter) -> str:
    return datetime.fromtimestamp(letter.failed_at_ms / 1000, UTC).isoformat(timespec="milliseconds")
