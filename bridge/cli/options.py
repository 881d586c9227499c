"""Arguments and options that several commands share, and examples for their help."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output, and nothing else.")]

Id = Annotated[str, typer.Argument(metavar="ID", help="The location's id.")]

Location = Annotated[str, typer.Argument(metavar="LOCATION", help="The location's id.")]

Contact = Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id.")]

ConversationOrContact = Annotated[str, typer.Argument(metavar="ID", help="The id of the conversation, or of its contact.")]

OfLocation = Annotated[str, typer.Option("--location", metavar="ID", help="Only this location.")]

DeadLetterIds = Annotated[list[str], typer.Argument(metavar="ID", help="The dead letters' ids.")]

DeadLetterId = Annotated[str, typer.Argument(metavar="ID", help="The dead letter's id.")]

OfCause = Annotated[str, typer.Option("--cause", metavar="ID", help="Only those of this cause; `causes` lists them.")]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]

New = Annotated[bool, typer.Option("--new", help="Accept an id that is not known here yet.")]


def examples(*lines: str) -> str:
    """The epilog of a command's help: one example per line."""
    return "\n\n".join(["Examples:", *lines])
