"""Every operation there is: what the admin API offers, in the order in which its document tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.operating import (
    auditing,
    contacts,
    conversations,
    dead_letters,
    examining,
    excerpts,
    explaining,
    installs,
    locations,
    overview,
    reading,
    reconciling,
    rotating,
    sending_test,
    watching,
)

if TYPE_CHECKING:
    from bridge.operating.operation import Operation

OPERATIONS: tuple[Operation[Any, Any], ...] = (
    locations.list_,
    locations.show,
    locations.apply,
    locations.pause,
    locations.resume,
    locations.remove,
    installs.unconfigured,
    reconciling.reconcile,
    dead_letters.list_,
    dead_letters.show,
    dead_letters.replay,
    dead_letters.drop,
    explaining.explain,
    conversations.show,
    conversations.pause,
    conversations.resume,
    contacts.show,
    contacts.allow,
    contacts.erase,
    reading.text,
    excerpts.text,
    overview.overview,
    watching.events,
    examining.examine,
    sending_test.plan,
    sending_test.send_test,
    rotating.rotate,
    auditing.audit,
)
