"""Which follow-ups a command is asked about: the filter options, and the client that words name.

In: option values and words.  Out: the pipeline's Selection, and words that say it back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import click

from notesync.cli.session import AnyFunction, Session
from notesync.problems import UsageError
from notesync.sync.pipeline import Name, Selection, Workspace


class Filters(NamedTuple):
    """The filters as given: each empty for no filter."""

    owners: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()

    def scope(self, clients: Sequence[Name] = ()) -> str:
        """The filters in words, '' when there are none."""
        words = [name.name for name in clients]
        for what, values in zip(("owner", "kind", "stage"), self, strict=True):
            if values:
                words.append(f"{what} {' or '.join(values)}")
        return ", ".join(words)


def owner_option(function: AnyFunction) -> AnyFunction:
    """``--owner``, any number of times."""
    return click.option(
        "--owner", "owners", metavar="NAME", multiple=True, help="Only this owner's clients."
    )(function)


def stage_option(function: AnyFunction) -> AnyFunction:
    """``--stage``, any number of times."""
    return click.option(
        "--stage", "stages", metavar="STAGE", multiple=True, help="Only clients in this stage, like customer."
    )(function)


def _check_kinds(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    values = tuple(value.casefold() for value in values)
    if values:
        from notesync.followup.follow_up import KINDS

        for value in values:
            if value not in KINDS:
                raise click.BadParameter(f"'{value}' is no kind. The kinds are: {', '.join(KINDS)}.")
    return values


def kind_option(function: AnyFunction) -> AnyFunction:
    """``--kind``, any number of times."""
    return click.option(
        "--kind",
        "kinds",
        metavar="KIND",
        multiple=True,
        callback=_check_kinds,
        help="Only follow-ups of this kind, like promise.",
    )(function)


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--owner``, ``--kind`` and ``--stage``; each may be given several times, and any of them will do."""
    return owner_option(kind_option(stage_option(function)))


def select(filters: Filters, clients: Sequence[Name] = (), **wishes: Any) -> Selection:
    """The pipeline's selection for these filters and clients; ``wishes`` are its other fields."""
    return Selection(
        clients=tuple(client.key for client in clients),
        owners=filters.owners,
        kinds=filters.kinds,
        stages=filters.stages,
        **wishes,
    )


def tell_unknown(session: Session, workspace: Workspace, filters: Filters) -> None:
    """Name the owners and stages asked for that no client has: a slip must not look like a quiet day."""
    if not (filters.owners or filters.stages):
        return
    from unicodedata import normalize

    cards = workspace.cards(Selection())
    owners = [owner for card in cards for owner in card.owner]
    stages = [card.stage for card in cards]
    for what, wanted, found in (("owner", filters.owners, owners), ("stage", filters.stages, stages)):
        known = {normalize("NFC", word).casefold(): word for word in found}
        for wrong in (word for word in wanted if normalize("NFC", word).casefold() not in known):
            names = ", ".join(sorted(known.values())) or "none"
            session.tell(f"No client has the {what} '{wrong}'. The {what}s in the notes: {names}")


def complete_clients(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    """The clients' names, for a shell."""
    from notesync.cli.complete import complete_names

    return complete_names(ctx, incomplete)


def find_each(workspace: Workspace, wanted: Sequence[str]) -> list[Name]:
    """The clients that the words name, one for each.  Raises UsageError as :func:`find_one` does."""
    if not wanted:
        return []
    names = workspace.names()
    return [find_one(names, words) for words in wanted]


def find_one(names: Sequence[Name], wanted: str) -> Name:
    """The one client that ``wanted`` names; on a terminal an ambiguous one can be chosen.

    Raises UsageError, with the candidates when it is ambiguous, with the nearest when nobody is meant.
    """
    from notesync.followup.matching import find_clients, find_nearest

    found = find_clients(wanted, names)
    if len(found) == 1:
        return found[0]
    if not found:
        raise _unknown(wanted, find_nearest(wanted, names))
    from notesync.cli.asking import CHOICES, ask_which

    lines = [_describe(name) for name in found[:CHOICES]]
    more = f"... and {len(found) - CHOICES} more" if len(found) > CHOICES else ""
    chosen = ask_which(wanted, lines, more and f"{more}: give more of the name")
    if chosen is not None:
        return found[chosen]
    raise UsageError(
        f"ambiguous-client: '{wanted}' may be any of these. Give more of the name, or the file.\n"
        + "\n".join(f"  {line}" for line in [*lines, *filter(None, [more])])
    )


def _unknown(wanted: str, nearest: Sequence[Name]) -> UsageError:
    if not nearest:
        return UsageError(f"unknown-client: no client is called '{wanted}'. 'notesync clients' lists them.")
    return UsageError(
        f"unknown-client: no client is called '{wanted}'. The nearest:\n"
        + "\n".join(f"  {_describe(name)}" for name in nearest)
    )


def _describe(name: Name) -> str:
    return f"{name.name}{f' ({name.company})' if name.company else ''}: {name.path}"
