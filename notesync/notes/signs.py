"""The signs and keys of a task's fields: the Tasks plugin's emoji, and Dataview's names for the same.

In: nothing; these are tables.  Must not know: how a line is read.
"""

from __future__ import annotations

DATE_SIGNS = {
    "📅": "due",
    "📆": "due",
    "🗓": "due",
    "⏳": "scheduled",
    "⌛": "scheduled",
    "🛫": "start",
    "➕": "created",
    "✅": "done",
    "❌": "cancelled",
}
PRIORITY_SIGNS = {"🔺": "highest", "⏫": "high", "🔼": "medium", "🔽": "low", "⏬": "lowest"}
DATE_KEYS = {
    "due": "due",
    "scheduled": "scheduled",
    "start": "start",
    "created": "created",
    "completion": "done",
    "cancelled": "cancelled",
}
PRIORITIES = frozenset(PRIORITY_SIGNS.values())
SIGNS = "".join(DATE_SIGNS) + "".join(PRIORITY_SIGNS) + "🔁🏁🆔⛔"
