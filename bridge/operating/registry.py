"""Every operation, in the order of the admin API's document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.operating import (
    audit,
    contacts,
    conversation_lists,
    conversations,
    dead_letter_causes,
    dead_letters,
    deliveries,
    events,
    excerpts,
    explain,
    handovers,
    installs,
    interventions,
    key_rotation,
    location_export,
    location_overview,
    locations,
    message_text,
    overview,
    people,
    provider_check,
    reconcile,
    resending,
)
from bridge.operating.doctor import end_to_end, installation

if TYPE_CHECKING:
    from bridge.operating.operation import Operation

OPERATIONS: tuple[Operation[Any, Any], ...] = (
    locations.list_,
    locations.show,
    locations.apply,
    locations.pause,
    locations.resume,
    locations.remove,
    location_overview.overview,
    location_export.export,
    provider_check.check_provider,
    installs.unconfigured,
    reconcile.reconcile,
    dead_letters.list_,
    dead_letter_causes.causes,
    dead_letters.show,
    dead_letters.replay,
    dead_letters.drop,
    explain.explain,
    conversation_lists.list_,
    conversations.show,
    conversations.pause,
    conversations.resume,
    interventions.try_now,
    interventions.answer,
    interventions.send_draft,
    deliveries.undelivered,
    resending.replay_undelivered,
    handovers.list_,
    people.find,
    contacts.show,
    contacts.allow,
    contacts.erase,
    message_text.text,
    excerpts.text,
    overview.overview,
    events.events,
    installation.examine,
    end_to_end.plan,
    end_to_end.send_test,
    key_rotation.rotate,
    audit.audit,
)
