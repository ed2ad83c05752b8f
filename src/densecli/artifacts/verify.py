"""Whether the files of an artifact match its manifest."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from densecli.artifacts.kinds import Manifest, StoredFile
from densecli.artifacts.recipe import digest_file
from densecli.files.names import display_path


@dataclass
class Check:
    """What was found.

    Attributes:
        problems: what is wrong, each with the file's name.
        unverified: files without a digest in the manifest, as those of versions before digests are.
    """

    problems: list[str] = field(default_factory=list)
    unverified: int = 0


def files_of(folder: Path) -> dict[str, Path]:
    """Return the files in a folder by their paths within it, as a manifest names them."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {display_path(path.relative_to(folder).as_posix()): path for path in found}


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder; those that another process removes meanwhile have none."""
    total = 0
    for path in files_of(folder).values():
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def check_sizes(folder: Path, manifest: Manifest, check: Check) -> None:
    """Note the files that are missing or have another size."""
    found = files_of(folder)
    for name, stored in (manifest.files or {}).items():
        size = None
        with suppress(KeyError, FileNotFoundError):  # another process may just have removed it
            size = found[name].stat().st_size
        if size is None:
            check.problems.append(f"{name} is missing")
        elif size != stored.bytes:
            check.problems.append(f"{name} has {size:,} bytes, not {stored.bytes:,}")


def check_digests(folder: Path, manifest: Manifest, check: Check) -> Iterator[str]:
    """Note the files whose content is another one; yield each name when it is read."""
    found, known = files_of(folder), manifest.files or {}
    names = known if manifest.files is not None else [name for name in found if name != "manifest.json"]
    for name in names:
        stored, path = known.get(name), found.get(name)
        if stored is None or stored.sha256 is None:
            check.unverified += 1
        elif path is not None and _differs(path, stored):
            check.problems.append(f"{name} is damaged: its SHA-256 is not that of the manifest")
        yield name


def _differs(path: Path, stored: StoredFile) -> bool:
    """Whether a file of the right size has another content."""
    try:
        return path.stat().st_size == stored.bytes and digest_file(path) != stored.sha256
    except FileNotFoundError:  # another process has removed it, which is no damage
        return False
