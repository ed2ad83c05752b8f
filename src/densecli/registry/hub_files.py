"""The Hugging Face Hub itself: whether it is reachable, the commit of a name, and single files."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.utils import disable_progress_bars, tqdm  # type: ignore[attr-defined]
from huggingface_hub.utils import logging as hub_logging

from densecli.errors import ArtifactError
from densecli.files.atomic import drop_unless_plain, partial_of, remove
from densecli.files.lock import locked
from densecli.files.network import why_offline
from densecli.registry.download import Advance

LINE = 240
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}

# nothing below cli/ talks, its libraries included
disable_progress_bars()
hub_logging.set_verbosity(logging.CRITICAL)


def reach(repo: str) -> None:
    """Refuse at once where the Hub cannot be asked.

    Raises:
        ArtifactError: says why.
    """
    why = why_offline(constants.ENDPOINT)
    if why is not None:
        raise ArtifactError(f"{repo} on the Hub: {why}")


@contextmanager
def hub_errors(repo: str) -> Iterator[None]:
    """Turn what the Hub and the network raise, in many classes, into one line.

    Raises:
        ArtifactError: that line.
        OSError: the disk is full, or may not be written.
    """
    try:
        yield
    except Exception as error:
        # not the Hub's fault: the terminal names the disk and the file
        if isinstance(error, OSError) and error.errno in DISK:
            raise
        line = " ".join(str(error).split())[:LINE] or type(error).__name__
        if "scripts are no longer supported" in line:
            line = "it has a loading script, which is never run; name its data files, as REPO:data/*.parquet"
        raise ArtifactError(f"{repo} on the Hub: {line}") from None


def resolve_revision(name: str) -> str:
    """Return a corpus's name with its current commit, so that a run that is resumed, or
    made again, reads the same. Offline a name without a commit stays without.

    Raises:
        ArtifactError: the Hub is out of reach, or has no such corpus.
    """
    place, _, revision = name.partition("@")
    repo = place.partition(":")[0]
    if constants.HF_HUB_OFFLINE:
        return name
    reach(repo)
    with hub_errors(repo):
        return f"{place}@{HfApi().dataset_info(repo, revision=revision or None).sha}"


def fetch_examples(repo: str, split: str, target: Path, progress: Advance) -> None:
    """Fetch the training examples of a split, one `*<split>.jsonl.gz` among a repository's files.

    The download is resumed and checked by `huggingface_hub`, at the commit that is the newest now.

    Raises:
        ArtifactError: the Hub has no such file, or does not give it.
    """
    with hub_errors(repo):
        info = HfApi().dataset_info(repo)
        held = [one.rfilename for one in info.siblings or [] if "/" not in one.rfilename]
        names = [name for name in held if fnmatch(name, f"*{split}.jsonl.gz")]
    if len(names) != 1:
        raise ArtifactError(f"{repo}: {len(names)} files on the Hub end in {split}.jsonl.gz, not one")
    with locked(target):
        place = partial_of(target)  # and not the folder of `target`, where another file may have this name
        drop_unless_plain(place)
        try:
            with hub_errors(repo):
                got = hf_hub_download(
                    repo,
                    names[0],
                    repo_type="dataset",
                    revision=info.sha,
                    local_dir=place,
                    tqdm_class=_bar(progress),
                )
            os.replace(got, target)
        finally:
            if not any(place.rglob("*.incomplete")):  # which a later run resumes
                remove(place)


def _bar(progress: Advance) -> type[Any]:
    """Return what `huggingface_hub` takes for a bar; it draws nothing and calls `progress`."""

    class Bar(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            self.reached = int(options.get("initial") or 0)
            super().__init__(*args, **options | {"disable": True})  # type: ignore[no-untyped-call]
            self.all = options.get("total")

        def update(self, n: float | None = 1) -> None:
            self.reached += int(n or 0)
            progress(self.reached, self.all)

    return Bar
