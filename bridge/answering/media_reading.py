"""Reads a turn's files before the provider is asked; transcripts count as the contact's text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.answering.media_links import fresh_addresses
from bridge.answering.posting import say
from bridge.model import Again, Ended, MediaKind, Reading, Reason, Skip, Status
from bridge.policy import failover, transcript
from bridge.policy.media import attachments_of
from bridge.policy.stop_words import is_spoken_stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Attachment, InboundMessage

MOST_FILES = 5
MEDIA_PART = "media"
# Videos are not read, but a voice note may have a video's file name.
_READ = frozenset({MediaKind.AUDIO, MediaKind.VIDEO, MediaKind.FILE})


def read_files(case: Case, services: AnswerServices) -> Ended | Again | None:
    """Read the files, oldest first, and store each transcript immediately. Returns the end of the turn, if reading ends it.

    A file that can't be read is not an error; the model and the timeline mention it. Raises Unavailable and Fenced.
    """
    location = case.kept.location
    if location.media != "read" or case.completion:
        return None
    names = failover.order(location.provider, location.fallback_provider)
    images = any(services.providers.takes_files(location, name) == "images" for name in names)
    for number, (message, place, file) in enumerate(list(_unread(case, images=images)), _read_before(case)):
        if number < MOST_FILES:
            reading = _read(case, message, place, file, services, images=images)
        else:
            reading = Reading(kind=file.kind, why=f"more than {MOST_FILES} files")
        case.readings[message.id, place] = reading
        _keep(case, message.id, place, reading, services)
    return _end_by_stop(case, services) or _say_that_nothing_was_read(case, services)


def unreadable(case: Case, ended: Ended) -> Ended:
    """Change the reason of the turn's end if the provider gave no reply to files that could not be read."""
    if ended.status is not Status.NO_REPLY or case.turn.answer or not _is_nothing_read(case):
        return ended
    return replace(ended, status=Status.SKIPPED, reason=Reason.UNREADABLE_MEDIA, facts=_facts(case))


def _read_before(case: Case) -> int:
    """The number of files that an earlier attempt has read."""
    messages = transcript.asked(case.messages, case.turn.carried)
    return sum(bool(said) for message in messages for said in message.transcripts)


def _unread(case: Case, *, images: bool) -> Iterator[tuple[InboundMessage, int, Attachment]]:
    kinds = _READ | {MediaKind.IMAGE} if images else _READ
    for message in transcript.asked(case.messages, case.turn.carried):
        for place, file in enumerate(attachments_of(message)):
            if file.kind in kinds and not any(message.transcripts[place : place + 1]):
                yield message, place, file


def _read(
    case: Case, message: InboundMessage, place: int, file: Attachment, services: AnswerServices, *, images: bool
) -> Reading:
    location = case.kept.location
    reading, stale = services.media.read(file.url, file.kind, location, images=images)
    fresh = fresh_addresses(case, message, services)[place] if stale else file.url
    if fresh != file.url:
        reading, _ = services.media.read(fresh, file.kind, location, images=images)
    return reading


def _keep(case: Case, id_: str, place: int, reading: Reading, services: AnswerServices) -> None:
    outcome = f"{len(reading.transcript)} characters" if reading.transcript else reading.why or "shown to the model"
    event = {"step": "read", "message_id": id_, "kind": reading.kind, "outcome": outcome}
    known = []
    if reading.transcript:
        message = next(one for one in (*case.messages, *case.turn.carried) if one.id == id_)
        transcripts = [*message.transcripts, *[""] * (len(message.attachments) - len(message.transcripts))]
        transcripts[place] = reading.transcript
        known = [replace(message, transcripts=tuple(transcripts))]
    services.lanes.know(case.turn, known, event=event)
    by_id = {one.id: one for one in known}
    turn = case.turn
    case.messages = tuple(by_id.get(one.id, one) for one in case.messages)
    case.turn = replace(
        turn,
        messages=tuple(by_id.get(one.id, one) for one in turn.messages),
        carried=tuple(by_id.get(one.id, one) for one in turn.carried),
    )


def _end_by_stop(case: Case, services: AnswerServices) -> Ended | None:
    """End the turn if a voice note contains only a stop word, which opts the contact out like a text."""
    stops = [one for one in case.messages if not one.text.strip() and is_spoken_stop(one.words, case.kept.location.stop_words)]
    if not stops:
        return None
    last = stops[-1]
    event = {"step": "stopped", "message_id": last.id, "channel": last.channel, "how": "stop spoken"}
    services.lanes.stop(case.turn, last.channel, at_ms=last.date_added_ms or case.now_ms(services), event=event, spoken=True)
    facts = f"stop spoken in a voice note; {last.channel} opted out until the contact writes START"
    return case.ended(Status.SKIPPED, Skip(Reason.STOP_WORD, facts))


def _say_that_nothing_was_read(case: Case, services: AnswerServices) -> Ended | Again | None:
    text = case.kept.location.media_message
    if not text or not _is_nothing_read(case):
        return None
    outcome = say(case, MEDIA_PART, text, services)
    match outcome:
        case Again():
            return outcome
        case Skip():
            return case.ended(Status.SKIPPED, outcome)
    return replace(case.ended(Status.SKIPPED, Skip(Reason.UNREADABLE_MEDIA, _facts(case))), answered=True)


def _is_nothing_read(case: Case) -> bool:
    """Whether reading failed for all files, and there is no other content to answer."""
    messages = transcript.asked(case.messages, case.turn.carried)
    return bool(case.readings) and not any(one.words for one in messages) and not any(one.image for one in case.readings.values())


def _facts(case: Case) -> str:
    return "; ".join(dict.fromkeys(f"{one.kind}: {one.why}" for one in case.readings.values()))
