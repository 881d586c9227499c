"""The commands for locations, their conversations and contacts. What a command needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.list_commands import list_commands
from bridge.cli.options import Contact, ConversationOrContact, Id, Json, Location, New, OfLocation, Yes, examples


def location_commands() -> typer.Typer:
    """`locations`: the locations and their settings."""
    group = typer.Typer(help="The locations and their settings.", no_args_is_help=True)

    @group.command(
        epilog=examples(
            "ghl-bridge locations apply locations.toml",
            "ghl-bridge locations template > new.toml",
            "BRIDGE_URL=https://bridge.example BRIDGE_ADMIN_TOKEN=... ghl-bridge locations apply locations.toml",
        )
    )
    def apply(
        file: Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file; - reads standard input.", allow_dash=True)],
        *,
        prune: Annotated[bool, typer.Option("--prune", help="Remove the locations that are not in the file.")] = False,
        replace_unreadable: Annotated[
            bool,
            typer.Option(
                "--replace-unreadable", help="Overwrite stored secrets that can't be decrypted because their key is lost."
            ),
        ] = False,
        as_json: Json = False,
    ) -> None:
        """Add and replace the file's locations; nothing is changed if any of it is wrong."""
        from bridge.cli import locations

        locations.apply(file, prune=prune, replace_unreadable=replace_unreadable, as_json=as_json)

    @group.command("list", epilog=examples("ghl-bridge locations list", "ghl-bridge locations list | cut -f 1"))
    def list_(*, as_json: Json = False) -> None:
        """List all locations."""
        from bridge.cli import locations

        locations.list_all(as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations show ve9EPM428h8vShlRW1KT"))
    def show(id_: Id, *, as_json: Json = False) -> None:
        """Show one location's settings; tokens are only said to be set."""
        from bridge.cli import locations

        locations.show(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations pause ve9EPM428h8vShlRW1KT"))
    def pause(id_: Id, *, as_json: Json = False) -> None:
        """Skip what comes for this location, until it is resumed."""
        from bridge.cli import locations

        locations.pause(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations resume ve9EPM428h8vShlRW1KT"))
    def resume(id_: Id, *, as_json: Json = False) -> None:
        """End a pause, a hold after refused logins (what waited is answered), or the stop after an uninstall."""
        from bridge.cli import locations

        locations.resume(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations template > new.toml"))
    def template(*, as_json: Json = False) -> None:
        """Print the TOML for locations that have the app and no settings yet, ready to fill in and apply."""
        from bridge.cli import locations

        locations.template(as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations remove ve9EPM428h8vShlRW1KT"))
    def remove(id_: Id, *, yes: Yes = False, as_json: Json = False) -> None:
        """Forget a location and its tokens; what waits for it is skipped."""
        from bridge.cli import locations

        locations.remove(id_, yes=yes, as_json=as_json)

    return group


def conversation_commands() -> typer.Typer:
    """`conversations`: how they stand, and pauses."""
    group = typer.Typer(help="How conversations stand, and pauses.", no_args_is_help=True)
    list_commands(group)

    @group.command(epilog=examples("ghl-bridge conversations show PKEu8zYjN0oYkSbUE4bO"))
    def show(id_: ConversationOrContact, *, as_json: Json = False) -> None:
        """Show how a conversation stands: paused, taken over by a human, stopped by its contact, waiting."""
        from bridge.cli import conversations

        conversations.show(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge conversations pause PKEu8zYjN0oYkSbUE4bO"))
    def pause(id_: ConversationOrContact, *, new: New = False, as_json: Json = False) -> None:
        """Skip what comes in a conversation, until it is resumed."""
        from bridge.cli import conversations

        conversations.pause(id_, new=new, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge conversations resume PKEu8zYjN0oYkSbUE4bO"))
    def resume(id_: ConversationOrContact, *, as_json: Json = False) -> None:
        """End a pause, and a human takeover; what was skipped meanwhile stays skipped."""
        from bridge.cli import conversations

        conversations.resume(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge conversations undelivered --location ve9EPM428h8vShlRW1KT"))
    def undelivered(*, location: OfLocation = "", as_json: Json = False) -> None:
        """List replies that GHL took and that did not reach their contacts, newest first."""
        from bridge.cli import deliveries

        deliveries.list_undelivered(location=location, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge conversations handovers"))
    def handovers(*, location: OfLocation = "", as_json: Json = False) -> None:
        """List the contacts that wait for a person because the agent asked for one, the longest wait first."""
        from bridge.cli import conversations

        conversations.handovers(location, as_json=as_json)

    return group


def contact_commands() -> typer.Typer:
    """`contacts`: what they have stopped, and how they are erased."""
    group = typer.Typer(help="Opt-outs of contacts.", no_args_is_help=True)

    @group.command(epilog=examples("ghl-bridge contacts find 'jane doe'", "ghl-bridge contacts find +15551234567"))
    def find(
        text: Annotated[str, typer.Argument(metavar="TEXT", help="Words of a name, a phone number, or an e-mail address.")],
        *,
        location: OfLocation = "",
        as_json: Json = False,
    ) -> None:
        """Find contacts by name, phone number or e-mail address."""
        from bridge.cli import conversation_lists

        conversation_lists.find_contacts(text, location=location, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge contacts show ve9EPM428h8vShlRW1KT PKEu8zYjN0oYkSbUE4bO"))
    def show(location: Location, contact: Contact, *, as_json: Json = False) -> None:
        """Show what a contact has stopped, and what is known of it."""
        from bridge.cli import conversations

        conversations.show_contact(location, contact, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge contacts allow ve9EPM428h8vShlRW1KT PKEu8zYjN0oYkSbUE4bO"))
    def allow(location: Location, contact: Contact, *, as_json: Json = False) -> None:
        """Lift a contact's stops on every channel, as if it had written START."""
        from bridge.cli import conversations

        conversations.allow(location, contact, as_json=as_json)

    @group.command(
        epilog=examples(
            "ghl-bridge contacts erase ve9EPM428h8vShlRW1KT PKEu8zYjN0oYkSbUE4bO",
        )
    )
    def erase(location: Location, contact: Contact, *, yes: Yes = False, as_json: Json = False) -> None:
        """Remove everything kept of a contact, at once and for good; what it has stopped stays stopped."""
        from bridge.cli import conversations

        conversations.erase(location, contact, yes=yes, as_json=as_json)

    return group
