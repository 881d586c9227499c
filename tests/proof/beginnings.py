"""The beginnings of scenes: what contacts, persons, operators and services do in a short run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bridge.model import Lane
from tests.proof.far_side import LOCATION
from tests.proof.shapes import ASSISTABLE, POST, replay
from tests.proof.webhooks import contact_update, install, of_row, uninstall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.proof.simulation import Simulation

NOTE = "She wants a refund"
# Durations of an answer after which a look-up of the contact still counts, and no longer counts.
SHORT, LONG = 10.0, 20.0


def one(run: Simulation) -> None:
    """A contact writes."""
    run.write("m1")


def of(type_: str, **more: Any) -> Callable[[Simulation], object]:
    """A contact writes on this channel."""
    return lambda run: run.write("m1", type_=type_, **more)


def whose(**contact: Any) -> Callable[[Simulation], object]:
    """A contact with this data in GHL writes."""

    def begin(run: Simulation) -> None:
        run.far.contact |= contact
        run.write("m1")

    return begin


def meanwhile(do: Callable[[Simulation], object], *, thinks: float = LONG) -> Callable[[Simulation], object]:
    """Something happens while the service computes its answer."""

    def begin(run: Simulation) -> None:
        run.far.manner.thinks = thinks
        run.write("m1")
        run.later(thinks / 2, lambda: do(run))

    return begin


def then(*texts: str, apart: float = 60.0) -> Callable[[Simulation], object]:
    """A contact writes these messages, one after the other."""

    def begin(run: Simulation) -> None:
        for number, text in enumerate(texts):
            id_ = f"m{number + 1}"
            run.later(number * apart + 0.001, partial(run.write, id_, text=text and f"{text} [{id_}]"))

    return begin


def stop_and(type_: str, *before: str) -> Callable[[Simulation], object]:
    """A contact writes these words by SMS, and then something else."""

    def begin(run: Simulation) -> None:
        for number, word in enumerate(before, start=1):
            run.later(number * 60.0, partial(run.write, f"m{number}", text=word))
        last = len(before) + 1
        run.later(last * 60.0, lambda: run.write(f"m{last}", type_=type_))

    return begin


def stops_in_a_burst(run: Simulation) -> None:
    """A contact asks a question, and writes STOP before it is answered."""
    run.write("m1")
    run.write("m2", text="STOP", after=0.5)


def starts_one(run: Simulation) -> None:
    """A contact opts out of two channels, and in to one of them again."""
    for at, (id_, text, type_) in enumerate(
        (
            ("m1", "STOP", "TYPE_SMS"),
            ("m2", "STOP", "TYPE_WHATSAPP"),
            ("m3", "START", "TYPE_WHATSAPP"),
            ("m4", "", "TYPE_SMS"),
            ("m5", "", "TYPE_WHATSAPP"),
        )
    ):
        run.later(at * 60.0 + 0.001, partial(run.write, id_, text=text, type_=type_))


def held(run: Simulation) -> None:
    """All logins are refused, until an operator resumes the location and does nothing else."""
    run.far.failing[ASSISTABLE] = [401] * 1000
    for number, contact in enumerate("abc", start=1):
        run.write(f"m{number}", contact=contact)
    run.later(599.0, lambda: run.far.failing.pop(ASSISTABLE))
    run.later(600.0, lambda: run.quiet_locations().lift_hold(LOCATION, why="a test"))


def few_requests(run: Simulation) -> None:
    """GHL allows eight requests in ten seconds, and six contacts write at once."""
    run.far.most = 8
    for number, contact in enumerate("abcdef", start=1):
        run.write(f"m{number}", contact=contact, after=0.01 * number)


def at_hours(hours: tuple[int, int], begin: Callable[[Simulation], object]) -> Callable[[Simulation], object]:
    """A location that is open between these minutes of the day."""

    def began(run: Simulation) -> None:
        run.far.record.hours = hours
        begin(run)

    return began


def person_before(seconds: float, **more: Any) -> Callable[[Simulation], object]:
    """A person at the business wrote this long before."""

    def begin(run: Simulation) -> None:
        run.write("m0", heard=False)
        run.say(**more)
        run.later(seconds, lambda: run.write("m1"))

    return begin


def resumed(run: Simulation) -> None:
    """After a person wrote, an operator resumes the conversation."""
    then("Hello", "And now")(run)
    run.say()
    run.later(30.0, lambda: run.lift("resumed", run.worker.quiet_standings.resume("contact")))


def paused(run: Simulation) -> None:
    """An operator has paused the conversation."""
    run.later(0.0, lambda: run.worker.quiet_standings.pause("contact"))
    run.write("m1")


def allowed(run: Simulation) -> None:
    """An operator lifts an opt-out."""
    stop_and("TYPE_SMS", "STOP")(run)
    lane = Lane.parse(f"{LOCATION}:contact")
    run.later(90.0, lambda: run.lift("allowed", run.worker.quiet_standings.allow(lane)))


def location_paused(run: Simulation) -> None:
    """An operator pauses the location."""
    run.quiet_locations().pause(LOCATION, paused=True)


def removed(run: Simulation) -> None:
    """An operator removes the location."""
    run.quiet_locations().remove(LOCATION)


def update(**told: Any) -> Callable[[Simulation], object]:
    """An event reports a change of the contact's record."""

    def change(run: Simulation) -> None:
        run.far.contact |= told
        run.deliver(contact_update(run.clock.seconds, run.clock.ms, **told))

    return change


def person(run: Simulation) -> None:
    """A person writes, and its event arrives at once."""
    run.say()
    run.deliver(run.queue.pop())


def settings(**settings: Any) -> Callable[[Simulation], object]:
    """Other settings are applied."""
    return lambda run: run.apply(**settings)


def late(run: Simulation) -> None:
    """The webhook comes two hours late."""
    run.write("m1", after=2 * 3600.0)


def two_channels(run: Simulation) -> None:
    """A contact writes by SMS, and immediately afterwards by WhatsApp."""
    run.write("m1")
    run.write("m2", type_="TYPE_WHATSAPP", after=0.3)


def twice(run: Simulation) -> None:
    """A message is reported three times."""
    row = run.write("m1")
    run.report(row, after=0.4)
    run.report(row, after=400.0)


def unreadable(run: Simulation) -> None:
    """A message contains only a file, which can't be downloaded."""
    run.write("m1", text=" ", attachments=(f"{run.far.url}/media/broken.ogg",))
    run.far.failing["/media/broken.ogg"] = [404] * 100


def manner(**how: Any) -> Callable[[Simulation], object]:
    """The service behaves in this manner."""

    def begin(run: Simulation) -> None:
        for name, value in how.items():
            setattr(run.far.manner, name, value)
        run.write("m1")

    return begin


def handing_over(run: Simulation) -> None:
    """The service asks for a person, and the contact writes again."""
    run.far.manner.asks_for_a_person, run.far.manner.note = True, NOTE
    run.write("m1")
    run.write("m2", after=60.0)


def dead(run: Simulation, *, statuses: int = 1) -> None:
    """The service refuses the question this many times."""
    run.far.failing[ASSISTABLE] = [400] * statuses
    run.write("m1")


def refused_at_the_post(run: Simulation) -> None:
    """GHL refuses the answer, and an operator replays it."""
    run.far.failing[POST] = [400]
    run.operate = replay
    run.write("m1")


def talkative(run: Simulation) -> None:
    """A contact writes again within each second."""
    for number in range(8):
        run.write(f"m{number + 1}", after=0.7 * number)


def opens_earlier(run: Simulation) -> None:
    """At ten past nine, the settings of a location that opens at ten are changed to always open."""
    run.write("m1")
    run.later(600.0, run.apply)
    run.later(600.1, lambda: run.quiet_locations().reconsider(LOCATION))


def installed_again(run: Simulation) -> None:
    """The app is uninstalled and installed again before the contact writes."""
    for at, event in enumerate((uninstall, install)):
        run.later(at * 60.0 + 0.001, lambda event=event: run.deliver(event(run.clock.seconds, run.clock.ms)))  # type: ignore[misc] # bound
    run.later(120.0, lambda: run.write("m1"))


def wants_none(run: Simulation) -> None:
    """GHL refuses the post, because of the contact's do-not-disturb."""
    run.far.failing[POST] = [400]
    run.far.refusal = {"message": "Cannot send message as DND is active for SMS."}
    run.write("m1")


def down_for_long(run: Simulation) -> None:
    """The service is down for ten minutes in which six contacts write."""
    run.far.failing[ASSISTABLE] = [503] * 1000
    for number, contact in enumerate("abcdef", start=1):
        run.write(f"m{number}", contact=contact, after=5.0 * number)
    run.later(600.0, lambda: run.far.failing.pop(ASSISTABLE))


def echoed_at_once(run: Simulation) -> None:
    """The service posts by itself, and GHL reports that before its answer arrives; later the contact writes again."""
    run.far.manner.delivers, run.far.manner.thinks = True, 5.0
    run.far.sent = lambda row: run.deliver(of_row(row, at=run.clock.seconds))
    run.write("m1")
    run.later(60.0, lambda: run.write("m2"))


def goes_on(run: Simulation) -> None:
    """The contact writes again, and its webhook arrives at once."""
    run.write("m2")
    run.deliver(run.queue.pop())


def listed_late(run: Simulation) -> None:
    """No webhook arrives, and GHL lists the message a minute and a half after it was written."""
    run.sweeps = True
    run.clock.advance(55)
    run.write("m1", heard=False, lag=90_000)


def down_for_a_while(run: Simulation) -> None:
    """The service is down when the contact writes, and is up again soon after."""
    run.far.failing[ASSISTABLE] = [503] * 1000
    run.write("m1")
    run.later(40.0, lambda: run.far.failing.pop(ASSISTABLE))


def dead_and_newer(run: Simulation) -> None:
    """A newer message arrives after a dead letter."""
    dead(run)
    run.later(60.0, lambda: run.write("m2"))


def dead_twice(run: Simulation) -> None:
    """The questions of two contacts are refused in the same way."""
    dead(run, statuses=1000)
    run.later(60.0, lambda: run.write("m2", contact="other"))


def two_contacts(run: Simulation) -> None:
    """Three contacts write within a second."""
    for number, contact in enumerate(("a", "b", "c"), start=1):
        run.write(f"m{number}", contact=contact, after=0.2 * number)


def unheard_before_a_campaign(run: Simulation) -> None:
    """A workflow has written since the contact did."""
    unheard("a", refused={})(run)
    run.far.say("a", "Our offers", by="automation", source="workflow", user_id="")
    run.write("m2", contact="a", heard=False)


def unheard(contacts: str, *, refused: Mapping[str, list[int]]) -> Callable[[Simulation], object]:
    """No process ran for ten minutes in which these contacts wrote; then GHL answers the sweep with these statuses."""

    def begin(run: Simulation) -> None:
        run.sweeps = True
        for number, contact in enumerate(contacts, start=1):
            run.clock.advance(5)
            run.write(f"m{number}", contact=contact, heard=False)
        run.far.failing |= {path: list(statuses) for path, statuses in refused.items()}
        run.clock.advance(600)

    return begin
