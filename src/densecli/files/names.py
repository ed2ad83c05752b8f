"""Names of files and folders that are not UTF-8, which Linux allows."""

import os
from pathlib import Path

from densecli.errors import UsageError


def require_utf8_name(path: str | Path) -> None:
    """Check that a path is UTF-8: Arrow, FAISS, onnxruntime and safetensors open no other.

    Raises:
        UsageError: it is not.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{path}: the name is not UTF-8, and libraries cannot open it; rename it") from None


def display_path(path: str | Path) -> str:
    """Return a path as text that can be stored; bytes that are not UTF-8 become escapes such as `\\xff`."""
    return os.fsencode(path).decode(errors="backslashreplace")
