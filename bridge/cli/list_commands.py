"""The commands that list conversations and act on one or on a message. What a command needs is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.options import ConversationOrContact, Json, OfLocation, examples

Status = Annotated[
    str,
    typer.Option(
        "--status",
        help="waiting, answering, retrying, overdue, on_hold; or how a message ended: answered, replied, no_reply, "
        "delivered_by_provider, skipped, dead.",
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why it was skipped or got no reply, such as dnd.")]
Channel = Annotated[str, typer.Option("--channel", help="Such as SMS or WhatsApp.")]
Delivery = Annotated[str, typer.Option("--delivery", help="Outcome of the replies: accepted, delivered or undelivered.")]
Since = Annotated[str, typer.Option("--since", help="Only those of the last hours or days, such as 2h or 3d.")]
Day = Annotated[str, typer.Option("--day", help="A date, such as 2026-11-30, in the location's time zone.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many at most.")]
MessageId = Annotated[str, typer.Argument(metavar="ID", help="The message's id.")]
DraftId = Annotated[str, typer.Argument(metavar="ID", help="The draft's id: of the internal comment in GHL.")]

LIST = examples(
    "ghl-bridge conversations list --status skipped --reason human_takeover --since 2h",
    "ghl-bridge conversations list --location ve9EPM428h8vShlRW1KT --day 2026-11-30 --json",
)


def list_commands(group: typer.Typer) -> None:
    """`conversations list`, `conversations words` and `conversations try`."""

    @group.command("list", epilog=LIST)
    def list_(
        *,
        location: OfLocation = "",
        status: Status = "",
        reason: Reason = "",
        channel: Channel = "",
        delivery: Delivery = "",
        since: Since = "",
        day: Day = "",
        limit: Limit = 100,
        as_json: Json = False,
    ) -> None:
        """List conversations: those that wait oldest first, others newest first."""
        from bridge.cli import conversation_lists

        asked = {"location_id": location, "status": status, "reason": reason, "channel": channel, "delivery": delivery}
        conversation_lists.list_all({**asked, "since": since, "day": day}, most=limit, as_json=as_json)

    @group.command("words", epilog=examples("ghl-bridge conversations words PKEu8zYjN0oYkSbUE4bO"))
    def words(id_: ConversationOrContact, *, as_json: Json = False) -> None:
        """Show the newest message of a contact; the audit log records it."""
        from bridge.cli import conversation_lists

        conversation_lists.newest_words(id_, as_json=as_json)

    @group.command("try", epilog=examples("ghl-bridge conversations try PKEu8zYjN0oYkSbUE4bO"))
    def try_(id_: ConversationOrContact, *, as_json: Json = False) -> None:
        """Retry a conversation's waiting messages at once, with all guards."""
        from bridge.cli import conversation_lists

        conversation_lists.try_now(id_, as_json=as_json)


def message_commands() -> typer.Typer:
    """`messages`: answer one that was skipped, send a draft."""
    group = typer.Typer(help="Single messages: answer one that was skipped, send a draft.", no_args_is_help=True)

    @group.command(epilog=examples("ghl-bridge messages answer xBvB5Z3hOb8T1vJcQpMr"))
    def answer(id_: MessageId, *, as_json: Json = False) -> None:
        """Answer a skipped message; opt-outs, do-not-disturb and GHL's limits still apply."""
        from bridge.cli import conversation_lists

        conversation_lists.answer(id_, as_json=as_json)

    @group.command("send-draft", epilog=examples("ghl-bridge messages send-draft u0VqTfZ5nN8rW2yKdLsX"))
    def send_draft(id_: DraftId, *, as_json: Json = False) -> None:
        """Send a draft to the contact, with its current text in GHL."""
        from bridge.cli import conversation_lists

        conversation_lists.send_draft(id_, as_json=as_json)

    return group
