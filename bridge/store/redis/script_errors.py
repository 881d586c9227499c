"""Clients that add the script's hash to errors, for servers that leave it out.

Redis 7 ends an error with "script: SHA, on @user_script:LINE."; Valkey 9.1.2 writes "script: on @user_script:LINE.".
"""

from __future__ import annotations

from typing import Any

from redis import Redis, ResponseError
from redis.asyncio import Redis as AsyncRedis

NAMELESS = "script: on @user_script"


def name_script(error: BaseException, sha: str) -> None:
    """Put the script's hash into an error that lacks it."""
    if isinstance(error, ResponseError) and NAMELESS in str(error):
        error.args = (str(error).replace(NAMELESS, f"script: {sha}, on @user_script"),)


class ScriptedRedis(Redis):
    """A client for threads."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Like the library's method, with the script's hash in its errors."""
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            name_script(error, _sha(args))
            raise


class ScriptedAsyncRedis(AsyncRedis):
    """A client for one event loop."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Like the library's method, with the script's hash in its errors."""
        try:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            name_script(error, _sha(args))
            raise


def _sha(command: tuple[Any, ...]) -> str:
    return str(command[1]) if command[0] == "EVALSHA" else ""
