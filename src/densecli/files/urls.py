"""Which paths are URLs."""

import re

URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/{1,2}(?=[^/]|$)")
"""A path object makes one slash of two."""


def is_remote(path: str) -> bool:
    """Whether a path is a URL."""
    return URL.match(path) is not None


def url_of(path: str) -> str:
    """Return the URL that a path is, with its two slashes."""
    return URL.sub(r"\1://", path, count=1)
