"""`ghl-bridge locations overview`, `check-provider` and `export`."""

from __future__ import annotations

from bridge.cli.context import operations
from bridge.cli.output import print_json, print_table, working
from bridge.errors import DidNotWork
from bridge.operating.location_export import ExportQuery
from bridge.operating.location_export import export as export_file
from bridge.operating.location_overview import LocationOverviewQuery
from bridge.operating.location_overview import overview as look_over
from bridge.operating.provider_check import ProviderQuery
from bridge.operating.provider_check import check_provider as ask_provider
from bridge.times import span


def overview(id_: str, *, as_json: bool) -> None:
    """Print one location's problems and numbers. Raises WrongInput if it is not known."""
    shown = operations()(look_over, LocationOverviewQuery(id_))
    if as_json:
        print_json(shown)
        return
    for trouble in shown.troubles:
        print(f"{trouble.name}: {trouble.says} `{trouble.command}`")
    work = ("waiting", "answering", "retrying", "held")
    rows = [(f"conversations {name}", str(getattr(shown, name))) for name in work]
    rows += [("oldest overdue", span(shown.oldest_overdue_seconds) if shown.oldest_overdue_seconds else "none")]
    rows += [(f"messages {name.replace('_', ' ')}", str(count)) for name, count in shown.messages.items()]
    rows += [(name.replace("_", " "), str(getattr(shown, name))) for name in ("dead_letters", "undelivered", "handovers")]
    print_table(("", ""), rows)


def export(id_: str, *, as_json: bool) -> None:
    """Print a locations file of one location, or of all. Raises WrongInput if the location is not known."""
    exported = operations()(export_file, ExportQuery(location_id=id_))
    if as_json:
        print_json(exported)
        return
    print(exported.toml, end="")


def check_provider(id_: str, *, as_json: bool) -> None:
    """Print the completion service's answer. Raises DidNotWork, after printing, if it is unusable."""
    with working("asking the completion service"):
        checked = operations()(ask_provider, ProviderQuery(id_))
    if as_json:
        print_json(checked)
    else:
        print(f"{checked.says}, after {span(checked.seconds)}" if checked.ok else f"{checked.provider}: {checked.says}")
        for text in (checked.answer, checked.service_said):
            if text:
                print(text)
    if not checked.ok:
        raise DidNotWork("the completion service gave no usable answer")
