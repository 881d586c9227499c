"""A few webhooks in each turn of the event loop, so that these are on their way to Redis while the next ones are read.

All that came together were verified and parsed in one turn otherwise: meanwhile Redis had nothing to do, and then the receiver.
"""

from __future__ import annotations

import asyncio
from collections import deque

# Some two milliseconds of work. From 4 to 16 made no difference that could be seen.
MOST_IN_A_TURN = 16


class Pacing:
    """Of one event loop: first come, first through."""

    def __init__(self) -> None:
        self._through = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def pass_through(self) -> None:
        """At once, if not so many have in this turn; or when those before have."""
        if self._waiting or self._through >= MOST_IN_A_TURN:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        else:
            self._let_through()

    def _let_through(self) -> None:
        if not self._through:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._through += 1

    def _next_turn(self) -> None:
        self._through = 0
        while self._waiting and self._through < MOST_IN_A_TURN:
            turn = self._waiting.popleft()
            # Who has given up doesn't count.
            if not turn.done():
                turn.set_result(None)
                self._let_through()
