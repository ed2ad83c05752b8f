"""Files over HTTP: resumed where they were cut off, checked, and complete or absent.

`files/pieces` says how other work resumes, and why it differs.

Our own, because the Hub's client downloads from the Hub only, and the authors' files are on a plain server.
"""

import email.utils
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2

from densecli.errors import ArtifactError, ResourceError
from densecli.files.atomic import drop_unless_plain, partial_of, sync
from densecli.files.lock import locked

Advance = Callable[[int, int | None], None]
"""Called with the bytes so far, and the size of the file (None where the server does not say)."""

LATER = (408, 425, 429, 500, 502, 503, 504)
GONE = (401, 403, 404, 410)
MD5 = re.compile(r'"([0-9a-f]{32})"')
PART = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try on a bad connection.

    Attributes:
        first: seconds before the next try; they double while nothing comes.
        most: the longest of these waits.
        tries: how many in a row may bring nothing.
        limit: a server that asks for a longer wait is not waited for.
        timeout: seconds of silence after which a connection is given up.
    """

    first: float = 1.0
    most: float = 30.0
    tries: int = 6
    limit: float = 300.0
    timeout: float = 30.0


class _Again(Exception):  # noqa: N818 - the file may come yet
    """One try failed in a way that may pass; `wait` seconds are asked for."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


def download(
    url: str, target: Path, progress: Advance, md5: str | None = None, patience: Patience | None = None
) -> None:
    """Fetch `url` into the file `target`.

    An interrupted download is resumed if the server still has the same file (`If-Range`).
    The size must be the one announced; the content is checked where `md5` is given or the server's ETag
    is one, as plain objects on S3 have.

    Raises:
        ArtifactError: the server has no such file, does not answer properly, or what it sent is not
            what was announced.
        ResourceError: the disk is too small, or another process is downloading the same file.
    """
    patience = patience or Patience()
    with locked(target):
        partial = partial_of(target)
        for left in (partial, _tag_of(partial)):
            drop_unless_plain(left)
        wait, fruitless, reached = patience.first, 0, _size(partial)
        with httpx2.Client(follow_redirects=True, timeout=patience.timeout) as client:
            while True:
                try:
                    _resume(client, url, partial, progress, md5)
                    break
                except (_Again, httpx2.TransportError) as error:
                    why = str(error) or type(error).__name__
                    asked = error.wait if isinstance(error, _Again) else None
                except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                    raise ArtifactError(f"{url}: {error}") from None
                # some of it came, so the connection works: waiting starts over
                if _size(partial) > reached:
                    wait, fruitless, reached = patience.first, 0, _size(partial)
                else:
                    fruitless += 1
                if fruitless >= patience.tries or (asked or 0) > patience.limit:
                    raise ArtifactError(f"{url}: {why}; what arrived is kept; run the same command to resume")
                time.sleep(wait if asked is None else asked)
                wait = min(2 * wait, patience.most)
        sync(partial)
        os.replace(partial, target)
        _tag_of(partial).unlink(missing_ok=True)


def _resume(client: httpx2.Client, url: str, partial: Path, progress: Advance, md5: str | None) -> None:
    """Ask for what is missing and append it.

    Raises:
        _Again: the connection or the server failed, or what is there does not fit the file: it is discarded.
    """
    have, tag = _size(partial), _tag(partial)
    # compressed on the way, neither the size nor the offset would be those of the file
    headers = {"Accept-Encoding": "identity"}
    if have and tag:
        headers |= {"Range": f"bytes={have}-", "If-Range": tag}
    with client.stream("GET", url, headers=headers) as response:
        if response.headers.get("Content-Range") == f"bytes */{have}":  # 416: nothing was missing
            total: int | None = have
        else:
            total = _receive(url, response, partial, have, progress)
        wrong = _find_fault(partial, response.headers, total, md5)
    if wrong:
        _discard(partial)
        raise ArtifactError(f"{url}: {wrong}; run the same command to fetch it again")


def _receive(url: str, response: httpx2.Response, partial: Path, have: int, progress: Advance) -> int | None:
    """Append what the server sends; return the size of the whole file, where it says."""
    status, answer = response.status_code, f"{response.status_code} {response.reason_phrase}"
    if status in LATER:
        raise _Again(f"the server says {answer}", _retry_after(response.headers.get("Retry-After", "")))
    if status in GONE:
        raise ArtifactError(f"{url}: {answer}: there is no such file, or it is not public")
    if status == 200:
        _discard(partial)
        have, length = 0, response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
    elif status == 206 and (part := _part(response)) and part[0] == have:
        total = part[1]
    elif status in (206, 416):
        _discard(partial)
        raise _Again("the server has another file than before")
    else:
        raise ArtifactError(f"{url}: the server says {answer}")
    _make_room(partial, total, have)
    # before the content: what is written later belongs to this tag
    _tag_of(partial).write_text(_mark(response.headers))
    progress(have, total)
    with open(partial, "ab") as stream:
        for block in response.iter_raw():
            stream.write(block)
            have += len(block)
            progress(have, total)
    return total


def _part(response: httpx2.Response) -> tuple[int, int | None] | None:
    """Return where the part that is sent begins, and the size of the whole."""
    found = PART.fullmatch(response.headers.get("Content-Range", ""))
    return None if found is None else (int(found[1]), None if found[2] == "*" else int(found[2]))


def _find_fault(partial: Path, headers: httpx2.Headers, total: int | None, md5: str | None) -> str | None:
    """Return what is wrong with a file that has come to its end."""
    if total is not None and _size(partial) != total:
        return f"{_size(partial):,} bytes came, {total:,} were announced"
    found = MD5.fullmatch(headers.get("ETag", ""))
    expected = found[1] if md5 is None and found and _plain_s3(headers) else md5
    if expected is None:
        return None
    with open(partial, "rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return None if digest == expected else f"its MD5 is {digest}, not {expected}"


def _plain_s3(headers: httpx2.Headers) -> bool:
    """Whether the ETag is the MD5 of the content: on S3, unless it is encrypted with a key of its own."""
    return headers.get("Server") == "AmazonS3" and headers.get("x-amz-server-side-encryption") in (
        None,
        "AES256",
    )


def _make_room(partial: Path, total: int | None, have: int) -> None:
    # asked before, since a disk that fills up disturbs more than this program
    free = shutil.disk_usage(partial.parent).free
    if total is not None and total - have > free:
        raise ResourceError(
            f"{partial.parent}: {total - have:,} bytes are to come, {free:,} are free; make room or name"
            " another folder with `data_dir`"
        )


def _retry_after(value: str) -> float | None:
    """Return the seconds that a `Retry-After` header asks for: a number or a date."""
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _mark(headers: httpx2.Headers) -> str:
    """Return what distinguishes this file from another one under the same name, for `If-Range`."""
    tag = str(headers.get("ETag", ""))
    # a weak tag allows another encoding of the same page, to which bytes cannot be appended
    return tag if tag and not tag.startswith("W/") else str(headers.get("Last-Modified", ""))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _tag_of(partial: Path) -> Path:
    return partial.with_name("etag")


def _tag(partial: Path) -> str:
    place = _tag_of(partial)
    return place.read_text() if place.exists() else ""


def _discard(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _tag_of(partial).unlink(missing_ok=True)
