"""Scenes: short shapes, one for each rule about whether, when, where and with which text a contact is answered.

All of them together take a second or two without faults, and run before all faults. Each lists its complete visible result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.proof.beginnings import (
    NOTE,
    SHORT,
    allowed,
    at_hours,
    dead_and_newer,
    dead_twice,
    down_for_a_while,
    down_for_long,
    echoed_at_once,
    few_requests,
    goes_on,
    handing_over,
    held,
    installed_again,
    late,
    listed_late,
    location_paused,
    manner,
    meanwhile,
    of,
    one,
    opens_earlier,
    paused,
    person,
    person_before,
    refused_at_the_post,
    removed,
    resumed,
    settings,
    starts_one,
    stop_and,
    stops_in_a_burst,
    talkative,
    then,
    twice,
    two_channels,
    two_contacts,
    unheard,
    unheard_before_a_campaign,
    unreadable,
    update,
    wants_none,
    whose,
)
from tests.proof.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.proof.simulation import Simulation

AWAY, UNREAD, TAKES_OVER, FAILED = "We are closed", "We can't open this", "A person takes over", "Sorry"
ONE, ASKED = ("SMS (c1.1)",), ("assistable m1",)
OPENS_AT_TEN, CLOSES_AT_NINE = ["mon-fri 10:00-17:00"], ["mon-fri 08:00-09:00"]
SEARCH = "/conversations/search"
FOUR = tuple(f"SMS (c{number}.1)" for number in range(1, 5))
SIX = tuple(f"SMS (c{number}.1)" for number in range(1, 7))
NEWEST_FIRST = ("assistable m4", "assistable m3", "assistable m2", "assistable m1")


def _scene(name: str, begin: Callable[[Simulation], object], says: tuple[str, ...], asks: tuple[str, ...], **more: Any) -> Shape:
    ends = {f"m{number}": end for number, end in enumerate(more.pop("ends", ("replied",)), start=1)}
    return Shape(name=name, begin=begin, says=says, asks=asks, ends=ends, **more)


def _silent(name: str, begin: Callable[[Simulation], object], why: str, asks: tuple[str, ...] = (), **more: Any) -> Shape:
    return _scene(name, begin, (), asks, ends=(f"skipped {why}",), **more)


HANDOVER: Mapping[str, Any] = {
    "provider": "webhook",
    "handover": {"message": TAKES_OVER, "tag": "person", "assign_to": "user1", "seconds": 3600},
}
AFTER_STOP = ("skipped stop_word", "skipped stop_word")
TAKEN = {"takeover_seconds": 600.0}

SCENES = (
    _silent("off tag", whose(tags=["AI_off"]), "off_tag"),
    _silent("off tag while asked", meanwhile(lambda run: run.far.contact.update(tags=["ai_off"])), "off_tag", ASKED),
    _silent("off tag by event", meanwhile(update(tags=["ai_off"]), thinks=SHORT), "off_tag", ASKED),
    _silent("required tag missing", one, "missing_tag", settings={"required_tags": ["vip"]}),
    _scene("required tag there", whose(tags=["VIP"]), ONE, ASKED, settings={"required_tags": ["vip"]}),
    _silent("dnd", whose(dnd=True), "dnd"),
    _silent("dnd by event", meanwhile(update(dnd=True), thinks=SHORT), "dnd", ASKED),
    _silent("dnd of the channel", whose(dndSettings={"SMS": {"status": "active"}}), "dnd"),
    _scene("dnd of another channel", whose(dndSettings={"Email": {"status": "active"}}), ONE, ASKED),
    _silent("closed", at_hours((600, 1020), one), "outside_hours", settings={"business_hours": OPENS_AT_TEN}),
    _scene(
        "closed, deferred",
        at_hours((600, 1020), one),
        ONE,
        ASKED,
        settings={"business_hours": OPENS_AT_TEN, "outside_hours": "defer"},
    ),
    _scene(
        "closed in New York",
        at_hours((780, 1260), one),
        ONE,
        ASKED,
        settings={"business_hours": ["mon-fri 09:00-17:00"], "timezone": "America/New_York", "outside_hours": "defer"},
        within=4 * 3600 + 10.0,
    ),
    _scene(
        "closed, away",
        at_hours((600, 1020), then("Hello", "Hello again", "Open now?", apart=1800.0)),
        (f"SMS {AWAY}", "SMS (c1.1)"),
        ("assistable m3",),
        ends=("skipped outside_hours", "skipped outside_hours", "replied"),
        settings={"business_hours": OPENS_AT_TEN, "outside_hours": "away", "away_message": AWAY},
        own_texts=(AWAY,),
    ),
    _silent(
        "closes while asked",
        meanwhile(settings(business_hours=CLOSES_AT_NINE, outside_hours="silent")),
        "outside_hours",
        ASKED,
    ),
    _silent("a person before", person_before(30.0), "human_takeover", settings=TAKEN),
    _silent("a person while asked", meanwhile(person), "human_takeover", ASKED),
    _scene("resumed", resumed, ONE, ("assistable m2",), ends=("skipped human_takeover", "replied"), steady=False),
    _scene("a workflow before", person_before(30.0, by="automation", source="workflow", user_id=""), ONE, ("assistable m1",)),
    _silent("paused", paused, "conversation_paused"),
    _silent(
        "paused while asked", meanwhile(lambda run: run.worker.quiet_standings.pause("contact")), "conversation_paused", ASKED
    ),
    _silent("location paused while asked", meanwhile(location_paused), "location_paused", ASKED),
    _silent("location removed while asked", meanwhile(removed), "unknown_location", ASKED),
    _silent("off", one, "location_paused", settings={"mode": "off"}),
    _silent("off while asked", meanwhile(settings(mode="off")), "location_paused", ASKED),
    _scene("draft from now on", meanwhile(settings(mode="draft")), ("INTERNAL_COMMENT (c1.1)",), ASKED),
    _scene("stopped", stop_and("TYPE_SMS", "STOP"), (), (), ends=AFTER_STOP),
    _scene(
        "stopped elsewhere",
        stop_and("TYPE_WHATSAPP", "STOP"),
        ("WHATSAPP (c1.1)",),
        ("assistable m2",),
        ends=(AFTER_STOP[0], "replied"),
    ),
    _scene(
        "started again",
        stop_and("TYPE_SMS", "STOP", "START"),
        ("SMS (c1.1)", "SMS (c2.1)"),
        ("assistable m2", "assistable m3"),
        ends=(AFTER_STOP[0], "replied", "replied"),
    ),
    _scene("stop lifted", allowed, ONE, ("assistable m2",), ends=(AFTER_STOP[0], "replied")),
    _scene(
        "reply cap",
        then("One", "Two", "Three"),
        ("SMS (c1.1)", "SMS (c2.1)"),
        ("assistable m1", "assistable m2"),
        ends=("replied", "replied", "skipped reply_cap"),
        settings={"max_replies_per_day": 2},
    ),
    _silent("too old", late, "too_old", settings={"max_age_seconds": 3600.0}),
    _silent("blank", lambda run: run.write("m1", text=" "), "blank", settings={"media": "ignore"}),
    _scene(
        "unreadable",
        unreadable,
        (f"SMS {UNREAD}",),
        (),
        ends=("skipped unreadable_media",),
        settings={"media": "read", "media_message": UNREAD, "transcription": {"model": "w", "token": "tr"}},
        own_texts=(UNREAD,),
    ),
    _silent("channel off", of("TYPE_WHATSAPP"), "channel_off", settings={"channels": ["SMS"]}),
    _scene("WhatsApp", of("TYPE_WHATSAPP"), ("WHATSAPP (c1.1)",), ASKED),
    _scene("Instagram", of("TYPE_INSTAGRAM"), ("INSTAGRAM (c1.1)",), ASKED),
    _scene("e-mail", of("TYPE_EMAIL"), ("EMAIL (c1.1)",), ASKED, settings={"channels": ["Email"]}),
    _scene(
        "two channels",
        two_channels,
        ("SMS (c1.1)", "WHATSAPP (c2.1)"),
        ("assistable m1", "assistable m2"),
        ends=("replied", "replied"),
    ),
    _scene("told twice", twice, ONE, ASKED),
    _scene("a slow service", manner(thinks=60.0), ONE, ASKED, within=70.0),
    _scene(
        "a delivery that is echoed at once",
        echoed_at_once,
        ("SMS (c1.1)", "SMS (c2.1)"),
        ("assistable m1", "assistable m2"),
        ends=("delivered_by_provider",) * 2,
        settings={"assistable": {"delivery": "auto"}},
    ),
    _scene("silence", manner(silent=True), (), ASKED, ends=("no_reply empty",)),
    _scene(
        "handover with a note",
        handing_over,
        ("SMS (c1.1)", f"SMS {TAKES_OVER}", f"INTERNAL_COMMENT The AI agent asks for a person: {NOTE}"),
        ("webhook m1",),
        leaves=("person", "user1"),
        ends=("replied", "skipped human_takeover"),
        settings=HANDOVER,
        own_texts=(TAKES_OVER,),
        steady=False,
    ),
    _scene(
        "handover by a marker",
        manner(ending="\nHUMAN"),
        ("SMS (c1.1)", f"SMS {TAKES_OVER}"),
        ASKED,
        settings={"handover": {"marker": "HUMAN", "message": TAKES_OVER}},
        own_texts=(TAKES_OVER,),
    ),
    _scene(
        "dead letter and a newer message",
        dead_and_newer,
        (f"SMS {FAILED}", "SMS (c1.1)"),
        ("assistable m1 m2",),
        ends=("skipped superseded", "replied"),
        settings={"failure_message": FAILED},
        own_texts=(FAILED,),
        steady=False,
    ),
    _scene(
        "dead letters of two contacts",
        dead_twice,
        (f"SMS {FAILED}", f"SMS {FAILED}"),
        (),
        ends=("dead", "dead"),
        settings={"failure_message": FAILED},
        own_texts=(FAILED,),
    ),
    _scene(
        "three contacts",
        two_contacts,
        ("SMS (c1.1)", "SMS (c2.1)", "SMS (c3.1)"),
        ("assistable m1", "assistable m2", "assistable m3"),
        ends=("replied", "replied", "replied"),
    ),
    _scene("stops in a burst", stops_in_a_burst, (), (), ends=AFTER_STOP, steady=False),
    _scene(
        "starts one channel",
        starts_one,
        ("WHATSAPP (c1.1)", "WHATSAPP (c2.1)"),
        ("assistable m3", "assistable m5"),
        ends=("skipped stop_word", "skipped stop_word", "replied", "skipped stop_word", "replied"),
    ),
    _scene("a person long before", person_before(900.0), ONE, ASKED, settings={"takeover_seconds": 600.0}),
    _scene("by a provider", of("TYPE_CUSTOM_SMS", provider="p1"), ONE, ASKED),
    _scene(
        "three messages",
        then("One", "Two", "Three", apart=0.7),
        ONE,
        ("assistable m1 m2 m3",),
        ends=("replied", "replied", "replied"),
    ),
    _scene("an answer that is replayed", refused_at_the_post, ONE, ASKED),
    _scene(
        "never quiet",
        talkative,
        ("SMS (c1.1)", "SMS (c2.1)"),
        ("assistable m1 m2 m3 m4 m5", "assistable m6 m7 m8"),
        ends=("replied",) * 8,
        settings={"debounce_max_seconds": 3.0},
    ),
    _scene(
        "opens earlier",
        at_hours((540, 1020), opens_earlier),
        ONE,
        ASKED,
        settings={"business_hours": OPENS_AT_TEN, "outside_hours": "defer"},
        within=700.0,
    ),
    _scene(
        "sweep: a campaign wrote since",
        unheard_before_a_campaign,
        ONE,
        ("assistable m1 m2",),
        ends=("replied", "replied"),
        settings={"reconcile_minutes": 1},
    ),
    _scene(
        "a newer message while asked",
        meanwhile(goes_on),
        ("SMS (c2.1)",),
        ("assistable m1", "assistable m1 m2"),
        ends=("replied", "replied"),
    ),
    _scene("installed again", installed_again, ONE, ASKED),
    _silent("GHL knows that the contact wants none", wants_none, "dnd", ASKED),
    _silent("a reaction", lambda run: run.write("m1", text='Liked "Hello"'), "blank"),
    _scene("sweep: listed late", listed_late, ONE, ASKED, settings={"reconcile_minutes": 1}, within=300.0),
    _scene("down for a while", down_for_a_while, ONE, ASKED, within=200.0),
    _scene(
        "down for long",
        down_for_long,
        SIX,
        tuple(f"assistable m{number}" for number in range(1, 7)),
        ends=("replied",) * 6,
        within=700.0,
    ),
    _scene(
        "closed hours don't count as age",
        at_hours((600, 1020), one),
        ONE,
        ASKED,
        settings={"business_hours": OPENS_AT_TEN, "outside_hours": "defer", "max_age_seconds": 600.0},
    ),
    _scene(
        "hold that is lifted",
        held,
        FOUR[:3],
        ("assistable m1", "assistable m2", "assistable m3"),
        ends=("replied",) * 3,
        settings={"max_age_seconds": 300.0},
        steady=False,
    ),
    _scene("few requests", few_requests, SIX, tuple(f"assistable m{number}" for number in range(1, 7)), ends=("replied",) * 6),
    *(
        _scene(
            f"sweep: {name}",
            unheard("abcd", refused=refused),
            FOUR,
            NEWEST_FIRST,
            ends=("replied",) * 4,
            settings={"reconcile_minutes": 1},
        )
        for name, refused in (
            ("all at once", {}),
            ("its first page is refused", {SEARCH: [503] * 3}),
            ("its second page is refused", {SEARCH: [200, 503, 503, 503]}),
            ("a conversation is refused", {"/conversations/conversation-c/messages": [503] * 3}),
        )
    ),
)
