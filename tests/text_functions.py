"""Every pure function that takes a foreign text, as a function of one text."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bridge.completion import answer_forms, faults, handover, inner_words, mark_removal, sentences, status_words, streams, text
from bridge.completion.envelope import Envelope
from bridge.completion.judging import judge
from bridge.completion.mark_removal import Unclosed
from bridge.completion.openai import OpenAI
from bridge.completion.reading import completion_of
from bridge.completion.transcription import transcript_of
from bridge.ghl import conversations, events, fields, messages, raw_body, refusals, signature, workflow
from bridge.ghl.conversation_ai import decipher_agents, decipher_generation
from bridge.ghl.email.history import find_headers
from bridge.ghl.email.own_words import own_text
from bridge.locations import HandoverSettings, Location
from bridge.model import (
    Channel,
    ContactId,
    ConversationId,
    InboundMessage,
    Listed,
    LocationId,
    MessageId,
    PastMessage,
    Question,
    Reply,
    Window,
)
from bridge.policy import (
    auto_reply,
    device_lines,
    excerpt,
    formatting,
    guards,
    loops,
    media,
    media_kinds,
    normalise,
    reactions,
    resolving,
    searching,
    sign_offs,
    stop_words,
    transcript,
)
from bridge.policy.formatting import mail, markdown, plain, sms, splitting
from bridge.policy.unknown_sends import find_post
from bridge.settings import from_environment

if TYPE_CHECKING:
    from collections.abc import Callable


def inbound(said: str, **more: Any) -> InboundMessage:
    """A contact's message."""
    known: dict[str, Any] = {"channel": Channel.SMS, "message_type": "SMS", "message_type_string": "TYPE_SMS", **more}
    return InboundMessage(
        id=MessageId("m1"),
        location_id=LocationId("l1"),
        contact_id=ContactId("c1"),
        conversation_id=ConversationId("v1"),
        text=said,
        date_added_ms=1,
        **known,
    )


def _closed(function: Callable[[str, dict[str, None]], object]) -> Callable[[str], None]:
    """An input that raises an error for an incomplete text."""

    def run(said: str) -> None:
        with suppress(Unclosed):
            function(said, {})

    return run


def _refused(function: Callable[[str], object]) -> Callable[[str], None]:
    """An input that raises for unusable texts, because that takes time too."""

    def run(said: str) -> None:
        with suppress(Exception):
            function(said)

    return run


def _mail(said: str) -> InboundMessage:
    return inbound("", channel=Channel.EMAIL, subject=said, sender=said)


def _window(said: str) -> Window:
    return Window(messages=(listed(said),), complete=True)


def _past(said: str) -> list[PastMessage]:
    return [
        PastMessage(role=role, content=said, id=MessageId(f"p{at}"), at_ms=at) for at, role in enumerate(("user", "assistant"))
    ]


def _json(**document: Any) -> bytes:
    return json.dumps(document).encode()


def listed(said: str) -> Listed:
    """A row of GHL's list."""
    return Listed(
        id=MessageId("m1"),
        direction="inbound",
        text=said,
        date_added_ms=1,
        user_id="",
        source="",
        type="TYPE_SMS",
        attachments=(said,),
    )


LOCATION = Location(id="l1")
SERVICE = OpenAI(base_url="https://ai.example", token="", model="m", system_prompt="", max_tokens=9)
QUESTION = Question(
    location_id=LocationId("l1"),
    contact_id=ContactId("c1"),
    conversation_id=ConversationId("v1"),
    last_message_id=MessageId("m1"),
    channel="SMS",
    input="Hello",
)
FORM = "application/x-www-form-urlencoded"
KNOWN = excerpt.Known(texts=("a text",), secrets=("a-secret",))
PUBLIC_KEYS = signature.read_keys(from_environment({}).ghl_webhook_keys)
REPLY = Reply(type="SMS", contact_id=ContactId("c1"), message="Hello")
MARKED = HandoverSettings(marker="#person")

POLICY: dict[str, Callable[[str], object]] = {
    "policy.auto_reply.judge_auto_reply": lambda said: auto_reply.judge_auto_reply(
        inbound("", channel=Channel.EMAIL, subject=said, sender=said)
    ),
    "policy.stop_words.forms": stop_words.forms,
    "policy.stop_words.stops": lambda said: stop_words.stops(said, Channel.SMS, frozenset({"stop"})),
    "policy.stop_words.is_spoken_stop": lambda said: stop_words.is_spoken_stop(said, frozenset({"stop"})),
    "policy.stop_words.starts": stop_words.starts,
    "policy.device_lines.is_device_line": device_lines.is_device_line,
    "policy.excerpt.excerpt": lambda said: excerpt.excerpt(
        said.encode(), excerpt.Known(texts=(said[:1000],), secrets=("a-secret",))
    ),
    "policy.formatting.shape": lambda said: formatting.shape(said, Channel.SMS, sms_max_segments=3),
    "policy.formatting.shape, e-mail": lambda said: formatting.shape(said, Channel.EMAIL, sms_max_segments=3),
    "policy.formatting.mail.from_markdown": mail.from_markdown,
    "policy.formatting.markdown.clean": markdown.clean,
    "policy.formatting.plain.from_markdown": plain.from_markdown,
    "policy.formatting.plain.spell_out": lambda said: plain.spell_out(said, said),
    "policy.formatting.sms.fold": sms.fold,
    "policy.formatting.sms.count_segments": sms.count_segments,
    "policy.formatting.sms.cap": lambda said: sms.cap([said], 10),
    "policy.formatting.splitting.split": lambda said: splitting.split(said, 50_000, len),
    "policy.formatting.splitting.utf16_units": splitting.utf16_units,
    "policy.formatting.splitting.utf8_bytes": splitting.utf8_bytes,
    "policy.guards.judge_message": lambda said: guards.judge_message(inbound(said), LOCATION, age_seconds=1.0, paused=False),
    "policy.guards.judge_content": lambda said: guards.judge_content(inbound(said), LOCATION),
    "policy.guards.judge_turn": lambda said: guards.judge_turn([inbound(said)], LOCATION, age_seconds=1.0, paused=False),
    "policy.loops.judge_loop": lambda said: loops.judge_loop([inbound(said)], _past(said), now_ms=9),
    "policy.media.kind_of": lambda said: media.kind_of(f"https://files.example/{said}", Channel.SMS),
    "policy.media.attachments_of": lambda said: media.attachments_of(inbound("", attachments=(f"https://files.example/{said}",))),
    "policy.media_kinds.file_type": lambda said: media_kinds.file_type(said.encode()),
    "policy.normalise.same": lambda said: normalise.same(said, said),
    "policy.normalise.digest": normalise.digest,
    "policy.normalise.plain": normalise.plain,
    "policy.normalise.bare": normalise.bare,
    "policy.normalise.letters": normalise.letters,
    "policy.reactions.is_reaction": reactions.is_reaction,
    "policy.reactions.judge_reaction": lambda said: reactions.judge_reaction(inbound(said), _past(said)),
    "policy.searching.of_person": lambda said: searching.of_person(said, said, said),
    "policy.searching.of_query": searching.of_query,
    "policy.sign_offs.without_signature": sign_offs.without_signature,
    "policy.transcript.ask": lambda said: transcript.ask([inbound(said)]),
    "policy.transcript.asked": lambda said: transcript.asked([inbound(said)]),
    "policy.transcript.choose": lambda said: transcript.choose([inbound(said)]),
}
COMPLETION: dict[str, Callable[[str], object]] = {
    "completion.answer_forms.unfenced": answer_forms.unfenced,
    "completion.answer_forms.without_lead": _closed(answer_forms.without_lead),
    "completion.answer_forms.unwrapped": _closed(answer_forms.unwrapped),
    "completion.answer_forms.without_call": _closed(answer_forms.without_call),
    "completion.handover.without_marker": lambda said: handover.without_marker(said, MARKED),
    "completion.inner_words.visible": inner_words.visible,
    "completion.mark_removal.without_marks": _closed(mark_removal.without_marks),
    "completion.sentences.whole_sentences": sentences.whole_sentences,
    "completion.status_words.silence_of": lambda said: status_words.silence_of(400, said.encode()),
    "completion.status_words.cure_of_error": lambda said: status_words.cure_of_error(500, said.encode()),
    "completion.status_words.cure_of_words": status_words.cure_of_words,
    "completion.streams.stream_in": lambda said: streams.stream_in({}, said),
    "completion.streams.stream_in, events": lambda said: streams.stream_in({"Content-Type": "text/event-stream"}, said),
    "completion.text.clean": text.clean,
    "completion.text.bounded": text.bounded,
    "completion.text.fill": lambda said: text.fill(said, None),
    "completion.transcription.transcript_of": lambda said: transcript_of(200, _json(text=said)),
}
GHL: dict[str, Callable[[str], object]] = {
    "ghl.conversations.decipher_email": _refused(lambda said: conversations.decipher_email(200, {}, _json(body=said))),
    "ghl.email.history.find_headers": lambda said: find_headers(said.splitlines()),
    "ghl.email.own_words.own_text": own_text,
    "ghl.events.parse": _refused(lambda said: events.parse(_json(type="InboundMessage", body=said), app_id="")),
    "ghl.fields.text": lambda said: fields.text(said, limit=events.MAX_TEXT),
    "ghl.fields.read_event": lambda said: fields.read_event(said.encode()),
    "ghl.fields.lenient": fields.lenient,
    "ghl.fields.lenient, a text": lambda said: fields.lenient('{"a": "' + said + '"}', once=True),
    "ghl.messages.decipher_text": _refused(lambda said: messages.decipher_text(200, {}, _json(message={"body": said}))),
    "ghl.messages.decipher_content": _refused(lambda said: messages.decipher_content(200, {}, said.encode())),
    "ghl.messages.build": _refused(lambda said: messages.build(inbound("a"), said, draft=False)),
    "ghl.raw_body.read": lambda said: raw_body.read(b'{"message": "' + said.encode() + b'", "contact_id": "c1"}'),
    "ghl.raw_body.may_contradict_itself": lambda said: raw_body.may_contradict_itself(said.encode()),
    "ghl.raw_body.ids": lambda said: raw_body.ids(said.encode()),
    "ghl.conversation_ai.decipher_agents": _refused(lambda said: decipher_agents(200, {}, _json(agents=[{"name": said}]))),
    "ghl.conversation_ai.decipher_generation": _refused(lambda said: decipher_generation(200, {}, _json(answer=said))),
    "ghl.refusals.is_version": refusals.is_version,
    "ghl.refusals.is_dnd": lambda said: refusals.is_dnd(400, said.encode()),
    "ghl.refusals.code_of": lambda said: refusals.code_of(said.encode()),
    "ghl.refusals.refusal": lambda said: refusals.refusal(400, {}, said.encode(), what="send"),
    "ghl.signature.verify": _refused(lambda said: signature.verify(said.encode(), {"X-GHL-Signature": "x"}, PUBLIC_KEYS)),
    "ghl.workflow.parse": lambda said: workflow.parse(said.encode(), content_type="application/json", fresh_id="w1"),
    "ghl.workflow.parse, a form": lambda said: workflow.parse(b"message=" + said.encode(), content_type=FORM, fresh_id="w1"),
}
MORE: dict[str, Callable[[str], object]] = {
    "completion.faults.refusal": lambda said: faults.refusal("Assistable", 500, {}, said.encode(), may_deliver=False),
    "completion.faults.reported": lambda said: faults.reported("Assistable", {"error": said, "message": said}, "an object"),
    "completion.faults.words_of": lambda said: faults.words_of({"message": said, "error": {"message": said}}),
    "completion.judging.judge": _refused(lambda said: judge(Envelope(content=said), SERVICE, form="a text", handover=MARKED)),
    "completion.reading.completion_of": _refused(lambda said: completion_of(SERVICE, {}, said.encode(), question=QUESTION)),
    "completion.reading.completion_of, an object": _refused(
        lambda said: completion_of(SERVICE, {}, _json(choices=[{"message": {"content": said}}]), question=QUESTION)
    ),
    "ghl.messages.decipher": _refused(lambda said: messages.decipher(400, {}, said.encode(), reply=REPLY)),
    "ghl.messages.decipher_contact": _refused(
        lambda said: messages.decipher_contact(200, {}, _json(contact={"firstName": said}), contact_id=ContactId("c1"))
    ),
    "ghl.messages.decipher_page": _refused(
        lambda said: messages.decipher_page(200, {}, _json(messages=[{"id": "m", "body": said}]))
    ),
    "ghl.conversations.decipher_conversations": _refused(
        lambda said: conversations.decipher_conversations(
            200, {}, _json(conversations=[{"id": "m", "lastMessageBody": said}]), limit=9
        )
    ),
    "ghl.workflow.adopt": lambda said: workflow.adopt(inbound(said), listed(said)),
    "policy.formatting.carried_as": lambda said: formatting.carried_as(inbound(said)),
    "policy.formatting.splitting.cut": lambda said: splitting.cut(said, lambda part: len(part) < 1000, ()),
    "policy.guards.may_have_files": lambda said: guards.may_have_files(inbound(said), LOCATION),
    "policy.media.wants_answer": lambda said: media.wants_answer(inbound(said)),
    "policy.resolving.find": lambda said: resolving.find(inbound(said), [listed(said)] * 3, came_ms=0),
    "policy.unknown_sends.find_post": _refused(lambda said: find_post(_window(said), text=said, claimed="", ours=())),
}
FUNCTIONS = {**POLICY, **MORE, **COMPLETION, **GHL}
