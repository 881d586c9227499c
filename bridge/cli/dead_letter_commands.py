"""The commands for dead letters. Each imports its implementation when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.options import DeadLetterId, DeadLetterIds, Json, OfCause, OfLocation, examples


def dead_letter_commands() -> typer.Typer:
    """`dead-letters`: list, causes, show, replay, drop."""
    group = typer.Typer(help="Messages that failed and need a decision.", no_args_is_help=True)

    @group.command("list", epilog=examples("ghl-bridge dead-letters list", "ghl-bridge dead-letters list | cut -f 1,5"))
    def list_(*, location: OfLocation = "", cause: OfCause = "", as_json: Json = False) -> None:
        """List the open ones, oldest first."""
        from bridge.cli import dead_letters

        dead_letters.list_all(location=location, cause=cause, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge dead-letters causes", "ghl-bridge dead-letters replay --all --cause 1f0c36d8a1b2"))
    def causes(*, location: OfLocation = "", as_json: Json = False) -> None:
        """Group the open ones by their error, the most frequent first."""
        from bridge.cli import dead_letters

        dead_letters.list_causes(location=location, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge dead-letters show 89e16b6e9f334c03aad8943de627b911"))
    def show(
        id_: DeadLetterId,
        *,
        said: Annotated[
            bool, typer.Option("--said", help="Also show the service's error text; the audit log records this.")
        ] = False,
        as_json: Json = False,
    ) -> None:
        """Show a dead letter, with the timeline of its conversation."""
        from bridge.cli import dead_letters

        dead_letters.show(id_, said=said, as_json=as_json)

    @group.command(
        epilog=examples(
            "ghl-bridge dead-letters replay --all --dry-run",
            "ghl-bridge dead-letters replay --all --location ve9EPM428h8vShlRW1KT",
        )
    )
    def replay(
        ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="The dead letters' ids.")] = None,
        *,
        every: Annotated[bool, typer.Option("--all", help="All open dead letters.")] = False,
        location: OfLocation = "",
        cause: OfCause = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be replayed, and change nothing.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Replay even if a newer turn of the contact was answered.")] = False,
        as_json: Json = False,
    ) -> None:
        """Process dead letters again, with all guards; no part is sent twice."""
        from bridge.cli import dead_letters

        which = dead_letters.Which(location=location, cause=cause)
        dead_letters.replay(tuple(ids or ()), every=every, which=which, dry_run=dry_run, force=force, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge dead-letters drop 89e16b6e9f334c03aad8943de627b911"))
    def drop(ids: DeadLetterIds, *, as_json: Json = False) -> None:
        """Close dead letters without an answer: their messages are skipped, with the reason dropped."""
        from bridge.cli import dead_letters

        dead_letters.drop(tuple(ids), as_json=as_json)

    return group
