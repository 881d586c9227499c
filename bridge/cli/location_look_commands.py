"""The commands that look into a location: its overview, its completion service, its settings as a file."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.options import Id, Json, examples


def location_look_commands(group: typer.Typer) -> None:
    """Add them to `locations`."""

    @group.command(epilog=examples("ghl-bridge locations overview ve9EPM428h8vShlRW1KT"))
    def overview(id_: Id, *, as_json: Json = False) -> None:
        """Show what needs attention in a location, what waits there, and the outcomes of its messages."""
        from bridge.cli import location_checks

        location_checks.overview(id_, as_json=as_json)

    @group.command(
        epilog=examples("ghl-bridge locations export > locations.toml", "ghl-bridge locations export ve9EPM428h8vShlRW1KT")
    )
    def export(
        id_: Annotated[str, typer.Argument(metavar="ID", help="The location's id; all locations without it.")] = "",
        *,
        as_json: Json = False,
    ) -> None:
        """Print the settings as a file for `locations apply`; secrets stay on the server."""
        from bridge.cli import location_checks

        location_checks.export(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations check-provider ve9EPM428h8vShlRW1KT"))
    def check_provider(id_: Id, *, as_json: Json = False) -> None:
        """Ask a location's completion service a harmless question, as the bridge would; nothing goes to a contact."""
        from bridge.cli import location_checks

        location_checks.check_provider(id_, as_json=as_json)
