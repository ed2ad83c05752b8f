"""Which paths are URLs."""

import re

# At least two letters before the colon: C:/ is a drive of Windows.
URL = re.compile(r"(?:(file):/{1,3}|([A-Za-z][A-Za-z0-9+.-]+):/{1,2})(?=[^/]|$)")
"""A path object makes one slash of several."""


def is_remote(path: str) -> bool:
    """Whether a path is a URL."""
    return URL.match(path) is not None


def url_of(path: str) -> str:
    """Return the URL that a path is, with all its slashes."""
    return URL.sub(lambda found: "file:///" if found[1] else f"{found[2]}://", path, count=1)
