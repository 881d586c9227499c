"""The shapes of a turn: what a contact writes, the location's settings, and the right outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from bridge.ghl.access import Need
from bridge.ghl.rate_limit_headers import Limits
from bridge.store.limits.budget import Budgets
from tests.proof.far_side import LOCATION
from tests.proof.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.proof.simulation import Simulation

POST, ASSISTABLE = "/conversations/messages", "/assistable"
REPLIED = {"m1": "replied"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`begin` starts it, after the location got these settings; `ends` is the outcome of each message, with its reason.

    For the run without faults: `says` lists what the contact and staff get, `asks` which services are asked about which messages,
    `leaves` which tags and users contacts get, and `within` is the time limit (s) for the last of these.
    `own_texts` are the location's own texts that it may send. Pairs of faults are tried only for a `core` shape.
    `alike` are contacts whose turns repeat those of another one: their calls get no faults.
    If a shape isn't `steady`, another order of its webhooks may change its outcomes: they count only in the run without faults.
    """

    name: str
    begin: Callable[[Simulation], object]
    ends: Mapping[str, str] = field(default_factory=lambda: REPLIED)
    settings: Mapping[str, Any] = field(default_factory=dict)
    own_texts: tuple[str, ...] = ()
    says: tuple[str, ...] | None = None
    asks: tuple[str, ...] | None = None
    leaves: tuple[str, ...] | None = None
    within: float = inf
    alike: tuple[str, ...] = ()
    core: bool = False
    steady: bool = True


def _one(run: Simulation) -> None:
    run.write("m1")


def _three(run: Simulation) -> None:
    run.far.manner.pieces = 3
    run.write("m1")


def _failing_over(run: Simulation) -> None:
    run.far.failing[ASSISTABLE] = [503] * 1000
    run.write("m1")


def _delivering(run: Simulation) -> None:
    run.far.manner.delivers = True
    run.write("m1")


def _claiming(run: Simulation) -> None:
    run.far.manner.claims = True
    run.write("m1")


def _delivering_late(run: Simulation) -> None:
    run.far.manner.thinks = 90.0  # longer than all looks of a read-back, shorter than `provider_timeout_seconds`
    _delivering(run)


def _cut(run: Simulation) -> None:
    run.far.planned[POST] = [Fault.LOST]
    run.write("m1")


def _unheard_of(run: Simulation) -> None:
    run.echoes = False
    _cut(run)


def _refused(run: Simulation) -> None:
    run.far.planned[POST] = [Fault.ERROR]
    run.write("m1")


def _dead(run: Simulation) -> None:
    run.far.failing[ASSISTABLE] = [400]
    run.operate = replay
    run.write("m1")


def _dead_burst(run: Simulation) -> None:
    _dead(run)
    run.write("m2", after=0.5)


def replay(run: Simulation) -> bool:
    """The operator replays every dead letter."""
    dead_letters = run.dead_letters()
    outcomes = [dead_letters.replay(one.id, force=False) for one in list(dead_letters.all())]
    return "replayed" in outcomes


def _spoken(run: Simulation) -> None:
    run.write("m1", text="Listen [m1]", attachments=(f"{run.far.url}/media/voice.ogg",))


def _handing_over(run: Simulation) -> None:
    run.far.manner.asks_for_a_person = True
    run.write("m1")


def _spent(run: Simulation) -> None:
    budgets = Budgets(run.machine.redis, clock=run.clock.monotonic)
    budgets.learn_limits(LOCATION, Limits(most=100, left=26, interval_ms=10_000))
    budgets.acquire(LOCATION, Need.POST)
    run.write("m1")


def _held(run: Simulation) -> None:
    run.far.failing[ASSISTABLE] = [401] * 1000
    run.operate = _mend
    for number, contact in enumerate(("contact", "b", "c"), start=1):
        run.write(f"m{number}", contact=contact)


def _mend(run: Simulation) -> bool:
    """The operator corrects the login, resumes the location, and replays the remaining dead letters."""
    if run.far.failing.pop(ASSISTABLE, None):
        run.worker.locations.lift_hold(LOCATION, why="a test")
        return True
    return run.worker.locations.lift_hold(LOCATION, why="a test") is not None or replay(run)


def _unheard(run: Simulation) -> None:
    run.sweeps = True
    run.clock.advance(5)
    run.write("m1", heard=False)


def _told_twice(run: Simulation) -> None:
    run.copy(run.write("m1", after=3.0), after=0.0)


def _burst(run: Simulation) -> None:
    run.write("m1")
    run.write("m2", after=0.5)
    run.write("m3", after=4.0)


FAILED, HANDED = "Something went wrong, we come back to you", "A person of ours takes over"

SHAPES = (
    Shape(name="one part", within=3.0, says=("SMS (c1.1)",), asks=("assistable m1",), begin=_one, core=True),
    Shape(
        name="three parts",
        within=4.0,
        says=("SMS (c1.1)", "SMS (c1.2)", "SMS (c1.3)"),
        asks=("assistable m1",),
        begin=_three,
        core=True,
    ),
    Shape(name="draft", says=("INTERNAL_COMMENT (c1.1)",), asks=("assistable m1",), begin=_one, settings={"mode": "draft"}),
    Shape(
        name="failover",
        within=60.0,
        says=("SMS (c1.1)",),
        asks=("agencii m1",),
        begin=_failing_over,
        settings={"fallback_provider": "agencii"},
    ),
    Shape(
        name="provider that delivers",
        begin=_delivering,
        settings={"assistable": {"delivery": "auto"}},
        ends={"m1": "delivered_by_provider"},
        core=True,
    ),
    Shape(name="claim that is not true", begin=_claiming, settings={"assistable": {"delivery": "auto"}}),
    Shape(
        name="provider that delivers late",
        begin=_delivering_late,
        settings={"assistable": {"delivery": "auto"}},
        ends={"m1": "delivered_by_provider"},
    ),
    Shape(name="read-back: it is there", within=60.0, begin=_cut),
    Shape(name="read-back: nothing tells of it", begin=_unheard_of, core=True),
    Shape(name="read-back: it is not there", begin=_refused),
    Shape(
        name="dead letter and replay",
        leaves=("ai-failed",),
        begin=_dead,
        settings={"failure_message": FAILED, "dead_letter_tag": "ai-failed"},
        own_texts=(FAILED,),
    ),
    Shape(
        name="dead letter of a burst",
        says=("SMS (c1.1)",),
        asks=("assistable m1 m2",),
        begin=_dead_burst,
        ends={"m1": "replied", "m2": "replied"},
        steady=False,
    ),
    Shape(
        name="media",
        says=("SMS (c1.1)",),
        asks=("assistable m1 spoken",),
        begin=_spoken,
        settings={"media": "read", "transcription": {"model": "w", "token": "tr"}},
    ),
    Shape(
        name="handover",
        leaves=("person", "user1"),
        begin=_handing_over,
        settings={"handover": {"tool": "handover", "message": HANDED, "tag": "person", "assign_to": "user1"}},
        own_texts=(HANDED,),
    ),
    Shape(name="budget wait", says=("SMS (c1.1)",), asks=("assistable m1",), begin=_spent),
    Shape(name="hold", begin=_held, ends={"m1": "replied", "m2": "replied", "m3": "replied"}, alike=("b",)),
    Shape(name="sweep", begin=_unheard, settings={"reconcile_minutes": 1}),
    Shape(name="workflow copy", begin=_told_twice),
    Shape(
        name="burst",
        within=7.0,
        says=("SMS (c1.1)", "SMS (c2.1)"),
        asks=("assistable m1 m2", "assistable m3"),
        begin=_burst,
        ends={"m1": "replied", "m2": "replied", "m3": "replied"},
    ),
)
