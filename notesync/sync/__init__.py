"""Keeping index and calendar current; start with ``pipeline``.

``pipeline`` is one refresh and what follows from it, ``watch`` wakes the caller when one is due.
"""
