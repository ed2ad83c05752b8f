"""Whether the network can be asked: answered within about a second, never by waiting for a timeout."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from huggingface_hub import constants

PATIENCE = 1.0


def why_offline(url: str) -> str | None:
    """Return why nothing can be fetched from `url`, or None where a connection opens."""
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    return None if reachable(url) else f"{urlsplit(url).hostname or url} is out of reach"


def reachable(url: str) -> bool:
    """Whether a connection to `url` (or to the proxy on the way) opens within a second."""
    parts = urlsplit(url)
    if not proxy_bypass(parts.hostname or ""):
        proxies = getproxies()
        way = proxies.get(parts.scheme) or proxies.get("all") or url
        parts = urlsplit(way if "://" in way else f"http://{way}")  # many name a proxy as host:port
    place = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    opened = threading.Event()

    def connect() -> None:
        with suppress(OSError):
            socket.create_connection(place, timeout=PATIENCE).close()
            opened.set()
        done.set()

    done = threading.Event()
    # a name server that does not answer would hold the program far longer than the timeout
    threading.Thread(target=connect, daemon=True).start()
    done.wait(2 * PATIENCE)
    return opened.is_set()
