"""The commands for locations, conversations and contacts. Each imports its implementation when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.list_commands import list_commands
from bridge.cli.location_look_commands import location_look_commands
from bridge.cli.options import Contact, ConversationOrContact, Id, Json, Location, New, OfLocation, Yes, examples


def location_commands() -> typer.Typer:
    """`locations`: the locations and their settings."""
    group = typer.Typer(help="The locations and their settings.", no_args_is_help=True)
    location_look_commands(group)

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
        """Add and replace the file's locations. If anything in the file is wrong, nothing is changed."""
        from bridge.cli import locations

        locations.apply(file, prune=prune, replace_unreadable=replace_unreadable, as_json=as_json)

    @group.command("list", epilog=examples("ghl-bridge locations list", "ghl-bridge locations list | cut -f 1"))
    def list_(*, as_json: Json = False) -> None:
        """List all locations."""
        from bridge.cli import locations

        locations.list_all(as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations show ve9EPM428h8vShlRW1KT"))
    def show(id_: Id, *, as_json: Json = False) -> None:
        """Show one location's settings; of tokens, only whether they are set."""
        from bridge.cli import locations

        locations.show(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations pause ve9EPM428h8vShlRW1KT"))
    def pause(id_: Id, *, as_json: Json = False) -> None:
        """Skip messages of this location until it is resumed."""
        from bridge.cli import locations

        locations.pause(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations resume ve9EPM428h8vShlRW1KT"))
    def resume(id_: Id, *, as_json: Json = False) -> None:
        """End a pause, a hold after refused logins (waiting messages are answered), or the stop after an uninstall."""
        from bridge.cli import locations

        locations.resume(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations template > new.toml"))
    def template(*, as_json: Json = False) -> None:
        """Print TOML to fill in for the locations that have the app but no settings yet."""
        from bridge.cli import locations

        locations.template(as_json=as_json)

    @group.command(epilog=examples("ghl-bridge locations remove ve9EPM428h8vShlRW1KT"))
    def remove(id_: Id, *, yes: Yes = False, as_json: Json = False) -> None:
        """Delete a location and its tokens; its waiting messages are skipped."""
        from bridge.cli import locations

        locations.remove(id_, yes=yes, as_json=as_json)

    return group


def conversation_commands() -> typer.Typer:
    """`conversations`: their state, and pauses."""
    group = typer.Typer(help="The state of conversations, and pauses.", no_args_is_help=True)
    list_commands(group)

    @group.command(epilog=examples("ghl-bridge conversations show PKEu8zYjN0oYkSbUE4bO"))
    def show(id_: ConversationOrContact, *, as_json: Json = False) -> None:
        """Show the state of a conversation: pause, takeover, opt-outs, waiting messages."""
        from bridge.cli import conversations

        conversations.show(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge conversations pause PKEu8zYjN0oYkSbUE4bO"))
    def pause(id_: ConversationOrContact, *, new: New = False, as_json: Json = False) -> None:
        """Skip messages of a conversation until it is resumed."""
        from bridge.cli import conversations

        conversations.pause(id_, new=new, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge conversations resume PKEu8zYjN0oYkSbUE4bO"))
    def resume(id_: ConversationOrContact, *, as_json: Json = False) -> None:
        """End a pause or a human takeover; messages that were skipped stay skipped."""
        from bridge.cli import conversations

        conversations.resume(id_, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge conversations undelivered --location ve9EPM428h8vShlRW1KT"))
    def undelivered(*, location: OfLocation = "", as_json: Json = False) -> None:
        """List replies that GHL accepted but that did not reach their contacts, newest first."""
        from bridge.cli import deliveries

        deliveries.list_undelivered(location=location, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge conversations replay 9fKQzVxWm3uTnR2sYpLd"))
    def replay(
        ids: Annotated[list[str], typer.Argument(metavar="REPLY", help="GHL's ids of the replies, as `undelivered` lists them.")],
        *,
        force: Annotated[bool, typer.Option("--force", help="Replay even if a newer turn of the contact was answered.")] = False,
        as_json: Json = False,
    ) -> None:
        """Send undelivered replies once more, with all guards."""
        from bridge.cli import deliveries

        deliveries.replay(tuple(ids), force=force, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge conversations handovers"))
    def handovers(*, location: OfLocation = "", as_json: Json = False) -> None:
        """List the contacts that wait for a person because the agent asked for one, the longest wait first."""
        from bridge.cli import conversations

        conversations.handovers(location, as_json=as_json)

    return group


def contact_commands() -> typer.Typer:
    """`contacts`: opt-outs, and erasing their data."""
    group = typer.Typer(help="Opt-outs of contacts, and erasing their data.", no_args_is_help=True)

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
        """Show a contact's opt-outs and state."""
        from bridge.cli import conversations

        conversations.show_contact(location, contact, as_json=as_json)

    @group.command(epilog=examples("ghl-bridge contacts allow ve9EPM428h8vShlRW1KT PKEu8zYjN0oYkSbUE4bO"))
    def allow(location: Location, contact: Contact, *, as_json: Json = False) -> None:
        """Lift a contact's opt-outs on every channel, as if it had written START."""
        from bridge.cli import conversations

        conversations.allow(location, contact, as_json=as_json)

    @group.command(
        epilog=examples(
            "ghl-bridge contacts erase ve9EPM428h8vShlRW1KT PKEu8zYjN0oYkSbUE4bO",
        )
    )
    def erase(location: Location, contact: Contact, *, yes: Yes = False, as_json: Json = False) -> None:
        """Permanently erase all data of a contact; its opt-outs still apply."""
        from bridge.cli import conversations

        conversations.erase(location, contact, yes=yes, as_json=as_json)

    return group
