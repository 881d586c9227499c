"""How much is measured: everything, or a little to check that the benchmark runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes. Durations are seconds."""

    rounds: int
    cpu_rounds: int
    webhooks: int
    receive_seconds: float
    connections: int
    cpu_replies: int
    cpu_rate: float
    cpu_slots: int
    slots: tuple[int, ...]
    completion_seconds: float
    slots_seconds: float
    rates: tuple[float, ...]
    rate_seconds: float
    in_flight: int
    waiting: tuple[int, ...]
    waiting_replies: int
    burst: int
    burst_connections: int
    counted: int
    starts: int


FULL = Plan(
    rounds=5,
    cpu_rounds=7,
    webhooks=16_000,
    receive_seconds=3.0,
    connections=48,
    cpu_replies=160,
    cpu_rate=40.0,
    cpu_slots=100,
    slots=(200, 500),
    completion_seconds=2.0,
    slots_seconds=12.0,
    rates=(20.0, 60.0),
    rate_seconds=12.0,
    in_flight=1000,
    waiting=(100, 10_000, 1_000_000),
    waiting_replies=400,
    burst=20_000,
    burst_connections=200,
    counted=200,
    starts=3,
)
QUICK = Plan(
    rounds=1,
    cpu_rounds=1,
    webhooks=400,
    receive_seconds=0.5,
    connections=8,
    cpu_replies=20,
    cpu_rate=20.0,
    cpu_slots=20,
    slots=(20,),
    completion_seconds=0.2,
    slots_seconds=1.5,
    rates=(20.0,),
    rate_seconds=1.0,
    in_flight=20,
    waiting=(100, 1_000),
    waiting_replies=20,
    burst=200,
    burst_connections=20,
    counted=10,
    starts=1,
)
