"""The commands for named operators, and for the audit log."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.options import Json, Yes, examples

Name = Annotated[str, typer.Argument(metavar="NAME", help="The operator's name, as the audit log shows it.")]
AUDIT = examples("ghl-bridge audit", "ghl-bridge audit --limit 500 --json")


def operator_commands() -> typer.Typer:
    """`operators`: named operators with roles."""
    group = typer.Typer(help="Operators with tokens of their own, roles, and limits to locations.", no_args_is_help=True)

    @group.command("list", epilog=examples("ghl-bridge operators list"))
    def list_(*, as_json: Json = False) -> None:
        """List the named operators with their roles and locations."""
        from bridge.cli import operators

        operators.list_all(as_json=as_json)

    @group.command(
        epilog=examples(
            "ghl-bridge operators add jane --role operate",
            "ghl-bridge operators add acme --role read --location ve9EPM428h8vShlRW1KT",
        )
    )
    def add(
        name: Name,
        *,
        role: Annotated[str, typer.Option("--role", help="read, operate or admin.")],
        location: Annotated[
            list[str] | None, typer.Option("--location", metavar="ID", help="Only this location; may be repeated.")
        ] = None,
        days: Annotated[int, typer.Option("--days", min=1, max=730, help="How long the token is valid.")] = 365,
        as_json: Json = False,
    ) -> None:
        """Add an operator and print its token, which is shown only once."""
        from bridge.cli import operators

        operators.add(name, role, tuple(location or ()), days=days, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge operators remove jane"))
    def remove(name: Name, *, yes: Yes = False, as_json: Json = False) -> None:
        """Remove an operator: its token and its logins end at once."""
        from bridge.cli import operators

        operators.remove(name, yes=yes, as_json=as_json)

    return group


def audit(
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many changes.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the newest changes by operators: who, when, what, and which ids."""
    from bridge.cli import operators

    operators.audit(limit=limit, as_json=as_json)
