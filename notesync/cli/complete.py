"""What a shell may complete: clients, steps, tasks; asked at each press of Tab, so fast, and silent on any error.

In: the words typed so far.  Out: click's completions.  The index is asked as it stands: no note is looked for, and
before the first ``check`` nothing is known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr
from typing import TypeVar

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from notesync.cli.session import Session
from notesync.followup.choosing import MARKS, Choice, list_choices, list_steps
from notesync.followup.matching import find_clients, fold
from notesync.publish.text import clean
from notesync.sync.pipeline import Workspace

Found = TypeVar("Found")

# click's own script puts a name with a blank into the command line as two words.  What a shared note says must not
# run as a command, within quotes neither.
_BASH = r"""%(complete_func)s() {
    local IFS=$'\n' line value sign quoted=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    while read -r line; do
        value=${line#*,}
        [[ -n $value ]] || continue
        case $quoted in
            \"*) for sign in '\' '"' '$' '`'; do value=${value//"$sign"/"\\$sign"}; done ;;
            \'*) value=${value//"'"/"'\\''"} ;;
            *) printf -v value '%%q' "$value" ;;
        esac
        COMPREPLY+=("$value")
    done < <(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" %(complete_var)s=bash_complete "$1" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 0 ]]; then compopt -o default 2>/dev/null; fi
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class QuotingBash(BashComplete):
    """Completion for bash that quotes what it puts into the line."""

    source_template = _BASH


def register() -> None:
    """Have click know our script for bash."""
    add_completion_class(QuotingBash)


def complete_names(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """The clients whose name begins with what was typed, else the one whose name, alias, file or company has it."""

    def find(workspace: Workspace) -> Iterator[tuple[str, str]]:
        for name in workspace.names():
            file = name.path.rpartition("/")[2].removesuffix(".md")
            yield name.name, " ".join((name.name, *name.aliases, file, name.company))

    return _choose(_ask(ctx, find), incomplete)


def complete_tags(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """The tags of the client's open steps, then of all others."""

    def find(workspace: Workspace) -> Iterator[str]:
        mine = _list_work(ctx, workspace)
        for choice in (*mine, *list_steps(workspace.plans())):
            yield choice.tag
        yield from MARKS

    wanted = incomplete.lstrip("#").casefold()
    return _as_items(tag for tag in _ask(ctx, find) if tag and tag.startswith(wanted))


def complete_work(ctx: click.Context, incomplete: str, *, tasks_only: bool = False) -> list[CompletionItem]:
    """The client's open steps and tasks: steps by their tags, tasks by their words."""

    def find(workspace: Workspace) -> Iterator[tuple[str, str]]:
        for choice in _list_work(ctx, workspace):
            if choice.task is not None or not tasks_only:
                yield choice.title if choice.task is not None else choice.tag, choice.title

    return _choose(_ask(ctx, find), incomplete)


def complete_copies(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """The notes that have conflict copies, then the copies."""

    def find(workspace: Workspace) -> Iterator[tuple[str, str]]:
        copies = workspace.find_copies()
        for path in dict.fromkeys([*(copy.original for copy in copies), *(copy.path for copy in copies)]):
            yield path, path

    return _choose(_ask(ctx, find), incomplete)


def _choose(found: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    """What begins with the word; else what has it somewhere, if that is one alone.

    Of several such a shell would put what they begin with in place of the word.
    """
    known = [(shown, f"{shown} {words}") for shown, words in found]
    wanted = fold(incomplete) if incomplete.strip() else ""
    begins = [shown for shown, _ in known if fold(shown).startswith(wanted)]
    others = dict.fromkeys(shown for shown, words in known if wanted in fold(words))
    return _as_items(begins or (others if len(others) == 1 else ()))


def _list_work(ctx: click.Context, workspace: Workspace) -> list[Choice]:
    client = ctx.params.get("client")
    found = find_clients(str(client), workspace.names()) if client else []
    if len(found) != 1:
        return []
    from notesync.sync.client_note import find_client, read_history

    known = find_client(workspace, found[0].key)
    _, progress = read_history(workspace, found[0].key)
    return list_choices(known, progress, workspace.moment.day)


def _ask(ctx: click.Context, question: Callable[[Workspace], Iterable[Found]]) -> list[Found]:
    """The answer of an index as it stands; nothing where anything is wrong."""
    session = ctx.find_object(Session) or Session()
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        try:
            with session.open() as workspace:
                return list(question(workspace))
        except Exception:
            return []


def _as_items(words: Iterable[str]) -> list[CompletionItem]:
    """One for each, on one line, with nothing in it that a terminal would obey."""
    shown = (clean(" ".join(word.split())) for word in words)
    return [CompletionItem(line) for line in dict.fromkeys(shown) if line]
