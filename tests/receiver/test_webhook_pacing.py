"""Simultaneous webhooks are accepted a few at a time, in their order."""

from __future__ import annotations

import asyncio

from bridge.receiver.webhook_pacing import MOST_IN_A_TURN, Pacing


async def _pass(pacing: Pacing, number: int, passed: list[int]) -> None:
    await pacing.pass_through()
    passed.append(number)


async def test_a_few_pass_in_each_turn_in_their_order() -> None:
    """Later requests, also those during a pass, come after the waiting ones."""
    pacing, passed = Pacing(), list[int]()
    turns = []
    tasks = [asyncio.create_task(_pass(pacing, number, passed)) for number in range(5 * MOST_IN_A_TURN)]

    while not all(task.done() for task in tasks):
        before = len(passed)
        await asyncio.sleep(0)
        turns.append(len(passed) - before)
        if len(turns) == 1:
            tasks.append(asyncio.create_task(_pass(pacing, len(tasks), passed)))

    assert max(turns) == MOST_IN_A_TURN
    assert passed == list(range(5 * MOST_IN_A_TURN + 1))


async def test_who_comes_alone_passes_at_once() -> None:
    """It waits for nothing, not even a turn of the loop, and neither does the next one."""
    pacing = Pacing()

    for _ in range(2 * MOST_IN_A_TURN):
        passing = pacing.pass_through()
        try:
            passing.send(None)
        except StopIteration:
            await asyncio.sleep(0)
            continue
        raise AssertionError


async def test_who_gives_up_holds_nobody_up() -> None:
    """The place of a cancelled request goes to the next one."""
    pacing, passed = Pacing(), list[int]()
    tasks = [asyncio.create_task(_pass(pacing, number, passed)) for number in range(3 * MOST_IN_A_TURN)]
    await asyncio.sleep(0)
    given_up = tasks[MOST_IN_A_TURN : 2 * MOST_IN_A_TURN]
    for task in given_up:
        task.cancel()

    await asyncio.wait(tasks)

    assert passed == [number for number, task in enumerate(tasks) if task not in given_up]
