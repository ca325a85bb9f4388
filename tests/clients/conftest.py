"""The marker of the tests that need other people's programs."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "readers: a calendar reader that is not ours; skipped where it is missing"
    )
    config.addinivalue_line("markers", "engines: a sync engine that is not ours; skipped where it is missing")
