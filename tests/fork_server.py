"""The one process of a test run that has loaded densecli and torch; tests start copies of it."""

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext

from started import LOADED


def open_fork_server() -> ForkServerContext:
    """Return what starts a process as a copy of the server, which is started first where it does not run.

    Python before 3.12.4 does not tell the server its `sys.path`: modules of tests/ would not be found, and
    nothing would say so.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", *LOADED, "in_ranks"])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return context
