"""Which commands there are. What a command needs is imported when it runs, so that `--help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, and nothing else there.")]

ConversationOrContact = Annotated[str, typer.Argument(metavar="ID", help="Of the conversation, or of its contact.")]

Location = Annotated[str, typer.Argument(metavar="LOCATION", help="The location's id.")]

Contact = Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id.")]

OfLocation = Annotated[str, typer.Option("--location", help="Only those of this location.")]


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="ghl-bridge",
        help="Answers GoHighLevel conversations with an AI agent: nothing lost, nothing twice, and always a reason.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=True,
    )
    app.command()(demo)
    app.command()(up)
    app.command()(simulator)
    app.command()(doctor)
    app.command()(explain)
    app.add_typer(_locations(), name="locations")
    app.add_typer(_conversations(), name="conversations")
    app.add_typer(_contacts(), name="contacts")
    app.add_typer(_dead_letters(), name="dead-letters")
    app.add_typer(_secrets(), name="secrets")
    return app


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Stop after the first reply; exit code 1 if none came in 60 s.")] = False,
) -> None:
    """Start everything on this machine, with a simulated GHL and completion service, and show one message get its reply."""
    from bridge.cli.demo import run

    run(once=once)


def up() -> None:
    """Start Redis (unless REDIS_URL is set), receiver and worker on this machine, until Ctrl-C."""
    from bridge.cli.up import run

    run()


def simulator(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    webhook_url: Annotated[str, typer.Option(help="Where its webhooks go.")] = "http://127.0.0.1:8000/webhooks/ghl",
) -> None:
    """Start the simulated GHL and completion services alone, until Ctrl-C."""
    from bridge.cli.up import run_simulator

    run_simulator(port=port, webhook_url=webhook_url)


def doctor(
    *,
    location: Annotated[str, typer.Option(metavar="ID", help="Look at this location only, its logins included.")] = "",
    send_test: Annotated[
        str, typer.Option(metavar="CONTACT", help="Go the whole way with this contact, up to a comment that only staff see.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Name every missing setting and every service that can't be reached, and what to do about it."""
    from bridge.cli.doctor import run

    run(location=location, contact=send_test, as_json=as_json)


def explain(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A message, conversation or contact id, or the id of a reply.")],
    *,
    as_json: Json = False,
) -> None:
    """Tell why there was this reply, or none."""
    from bridge.cli.explain import run

    run(id_, as_json=as_json)


def _locations() -> typer.Typer:
    group = typer.Typer(help="The locations and their settings.", no_args_is_help=True)

    @group.command()
    def apply(
        file: Annotated[Path, typer.Argument(help="A TOML file; - reads standard input.", allow_dash=True)],
        *,
        prune: Annotated[bool, typer.Option("--prune", help="Remove the locations that are not in the file.")] = False,
        as_json: Json = False,
    ) -> None:
        """Add and replace the file's locations; nothing is changed if any of it is wrong."""
        from bridge.cli import locations

        locations.apply(file, prune=prune, as_json=as_json)

    @group.command("list")
    def list_(*, as_json: Json = False) -> None:
        """List all locations."""
        from bridge.cli import locations

        locations.list_all(as_json=as_json)

    @group.command()
    def show(id_: Annotated[str, typer.Argument(metavar="ID")], *, as_json: Json = False) -> None:
        """Show one location's settings; tokens are only said to be set."""
        from bridge.cli import locations

        locations.show(id_, as_json=as_json)

    @group.command()
    def pause(id_: Annotated[str, typer.Argument(metavar="ID")]) -> None:
        """Skip what comes for this location, until it is resumed."""
        from bridge.cli import locations

        locations.pause(id_)

    @group.command()
    def resume(id_: Annotated[str, typer.Argument(metavar="ID")]) -> None:
        """End a pause, a hold after refused logins (what waited is answered), or the stop after an uninstall."""
        from bridge.cli import locations

        locations.resume(id_)

    @group.command()
    def template(*, as_json: Json = False) -> None:
        """Print the TOML for locations that have the app and no settings yet, ready to fill in and apply."""
        from bridge.cli import locations

        locations.template(as_json=as_json)

    @group.command()
    def remove(id_: Annotated[str, typer.Argument(metavar="ID")]) -> None:
        """Forget a location and its tokens; what waits for it is skipped."""
        from bridge.cli import locations

        locations.remove(id_)

    return group


def _conversations() -> typer.Typer:
    group = typer.Typer(help="How conversations stand, and pauses.", no_args_is_help=True)

    @group.command()
    def show(id_: ConversationOrContact, *, as_json: Json = False) -> None:
        """Show how a conversation stands: paused, taken over by a human, stopped by its contact, waiting."""
        from bridge.cli import conversations

        conversations.show(id_, as_json=as_json)

    @group.command()
    def pause(id_: ConversationOrContact, *, as_json: Json = False) -> None:
        """Skip what comes in a conversation, until it is resumed."""
        from bridge.cli import conversations

        conversations.pause(id_, as_json=as_json)

    @group.command()
    def resume(id_: ConversationOrContact, *, as_json: Json = False) -> None:
        """End a pause, and a human takeover; what was skipped meanwhile stays skipped."""
        from bridge.cli import conversations

        conversations.resume(id_, as_json=as_json)

    return group


def _contacts() -> typer.Typer:
    group = typer.Typer(help="What contacts have stopped.", no_args_is_help=True)

    @group.command()
    def show(location: Location, contact: Contact, *, as_json: Json = False) -> None:
        """Show what a contact has stopped, and what is known of it."""
        from bridge.cli import conversations

        conversations.show_contact(location, contact, as_json=as_json)

    @group.command()
    def allow(location: Location, contact: Contact, *, as_json: Json = False) -> None:
        """Lift a contact's stops on every channel, as if it had written START."""
        from bridge.cli import conversations

        conversations.allow(location, contact, as_json=as_json)

    @group.command()
    def erase(location: Location, contact: Contact, *, as_json: Json = False) -> None:
        """Remove everything kept of a contact, at once and for good; what it has stopped stays stopped."""
        from bridge.cli import conversations

        conversations.erase(location, contact, as_json=as_json)

    return group


def _dead_letters() -> typer.Typer:
    group = typer.Typer(help="Turns that did not pass by themselves.", no_args_is_help=True)

    @group.command("list")
    def list_(*, location: OfLocation = "", as_json: Json = False) -> None:
        """List the open ones, oldest first."""
        from bridge.cli import dead_letters

        dead_letters.list_all(location=location, as_json=as_json)

    @group.command()
    def show(id_: Annotated[str, typer.Argument(metavar="ID")], *, as_json: Json = False) -> None:
        """Show one, with the timeline of its conversation."""
        from bridge.cli import dead_letters

        dead_letters.show(id_, as_json=as_json)

    @group.command()
    def replay(
        ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...")] = None,
        *,
        every: Annotated[bool, typer.Option("--all", help="All open ones.")] = False,
        location: OfLocation = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be replayed, and change nothing.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Even if a newer turn of the contact was answered.")] = False,
        as_json: Json = False,
    ) -> None:
        """Run them the whole way again, guards included; what was sent is never sent again."""
        from bridge.cli import dead_letters

        dead_letters.replay(tuple(ids or ()), every=every, location=location, dry_run=dry_run, force=force, as_json=as_json)

    @group.command()
    def drop(ids: Annotated[list[str], typer.Argument(metavar="ID...")], *, as_json: Json = False) -> None:
        """Close them for good: their messages are skipped, with the reason dropped."""
        from bridge.cli import dead_letters

        dead_letters.drop(tuple(ids), as_json=as_json)

    return group


def _secrets() -> typer.Typer:
    group = typer.Typer(help="The secrets that an install needs.", no_args_is_help=True)

    @group.command()
    def new() -> None:
        """Print fresh values for BRIDGE_SECRET_KEY, BRIDGE_ADMIN_TOKEN and BRIDGE_WORKFLOW_SECRET."""
        from bridge.cli.secrets import print_new

        print_new()

    @group.callback()
    def callback() -> None:
        """Keep `new` a subcommand while it is the only one."""

    return group
