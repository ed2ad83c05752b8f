"""Ctrl-C during a training: the first one lets it save, the second one ends it at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from densecli.training.ranks import ProcessGroup


@contextmanager
def stop_on_ctrl_c(
    ranks: "ProcessGroup | None" = None, report: Callable[[str], object] = lambda _: None
) -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether Ctrl-C was pressed: the `stop_requested` of `train`.

    Until it is called for the first time, nobody would notice, so Ctrl-C ends the program at once, as it
    does when it is pressed again. It works in the main thread only.

    Args:
        ranks: the processes that train together, if there are several.
        report: receives one line when Ctrl-C is pressed for the first time.
    """
    if ranks is not None and not ranks.first:
        yield lambda: False  # Ctrl-C is ignored there: the first process saves, and ends all
        return
    noticed = pressed = False

    def stop_requested() -> bool:
        nonlocal noticed
        noticed = True
        return pressed

    def receive(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed or not noticed:
            raise KeyboardInterrupt
        pressed = True
        with suppress(RuntimeError):  # just at a moment in which a line is written
            report("ending after this update; Ctrl-C again ends at once")

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield stop_requested  # as in a script's background, where Ctrl-C is for another program
        return
    before = signal.signal(signal.SIGINT, receive)
    try:
        yield stop_requested
    finally:
        signal.signal(signal.SIGINT, before)
