"""notesync: client notes in a synced folder become follow-ups that are not missed."""

__version__ = "0.1.0"
