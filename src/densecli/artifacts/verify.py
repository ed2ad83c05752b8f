"""Whether the files of an artifact match its manifest."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from densecli.artifacts.kinds import Manifest
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


def check_sizes(folder: Path, manifest: Manifest, check: Check) -> None:
    """Note the files that are missing or have another size."""
    found = files_of(folder)
    for name, stored in (manifest.files or {}).items():
        path = found.get(name)
        if path is None:
            check.problems.append(f"{name} is missing")
        elif path.stat().st_size != stored.bytes:
            check.problems.append(f"{name} has {path.stat().st_size:,} bytes, not {stored.bytes:,}")


def check_digests(folder: Path, manifest: Manifest, check: Check) -> Iterator[str]:
    """Note the files whose content is another one; yield each name when it is read."""
    found, known = files_of(folder), manifest.files or {}
    names = known if manifest.files is not None else [name for name in found if name != "manifest.json"]
    for name in names:
        stored, path = known.get(name), found.get(name)
        if stored is None or stored.sha256 is None:
            check.unverified += 1
        elif path is not None and path.stat().st_size == stored.bytes and digest_file(path) != stored.sha256:
            check.problems.append(f"{name} is damaged: its SHA-256 is not that of the manifest")
        yield name
