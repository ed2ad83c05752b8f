"""Remote files, named by a URL: over HTTP, and on any file system that `fsspec` knows.

HTTP goes through the client that downloads use: fsspec's own needs two more libraries. Both take a while to
load, so this module is imported when there is a URL.
"""

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import fsspec
import httpx2

from densecli.errors import ArtifactError, InputError, UsageError
from densecli.files.urls import url_of

BUFFER = 1 << 20
SECONDS = 30.0
"""Of silence, after which a connection is given up."""
LIBRARIES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
STAMPS = ("ETag", "Last-Modified", "Content-Length")


class _Stream(io.RawIOBase):
    """Bytes of a remote file. Any error of a library while reading means that the connection broke."""

    def __init__(self, url: str, pieces: Iterator[bytes]) -> None:
        self._url = url
        self._pieces = pieces
        self._held = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._held:
            try:
                piece = next(self._pieces, None)
            except Exception as error:
                raise ArtifactError(f"{self._url}: broke off ({_reason(error)}); try again") from None
            if piece is None:
                return 0
            self._held = piece
        count = min(len(buffer), len(self._held))
        buffer[:count], self._held = self._held[:count], self._held[count:]
        return count


@contextmanager
def open_remote(path: str) -> Iterator[io.BufferedReader]:
    """Open a URL for reading bytes, from the beginning to the end.

    Raises:
        InputError: there is no such file.
        ArtifactError: it is out of reach, or breaks off.
        UsageError: nothing installed reads such URLs.
    """
    url = url_of(path)
    if _is_http(url):
        with httpx2.Client(follow_redirects=True, timeout=SECONDS) as client:
            try:
                # identity: a server may otherwise compress on the way, and a .gz file would come twice
                # compressed
                request = client.build_request("GET", url, headers={"Accept-Encoding": "identity"})
                response = client.send(request, stream=True)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise ArtifactError(f"{url}: out of reach ({_reason(error)})") from None
            try:
                _check_status(url, response)
                stream: io.BufferedReader = io.BufferedReader(_Stream(url, response.iter_raw(BUFFER)), BUFFER)
                _refuse_page(url, stream)
                yield stream
            finally:
                response.close()
        return
    with _file(url) as file:
        yield io.BufferedReader(_Stream(url, iter(lambda: file.read(BUFFER), b"")), BUFFER)


@contextmanager
def open_seekable(path: str) -> Iterator[BinaryIO]:
    """Open a URL for reading anywhere in it; over HTTP it is copied into a temporary file first.

    Raises:
        InputError, ArtifactError, UsageError: as `open_remote`.
    """
    url = url_of(path)
    if not _is_http(url):
        with _file(url) as file:
            yield file
        return
    with tempfile.TemporaryFile(prefix="densecli-url-") as copy, open_remote(url) as stream:
        while piece := stream.read(BUFFER):
            copy.write(piece)
        copy.seek(0)
        yield cast(BinaryIO, copy)


def list_remote(path: str) -> list[str] | None:
    """Return the URLs of the files in a folder and below it, in the order of names, or None for a file.

    What is hidden is left out. Over HTTP there are no folders.

    Raises:
        ArtifactError: it is out of reach.
        UsageError: nothing installed reads such URLs.
    """
    url = url_of(path)
    if _is_http(url):
        return None
    with _reaching(url):
        files, folder = fsspec.url_to_fs(url)
        if not files.isdir(folder):
            return None
        below = sorted(name.removeprefix(folder.rstrip("/")) for name in files.find(folder))
    return [url.rstrip("/") + name for name in below if "/." not in name]


def remote_digest(path: str) -> str | None:
    """Return what changes when the file or folder at a URL does, or None where its server does not say.

    Raises:
        InputError, ArtifactError, UsageError: as `open_remote`.
    """
    url = url_of(path)
    if not _is_http(url):
        names = list_remote(url) or [url]
        with _reaching(url):
            keys = [str(files.ukey(place)) for files, place in map(fsspec.url_to_fs, names)]
        return hashlib.sha256("\n".join(keys).encode()).hexdigest()
    try:
        response = httpx2.head(url, follow_redirects=True, timeout=SECONDS)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ArtifactError(f"{url}: out of reach ({_reason(error)})") from None
    _check_status(url, response)
    stamps = [response.headers.get(name, "") for name in STAMPS]
    # the length alone says nothing about the content
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest() if any(stamps[:2]) else None


def _is_http(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _check_status(url: str, response: Any) -> None:
    status = f"{response.status_code} {response.reason_phrase}"
    if response.status_code in (401, 403, 404, 410):
        raise InputError(url, None, f"no such file, or it is not public ({status})", "a file")
    if response.status_code != 200:
        raise ArtifactError(f"{url}: the server says {status}")


def _refuse_page(url: str, stream: io.BufferedReader) -> None:
    """Refuse what a server shows to a browser: no corpus and no questions begin so."""
    if stream.peek().lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        expected = "the URL of a file; of a folder over HTTP, which cannot be listed, name each file"
        raise InputError(url, None, "is a web page", expected)


@contextmanager
def _file(url: str) -> Iterator[Any]:
    """Open a URL of any other kind through fsspec."""
    with _reaching(url):
        file = fsspec.open(url, "rb").open()
    with file:
        yield file


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    """Say what is wrong with a URL in one kind of words, whatever file system it belongs to."""
    scheme = url.partition(":")[0]
    try:
        yield
    except FileNotFoundError:
        raise InputError(url, None, "no such file", "an existing one") from None
    except ImportError:
        library = LIBRARIES.get(scheme, "the library that fsspec names for it")
        raise UsageError(f"{url}: reading {scheme}:// needs {library}; pip install {library}") from None
    except ValueError as error:
        raise UsageError(f"{url}: no way to read it ({_reason(error)})") from None
    except Exception as error:  # each file system has its own
        raise ArtifactError(f"{url}: out of reach ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    return " ".join(f"{error}".split())[:200] or type(error).__name__
