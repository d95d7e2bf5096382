"""Fixtures: whole companies of tests/lab. A test that cannot run here is skipped with the reason, and ctest is told (exit code 77)."""
import functools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lab import trees  # noqa: E402


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and reporter and reporter.stats.get("skipped"):
        session.exitstatus = 77


@functools.cache
def _why_not(name: str) -> str:
    try:
        trees.tree(name)
        return ""
    except trees.Unavailable as error:
        return str(error)


def need(*names: str):
    """Skips when a server tree cannot be had on this machine."""
    for name in names:
        if why := _why_not(name):
            pytest.skip(f"{name}: {why}")
