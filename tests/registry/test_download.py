import hashlib
import random
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densecli.errors import ArtifactError, ResourceError
from densecli.files.atomic import partial_of
from densecli.files.lock import locked
from densecli.registry.download import Patience, download
from hub_server import Host, Trouble, serving

HASTY = Patience(first=0.0, most=0.0, tries=3, limit=5.0, timeout=5.0)
CONTENT = random.Random(7).randbytes(300_000)
PATH = "/dpr/data/nq-train.qa.csv"


@pytest.fixture(scope="module")
def server() -> Iterator[Host]:
    with serving() as host:
        yield host


@pytest.fixture
def host(server: Host) -> Host:
    server.files = {PATH: CONTENT}
    server.troubles.clear()
    server.headers.clear()
    server.asked.clear()
    server.times.clear()
    server.ranges = True
    return server


def fetch(host: Host, target: Path, md5: str | None = None) -> list[tuple[int, int | None]]:
    told: list[tuple[int, int | None]] = []
    download(host.url + PATH, target, lambda came, whole: told.append((came, whole)), md5, HASTY)
    return told


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_downloaded_with_progress(host: Host, tmp_path: Path) -> None:
    told = fetch(host, tmp_path / "new" / "nq.csv", hashlib.md5(CONTENT).hexdigest())
    assert (tmp_path / "new" / "nq.csv").read_bytes() == CONTENT
    assert files(tmp_path / "new") == ["nq.csv"]
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [came for came, _ in told] == sorted(came for came, _ in told)


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 299_999), max_size=2))
def test_an_interrupted_transfer_is_resumed(
    server: Host, tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    server.files, server.ranges = {PATH: CONTENT}, True
    server.headers.clear()
    server.asked.clear()
    server.troubles[PATH].extend(Trouble(cut_after=cut) for cut in cuts)
    target = tmp_path_factory.mktemp("cut") / "nq.csv"
    fetch(server, target)
    assert target.read_bytes() == CONTENT
    reached = 0
    for cut, wanted in zip(cuts, server.ranges_asked(PATH), strict=False):
        assert wanted == (f"bytes={reached}-" if reached else None)
        reached = min(reached + cut, len(CONTENT))


def unfinished(target: Path, data: bytes) -> None:
    """Leave what a run leaves that is killed in the middle of a download."""
    with locked(target):
        partial_of(target).write_bytes(data)


def test_the_partial_file_of_a_killed_run_is_resumed(host: Host, tmp_path: Path) -> None:
    target = tmp_path / "nq.csv"
    host.troubles[PATH].extend([Trouble(cut_after=200_000), *[Trouble(503)] * 3])
    with pytest.raises(ArtifactError, match="503 .*; what arrived is kept; run the same command to resume"):
        fetch(host, target)
    assert not target.exists()
    assert partial_of(target).read_bytes() == CONTENT[:200_000]
    host.asked.clear()
    told = fetch(host, target)
    assert host.ranges_asked(PATH) == ["bytes=200000-"]
    assert told[0] == (200_000, len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert files(tmp_path) == ["nq.csv"]


def test_a_changed_file_is_downloaded_from_the_beginning(host: Host, tmp_path: Path) -> None:
    target = tmp_path / "nq.csv"
    host.troubles[PATH].extend([Trouble(cut_after=1000), *[Trouble(503)] * 3])
    with pytest.raises(ArtifactError):
        fetch(host, target)
    host.files[PATH] = CONTENT[::-1]
    fetch(host, target)
    assert target.read_bytes() == CONTENT[::-1]


def test_a_changed_and_smaller_file_is_downloaded_from_the_beginning(host: Host, tmp_path: Path) -> None:
    target = tmp_path / "nq.csv"
    host.headers[PATH] = {"ETag": '"same"'}
    host.troubles[PATH].extend([Trouble(cut_after=1000), *[Trouble(503)] * 3])
    with pytest.raises(ArtifactError):
        fetch(host, target)
    host.files[PATH] = b"short"
    fetch(host, target)
    assert target.read_bytes() == b"short"


@pytest.mark.parametrize("tag", [{"ETag": 'W/"weak"'}, {"ETag": ""}])
def test_without_a_strong_etag_a_transfer_is_not_resumed(
    host: Host, tmp_path: Path, tag: dict[str, str]
) -> None:
    host.headers[PATH] = tag
    host.troubles[PATH].append(Trouble(cut_after=1000))
    fetch(host, tmp_path / "nq.csv")
    assert host.ranges_asked(PATH) == [None, None]
    assert (tmp_path / "nq.csv").read_bytes() == CONTENT


def test_a_modification_date_allows_resuming(host: Host, tmp_path: Path) -> None:
    host.headers[PATH] = {"ETag": "", "Last-Modified": "Tue, 01 Sep 2020 00:00:00 GMT"}
    host.troubles[PATH].append(Trouble(cut_after=1000))
    fetch(host, tmp_path / "nq.csv")
    assert host.ranges_asked(PATH) == [None, "bytes=1000-"]


def test_a_server_without_ranges_sends_the_whole_file_again(host: Host, tmp_path: Path) -> None:
    host.ranges = False
    host.troubles[PATH].append(Trouble(cut_after=1000))
    fetch(host, tmp_path / "nq.csv")
    assert (tmp_path / "nq.csv").read_bytes() == CONTENT


def test_a_complete_file_that_was_not_renamed_is_not_downloaded_again(host: Host, tmp_path: Path) -> None:
    target = tmp_path / "nq.csv"
    fetch(host, target)
    unfinished(target, target.read_bytes())
    target.unlink()
    partial_of(target).with_name("etag").write_text(host.tag(PATH))
    told = fetch(host, target)
    assert told == []
    assert target.read_bytes() == CONTENT


def test_more_bytes_than_were_announced_are_refused(host: Host, tmp_path: Path) -> None:
    target = tmp_path / "nq.csv"
    unfinished(target, CONTENT[:10])
    partial_of(target).with_name("etag").write_text(host.tag(PATH))
    host.headers[PATH] = {"Content-Range": f"bytes 10-{len(CONTENT) - 1}/250000"}
    with pytest.raises(ArtifactError, match="300,000 bytes came, 250,000 were announced"):
        fetch(host, target)
    assert files(tmp_path) == []


def test_wrong_content_is_refused_and_not_kept(host: Host, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="its MD5 is [0-9a-f]{32}, not 0{32}; run the same command"):
        fetch(host, tmp_path / "nq.csv", "0" * 32)
    assert files(tmp_path) == []


def test_a_plain_etag_is_checked_as_the_digest(host: Host, tmp_path: Path) -> None:
    host.headers[PATH] = {"Server": "AmazonS3", "ETag": f'"{"0" * 32}"'}
    with pytest.raises(ArtifactError, match="its MD5 is"):
        fetch(host, tmp_path / "nq.csv")
    host.headers[PATH]["x-amz-server-side-encryption"] = "aws:kms"
    fetch(host, tmp_path / "nq.csv")
    host.headers[PATH] = {"Server": "AmazonS3", "ETag": f'"{hashlib.md5(CONTENT).hexdigest()}"'}
    fetch(host, tmp_path / "other.csv")


@pytest.mark.parametrize(("status", "told"), [(404, "404 Not Found"), (403, "403 Forbidden")])
def test_a_missing_file_is_reported_immediately(host: Host, tmp_path: Path, status: int, told: str) -> None:
    host.troubles[PATH].append(Trouble(status))
    with pytest.raises(ArtifactError, match=f"nq-train.qa.csv: {told}: there is no such file"):
        fetch(host, tmp_path / "nq.csv")
    assert len(host.asked) == 1
    assert files(tmp_path) == []


def test_other_server_errors_are_reported(host: Host, tmp_path: Path) -> None:
    host.troubles[PATH].append(Trouble(418))
    with pytest.raises(ArtifactError, match="the server says 418"):
        fetch(host, tmp_path / "nq.csv")


def test_redirects_are_followed_but_not_in_a_circle(host: Host, tmp_path: Path) -> None:
    host.files["/elsewhere"] = b"moved"
    host.troubles[PATH].append(Trouble(302, location="/elsewhere"))
    fetch(host, tmp_path / "nq.csv")
    assert (tmp_path / "nq.csv").read_bytes() == b"moved"
    host.troubles[PATH].extend([Trouble(302, location=PATH)] * 30)
    with pytest.raises(ArtifactError, match="nq-train.qa.csv: .*redirect"):
        fetch(host, tmp_path / "other.csv")


@pytest.mark.parametrize("url", ["http://[", "http://127.0.0.1:99999/x"])
def test_an_invalid_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ArtifactError, match=url.replace("[", r"\[")):
        download(url, tmp_path / "x", lambda *_: None, None, HASTY)


@pytest.mark.parametrize("seconds", ["0", "date", "soon"])
def test_a_busy_server_is_retried(host: Host, tmp_path: Path, seconds: str) -> None:
    later = formatdate(0, usegmt=True) if seconds == "date" else seconds
    host.troubles[PATH].extend([Trouble(429, retry_after=later), Trouble(503)])
    fetch(host, tmp_path / "nq.csv")
    assert len(host.asked) == 3


def test_a_retry_waits_as_long_as_the_server_asks(host: Host, tmp_path: Path) -> None:
    host.troubles[PATH].append(Trouble(429, retry_after="1"))
    fetch(host, tmp_path / "nq.csv")
    first, second = host.times
    assert second - first >= 1


def test_a_server_that_asks_for_a_long_wait_is_an_error(host: Host, tmp_path: Path) -> None:
    host.troubles[PATH].append(Trouble(429, retry_after="3600"))
    with pytest.raises(ArtifactError, match="429 Too Many Requests"):
        fetch(host, tmp_path / "nq.csv")
    assert len(host.asked) == 1


def test_a_missing_server_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="http://127.0.0.1:9/x: .*run the same command"):
        download("http://127.0.0.1:9/x", tmp_path / "x", lambda *_: None, None, HASTY)


def test_an_absurd_size_is_refused_before_anything_is_written(host: Host, tmp_path: Path) -> None:
    host.headers[PATH] = {"Content-Length": str(10**16)}
    with pytest.raises(ResourceError, match="10,000,000,000,000,000 bytes are to come"):
        fetch(host, tmp_path / "nq.csv")
    assert files(tmp_path) == []


def test_two_runs_do_not_write_the_same_file(host: Host, tmp_path: Path) -> None:
    with locked(tmp_path / "nq.csv"), pytest.raises(ResourceError, match="another run"):
        fetch(host, tmp_path / "nq.csv")
    assert host.asked == []
