"""`ghl-bridge explain`: a timeline as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.context import operations
from bridge.cli.output import console, print_json
from bridge.operating.explain import ExplainQuery, explain
from bridge.operating.sentences import in_words

if TYPE_CHECKING:
    from bridge.operating.explain import Explained


def run(id_: str, *, as_json: bool) -> None:
    """Print the timeline of the contact that an id belongs to. Raises WrongInput if the id is not known."""
    explained = operations()(explain, ExplainQuery(id_))
    if as_json:
        print_json(explained)
        return
    tell(explained)


def tell(told: Explained) -> None:
    """Print a timeline as sentences, one line per step."""
    for line in in_words(told):
        console().print(line, markup=False, soft_wrap=True)
