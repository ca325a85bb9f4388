"""The settings of a vault as values, with their defaults: what the rules and everything after them read.

In: values by name.  Out: :class:`Settings`, whose values are plain text, numbers, tuples and dicts.  How
`notesync.yaml` gives them is in ``options``.  This module knows no YAML, no disk and no clock, and imports next to
nothing: `check` loads it for settings that were read before (:meth:`Settings.from_json`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    from notesync.followup.work_calendar import WorkCalendar

SETTINGS_FILE = "notesync.yaml"
_NOTHING: dict[str, Any] = {}  # never changed, as no value here is
_MINUTES = {"customer": 20}


class Owner(NamedTuple):
    """A rep as the settings name one; ``days_off`` are inclusive ranges of ISO days."""

    email: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()
    best_time: str = ""
    backup: str = ""
    days_off: tuple[tuple[str, str], ...] = ()


class Settings:
    """All settings, each an attribute of its key's name (``calendar.path`` is ``calendar_path``).

    Values can be written as JSON and are not to be changed.  Intervals are ``(count, unit)`` as
    `dates.Interval`, days ISO text, times of day minutes after midnight.
    """

    vault_id: str = ""
    since: str = ""
    timezone: str = ""
    currency: str = ""
    workdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    holidays: str = ""
    days_off: tuple[tuple[str, str], ...] = ()
    ignore: tuple[str, ...] = ()
    client_types: tuple[str, ...] = ()
    log_headings: tuple[str, ...] = ("Log",)
    default_every: dict[str, tuple[int, str]] = _NOTHING
    minutes: dict[str, int] = _MINUTES
    capacity: int = 120
    retry_after: tuple[int, str] = (2, "workday")
    give_up_after: int = 5
    owners: dict[str, Owner] = _NOTHING
    fields: dict[str, str] = _NOTHING
    obsidian_vault: str = ""
    agenda_note: str = ""
    calendar_path: str = "followups.ics"
    calendar_per_owner: bool = False
    calendar_detail: str = "full"
    calendar_overdue: str = "digest"
    calendar_alarm: int | None = None
    calendar_past: tuple[int, str] = (90, "day")
    calendar_horizon: tuple[int, str] = (18, "month")
    calendar_machine: str = "any"
    calendar_color: str = ""
    calendar_description: str = ""
    calendar_refresh: int = 60
    plans: tuple[Any, ...] = ()
    targets: dict[str, tuple[int, str]] = _NOTHING

    def __init__(self, **changes: object) -> None:
        """What a vault without `notesync.yaml` has, with ``changes`` by attribute name."""
        self.__dict__.update(_DEFAULTS)
        for name, value in changes.items():
            if name not in _DEFAULTS:
                raise TypeError(f"no such setting: {name}")
            self.__dict__[name] = value

    def replace(self, **changes: object) -> Settings:
        """These settings with some values changed."""
        return Settings(**{**self.__dict__, **changes})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self._changed().items())})"

    def _changed(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if value != _DEFAULTS[name]}

    def to_json(self) -> str:
        """The values that differ from the defaults, compact and in a fixed order."""
        changed = self._changed()
        if not changed:
            return "{}"
        import json

        return json.dumps(changed, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The settings that :meth:`to_json` of the same version wrote: equal to them."""
        if text == "{}":
            return cls()
        import json

        values = {name: _as_tuples(value) for name, value in json.loads(text).items()}
        if "owners" in values:
            values["owners"] = {name: Owner(*owner) for name, owner in values["owners"].items()}
        return cls(**values)

    def fingerprint(self) -> str:
        """A hash of every value, defaults included: equal exactly where the settings mean the same.

        Places are left out, so that a comment added above `plans` does not make an index useless.
        """
        import hashlib
        import json

        from notesync.followup.settings_yaml import drop_places

        values = {**self.__dict__, "plans": drop_places(self.plans)}
        text = json.dumps(values, separators=(",", ":"), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def work_calendar(self) -> WorkCalendar:
        """The working days of these settings."""
        from datetime import date

        from notesync.followup.work_calendar import WorkCalendar

        days_off = tuple(
            (date.fromisoformat(first), date.fromisoformat(last)) for first, last in self.days_off
        )
        return WorkCalendar(frozenset(self.workdays), days_off, self.holidays)


def _as_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_as_tuples, value))
    if isinstance(value, dict):
        return {key: _as_tuples(item) for key, item in value.items()}
    return value


_DEFAULTS: dict[str, Any] = {name: getattr(Settings, name) for name in Settings.__annotations__}
