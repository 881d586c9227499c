"""The judgement: the outcome of every message, by the simulator's record alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from tests.soak.plan import MARK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A contact's message: its ids, and when (s) it was written and its webhook first accepted."""

    mark: str
    contact_id: str
    message_id: str
    at: float
    accepted_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The messages' marks by outcome. `strays` are posts that quote no message of their contact."""

    written: int
    accepted: int
    replied: int
    recorded: tuple[str, ...]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    reordered: tuple[str, ...]
    strays: int

    @property
    def is_clean(self) -> bool:
        """Whether every guarantee holds."""
        return not (self.lost or self.doubled or self.reordered or self.strays)


def judge(written: Sequence[Written], posts: Mapping[str, Sequence[str]], recorded: Collection[str]) -> Verdict:
    """Compare the messages with the posts of each contact; `recorded` names messages whose outcome says why there is no reply."""
    own: dict[str, list[Written]] = {}
    for one in written:
        own.setdefault(one.contact_id, []).append(one)
    quoted = {contact: _quoted(posts.get(contact, ()), {one.mark for one in ones}) for contact, ones in own.items()}
    times = Counter(mark for marks in quoted.values() for mark in marks)
    accepted = [one.mark for one in written if one.accepted_at is not None]
    unreplied = [mark for mark in accepted if not times[mark]]
    return Verdict(
        written=len(written),
        accepted=len(accepted),
        replied=len(accepted) - len(unreplied),
        recorded=tuple(mark for mark in unreplied if mark in recorded),
        lost=tuple(mark for mark in unreplied if mark not in recorded),
        doubled=tuple(mark for mark, count in times.items() if count > 1),
        reordered=tuple(mark for contact, ones in own.items() for mark in _overtaken(ones, quoted[contact])),
        strays=sum(
            not _quoted([text], {one.mark for one in own.get(contact, ())}) for contact, texts in posts.items() for text in texts
        ),
    )


def _quoted(texts: Iterable[str], own: Collection[str]) -> list[str]:
    return [mark for text in texts for mark in MARK.findall(text) if mark in own]


def _overtaken(ones: Sequence[Written], quoted: Sequence[str]) -> list[str]:
    """The messages answered after a later one, although they were accepted before that one was written."""
    place = {mark: index for index, mark in reversed(list(enumerate(quoted)))}
    replied = [one for one in ones if one.mark in place]
    overtaken = [
        earlier.mark
        for earlier, later in combinations(replied, 2)
        if earlier.accepted_at is not None and earlier.accepted_at < later.at and place[later.mark] < place[earlier.mark]
    ]
    return list(dict.fromkeys(overtaken))
