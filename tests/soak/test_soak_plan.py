"""The soak's plan can be repeated, and its targets exist."""

from __future__ import annotations

from itertools import pairwise

from tests.soak.clustered import CLUSTER_KINDS, STRIKES
from tests.soak.plan import CLUSTER_SECONDS, CLUSTER_WEIGHTS, MARK, TARGETS, WEIGHTS, Strike, plan


def test_the_same_seed_gives_the_same_plan() -> None:
    """Two bridges get the same messages and strikes."""
    assert plan(seed=7, seconds=60) == plan(seed=7, seconds=60)
    assert plan(seed=7, seconds=60) != plan(seed=8, seconds=60)


def test_each_message_has_a_mark_of_its_own_and_contacts_write_in_order() -> None:
    """The rate is about the requested one; a contact's messages are numbered in order."""
    lines = plan(seed=1, seconds=120, rate=12).lines
    assert [MARK.findall(line.text) for line in lines] == [[line.mark] for line in lines]
    assert len({line.mark for line in lines}) == len(lines)
    assert 10 < len(lines) / 120 < 14
    for contact in range(60):
        marks = [line.mark for line in lines if line.contact == contact]
        assert marks == sorted(marks)
    assert [line.at for line in lines] == sorted(line.at for line in lines)


def test_every_kind_comes_up_and_none_hits_what_is_down() -> None:
    """In ten minutes each kind happens several times; a process that is down is left alone until it is back."""
    strikes = plan(seed=1, seconds=600).strikes
    assert all(sum(strike.kind == kind for strike in strikes) >= weight for kind, weight in WEIGHTS.items())
    for name in {target for targets in TARGETS.values() for target in targets}:
        hits: list[Strike] = [strike for strike in strikes if strike.target == name]
        assert all(one.at + one.seconds < other.at for one, other in pairwise(hits))


def test_a_cluster_is_struck_again_after_it_is_whole() -> None:
    """Each of its strikes comes up too, takes its time and has a function; one that is going on is not joined by another."""
    strikes = plan(seed=1, seconds=900, kinds=CLUSTER_KINDS).strikes
    its = [strike for strike in strikes if strike.kind in CLUSTER_SECONDS]
    assert {strike.kind for strike in its} == set(CLUSTER_WEIGHTS) == set(STRIKES)
    assert all(one.at + one.seconds < other.at for one, other in pairwise(its))
