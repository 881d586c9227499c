"""The commands. Each imports its implementation when it runs, so that `--help` is fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.dead_letter_commands import dead_letter_commands
from bridge.cli.list_commands import message_commands
from bridge.cli.location_commands import contact_commands, conversation_commands, location_commands
from bridge.cli.operator_commands import AUDIT, audit, operator_commands
from bridge.cli.options import Json, OfLocation, examples

HELP = "Answer GoHighLevel conversations with an AI agent: nothing lost, nothing sent twice, always a reason."
EPILOG = "\n\n".join([
    "Settings are environment variables; those that are not set are read from the file .env in the current folder.",
    "Commands act on the Redis of REDIS_URL, or on the server of BRIDGE_URL (with BRIDGE_ADMIN_TOKEN).",
    "ghl-bridge --install-completion lets the Tab key complete commands in bash, zsh, fish and PowerShell.",
    "Exit codes: 0 done, 1 failed, 2 wrong input, 78 wrong settings.",
    examples(
        "ghl-bridge demo                          # answer one simulated message",
        "ghl-bridge doctor                        # find problems, and how to fix them",
        "ghl-bridge explain ID                    # show why there was this reply, or none",
        "ghl-bridge dead-letters replay --all     # after the cause is fixed",
    ),
])  # fmt: skip

DOCTOR = examples(
    "ghl-bridge doctor",
    "ghl-bridge doctor --location ve9EPM428h8vShlRW1KT --send-test PKEu8zYjN0oYkSbUE4bO",
)
EXPLAIN = examples("ghl-bridge explain PKEu8zYjN0oYkSbUE4bO", "ghl-bridge explain PKEu8zYjN0oYkSbUE4bO --json")

DEMO = examples("ghl-bridge demo", "ghl-bridge demo --once", "PORT=8000 ghl-bridge demo")
UP = examples("ghl-bridge up", "PORT=8001 HOST=0.0.0.0 ghl-bridge up", "REDIS_URL=redis://127.0.0.1:6379/0 ghl-bridge up")
SIMULATOR = examples("ghl-bridge simulator --port 9000")
RECONCILE = examples("ghl-bridge reconcile", "ghl-bridge reconcile --location ve9EPM428h8vShlRW1KT --since 2h --dry-run")
REPORT = examples(
    "ghl-bridge report --location ve9EPM428h8vShlRW1KT --period month --day 2026-11-01",
    "ghl-bridge report --csv > week.csv",
)
BACKUP = examples("ghl-bridge backup /backups/2026-11-30")
MOVE = examples("ghl-bridge move new-redis-url.txt")


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="ghl-bridge",
        help=HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        epilog=EPILOG,
    )
    app.callback()(everything)
    app.command(epilog=DEMO)(demo)
    app.command(epilog=UP)(up)
    app.command(epilog=SIMULATOR)(simulator)
    app.command(epilog=DOCTOR)(doctor)
    app.command(epilog=EXPLAIN)(explain)
    app.command(epilog=REPORT)(report)
    app.command(epilog=RECONCILE)(reconcile)
    app.command(epilog=BACKUP)(backup)
    app.command(epilog=MOVE)(move)
    app.add_typer(location_commands(), name="locations")
    app.add_typer(conversation_commands(), name="conversations")
    app.add_typer(message_commands(), name="messages")
    app.add_typer(contact_commands(), name="contacts")
    app.add_typer(dead_letter_commands(), name="dead-letters")
    app.add_typer(operator_commands(), name="operators")
    app.command(epilog=AUDIT)(audit)
    app.add_typer(_secrets(), name="secrets")
    return app


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"ghl-bridge {version('ghl-bridge')}")
        raise typer.Exit


def everything(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Handle the options before a command."""
    del version


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Stop after the first reply; exit code 1 if none came in 60 s.")] = False,
) -> None:
    """Run everything on this machine with a simulated GHL and completion service, and answer one message."""
    from bridge.cli.demo import run

    run(once=once)


def up() -> None:
    """Run Redis (unless REDIS_URL is set), receiver and worker on this machine, until Ctrl-C."""
    from bridge.cli.up import run

    run()


def simulator(
    port: Annotated[int, typer.Option(help="The port to listen on; 0 chooses a free one.")] = 0,
    webhook_url: Annotated[str, typer.Option(help="The address to send webhooks to.")] = "http://127.0.0.1:8000/webhooks/ghl",
) -> None:
    """Run only the simulated GHL and completion services, until Ctrl-C."""
    from bridge.cli.up import run_simulator

    run_simulator(port=port, webhook_url=webhook_url)


def doctor(
    *,
    location: Annotated[
        str, typer.Option(metavar="ID", help="Check only this location, including whether its tokens work.")
    ] = "",
    send_test: Annotated[
        str,
        typer.Option(metavar="CONTACT", help="Test end to end with this contact; the answer becomes an internal comment."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Find missing settings and unreachable services, and say what to do about each."""
    from bridge.cli.doctor import run

    run(location=location, contact=send_test, as_json=as_json)


def explain(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The id of a message, reply, conversation or contact.")],
    *,
    as_json: Json = False,
) -> None:
    """Show why there was this reply, or none."""
    from bridge.cli.explain import run

    run(id_, as_json=as_json)


def report(
    *,
    location: OfLocation = "",
    period: Annotated[str, typer.Option("--period", help="day, week or month.")] = "week",
    day: Annotated[str, typer.Option("--day", help="A day of that period, such as 2026-11-30; today if absent.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: Json = False,
) -> None:
    """Report messages, answers, times to reply, tokens and cost of a location or of all."""
    from bridge.cli.report import run

    run({"location_id": location, "period": period, "day": day}, as_csv=as_csv, as_json=as_json)


def reconcile(
    *,
    location: Annotated[str, typer.Option(metavar="ID", help="Only this location.")] = "",
    since: Annotated[
        str, typer.Option(help="How far back to search, for example 2h; at most 6d. May be before the location was applied.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show which messages it would accept; change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Find inbound messages in GHL whose webhook never arrived, and accept them."""
    from bridge.cli.reconcile import run

    run(location=location, since=since, dry_run=dry_run, as_json=as_json)


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder for the copy; it must be empty or new.")],
    *,
    as_json: Json = False,
) -> None:
    """Copy Redis' files while it runs, and start a server on the copy to check it. Run this on Redis' machine."""
    from bridge.cli.backup import run

    run(folder, as_json=as_json)


def move(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A file with the URL of the new Redis; - reads standard input.", allow_dash=True),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Move the state of REDIS_URL into another Redis, such as a cluster. Stop every receiver and worker first."""
    from bridge.cli.move import run

    run(file, as_json=as_json)


def _secrets() -> typer.Typer:
    group = typer.Typer(help="The secrets that an install needs.", no_args_is_help=True)

    @group.command(epilog=examples("ghl-bridge secrets new >> .env"))
    def new(*, as_json: Json = False) -> None:
        """Print new values for BRIDGE_SECRET_KEY, BRIDGE_ADMIN_TOKEN and BRIDGE_WORKFLOW_SECRET, as an environment file."""
        from bridge.cli.secrets import print_new

        print_new(as_json=as_json)

    @group.command(epilog=examples("BRIDGE_SECRET_KEY=NEW,OLD ghl-bridge secrets rotate"))
    def rotate(*, as_json: Json = False) -> None:
        """Re-encrypt all stored secrets with the newest key of BRIDGE_SECRET_KEY. May be run repeatedly."""
        from bridge.cli.secrets import rotate_all

        rotate_all(as_json=as_json)

    return group
