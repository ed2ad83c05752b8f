"""Ctrl-C during a training."""

import signal
from types import SimpleNamespace

import pytest

from densecli.training.interruption import stop_on_ctrl_c


@pytest.fixture(autouse=True)
def default_handler():
    """Start from Python's own handler, whatever started the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_the_first_ctrl_c_is_a_request_and_the_second_ends_the_program():
    said: list[str] = []
    with stop_on_ctrl_c(report=said.append) as stop_requested:
        assert not stop_requested()
        signal.raise_signal(signal.SIGINT)
        assert stop_requested()
        assert said == ["ending after this update; Ctrl-C again ends at once"]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_before_a_handler_is_set_ctrl_c_ends_the_program():
    with pytest.raises(KeyboardInterrupt), stop_on_ctrl_c():
        signal.raise_signal(signal.SIGINT)


def test_only_the_first_of_several_processes_handles_ctrl_c():
    for first in (True, False):
        with stop_on_ctrl_c(SimpleNamespace(first=first)) as stop_requested:
            assert not stop_requested()
            handled = signal.getsignal(signal.SIGINT) is not signal.default_int_handler
            assert handled == first
