"""A verdict in, what a calendar needs of it out: who presses, and which cadences are held back.

The watcher keeps it and, after a save, has only the clients judged again whose rows changed: for one day what holds
of a client depends on that client's rows alone.  This module knows neither index nor events.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence, Set
from typing import NamedTuple, TypeVar

from notesync.followup.agenda import UPCOMING, Judged

Item = TypeVar("Item", "Pressing", Judged)


class Pressing(NamedTuple):
    """A follow-up whose day is over, or that has none: as much of its ``Judged`` as can be told without words.

    One whose hour has passed today is not late here, or the feed would have a clock.
    """

    order: int
    rank: int
    early: int
    modesty: float
    client: int
    follow_up: int


class Standing(NamedTuple):
    """What presses, in order, and keys of follow-ups, each with its client's.

    ``hidden`` are the cadences that stand behind another contact, ``moved`` those that stand on today instead of
    the day on which they opened.
    """

    pressing: list[Pressing]
    hidden: dict[int, int]
    moved: dict[int, int]

    def renew(self, clients: Set[int], new: Standing) -> Standing:
        """The same with what holds of these clients now."""
        pressing = [item for item in self.pressing if item.client not in clients]
        hidden, moved = (
            {key: client for key, client in known.items() if client not in clients}
            for known in (self.hidden, self.moved)
        )
        return Standing(sorted(pressing + new.pressing), hidden | new.hidden, moved | new.moved)

    def of(self, clients: Set[int]) -> Standing:
        """What of it is these clients'."""
        pressing = [item for item in self.pressing if item.client in clients]
        return Standing(
            pressing, self.hidden, {key: client for key, client in self.moved.items() if client in clients}
        )


def build_standing(judged: Sequence[Judged], hidden: dict[int, int], move_to: int | None) -> Standing:
    """What presses of these, with the cadences held back; ``move_to`` is the day on which all that is open stands."""
    pressing = [
        Pressing(item.order, item.rank, item.early, item.modesty, item.client, item.follow_up)
        for item in judged
        if is_pressing(item)
    ]
    moved = () if move_to is None else (item for item in judged if _has_stood(item, move_to))
    return Standing(sorted(pressing), hidden, {item.follow_up: item.client for item in moved})


def _has_stood(item: Judged, today: int) -> bool:
    """Whether it is open, and its event stands on a day before today (see ``calendar.find_day_shown``)."""
    timed = item.minute is not None and item.due is not None
    shown = item.due if timed or item.opens is None else item.opens
    return shown is not None and shown < today and item.status != UPCOMING


def sort_by_client(follow_ups: dict[int, int]) -> list[int]:
    """Keys of follow-ups, each with its client's, in the clients' order."""
    return [key for _, key in sorted((client, key) for key, client in follow_ups.items())]


def is_pressing(item: Judged) -> bool:
    """Whether its day is over, or it has none."""
    return item.early < 0 or (item.due is None and item.status != UPCOMING)


def find_likely(pressing: Iterable[Pressing], most: int) -> set[int]:
    """The clients who may be among the first ``most``: what presses alike only names can tell apart."""
    return _find_first(pressing, most, lambda item: item[:_ALIKE])


def find_first(pressing: Iterable[Judged], most: int) -> set[int]:
    """The first clients."""
    return _find_first(pressing, most, lambda item: item.follow_up)


_ALIKE = Pressing._fields.index("client")


def _find_first(items: Iterable[Item], most: int, find_rank: Callable[[Item], object]) -> set[int]:
    found: set[int] = set()
    last: object = None
    for item in items:
        rank = find_rank(item)
        if len(found) >= most and rank != last:
            break
        found.add(item.client)
        last = rank
    return found


def count_clients(pressing: Collection[Pressing]) -> tuple[int, int]:
    """How many clients have something whose day is over, and how many only what has none."""
    late = {item.client for item in pressing if item.early < 0}
    return len(late), len({item.client for item in pressing} - late)
