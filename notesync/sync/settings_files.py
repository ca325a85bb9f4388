"""The files that settings stand in, as bytes → the settings, what is wrong with them, and what the index keeps of them.

In: `notesync.yaml`, and what Obsidian's Templates and Tasks plugins are told.  Out: values.  Which of them are in
force, and since when, is the pipeline's business; this module knows no disk.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from notesync.followup.options import parse_settings
from notesync.followup.settings import Settings
from notesync.problems import Problem
from notesync.store.vault import SETTINGS_NAME


class SettingsRead(NamedTuple):
    """Settings, their problems, and what is to be remembered of them, by name.

    ``rules`` are other ones where rows that were made under other settings mean nothing any more.
    """

    settings: Settings
    problems: tuple[Problem, ...]
    rules: str
    values: dict[str, str]


def read_settings(files: Sequence[bytes]) -> SettingsRead:
    """The settings of these three files; one that is not there is empty."""
    ours, templates, tasks = files
    settings, problems = parse_settings(ours, SETTINGS_NAME)
    ignored = "\n".join((*settings.ignore, _template_folder(templates)))
    tasks_filter = _read_setting(tasks, "globalFilter").strip()
    rules = f"{settings.fingerprint()} {tasks_filter} {ignored}"
    values = {
        "settings": settings.to_json(),
        "settings_there": "yes" if ours else "",
        "zone": settings.timezone,
        "currency": settings.currency,
        "ignored": ignored,
        "tasks_filter": tasks_filter,
    }
    return SettingsRead(settings, (*problems, *_check_plans(settings)), rules, values)


def _check_plans(settings: Settings) -> tuple[Problem, ...]:
    """What is wrong with the settings' own plans; those of the package are right."""
    if not settings.plans:
        return ()
    from notesync.followup.plans import load_plans

    return load_plans(settings)[1]


def _template_folder(data: bytes) -> str:
    """The folder named in Obsidian's settings of its Templates plugin, ending in '/', or ''."""
    folder = _read_setting(data, "folder").strip("/")
    return folder and f"{folder}/"


def _read_setting(data: bytes, name: str) -> str:
    """A text of one of Obsidian's files of settings; '' where it holds none of that name."""
    try:
        found = json.loads(data).get(name)
    except (ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""
