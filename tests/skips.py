"""In CI a skipped test is a failed one, but for four reasons that a machine may have."""

import os
from collections.abc import Generator
from typing import Any

import pytest

ALLOWED = ("../shared absent", "no GPU", "no bfloat16", "optional peer missing")
"""How the reason of a skip that CI accepts begins."""


def _judge(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if not reason.removeprefix("Skipped: ").startswith(ALLOWED):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {reason}\na skip may say: {', '.join(ALLOWED)}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Judge the skip of a test, or of its fixtures."""
    report = yield
    _judge(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """Judge the skip of a whole file."""
    report = yield
    _judge(report)
    return report
