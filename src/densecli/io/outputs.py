"""What stands where a result is to go, and whether that may be replaced."""

import os
from pathlib import Path
from typing import Any

from densecli.errors import ArtifactError
from densecli.io.fusion_weight import NAME as WEIGHT
from densecli.io.manifest import FILES, NAME, read_row, told_path

ADDED_LATER = {NAME, WEIGHT}
LEFT_BY_SYSTEMS = {".DS_Store", "Thumbs.db"}
SHOWN = 3


def replaceable(place: Path, command: str, shown: Path) -> dict[str, Any] | None:
    """Return the manifest of the result at `place`, None where there is nothing.

    Args:
        place: resolved, as it will be written.
        command: which wants to write there.
        shown: the place as the user knows it, for messages.

    Raises:
        ArtifactError: what is there is not densecli's, or another command's, or holds files that densecli
            did not make.
    """
    if not os.path.lexists(place) or (place.is_dir() and not any(place.iterdir())):
        return None
    row = read_row(place)
    if row is None:
        raise ArtifactError(f"{shown}: exists and is not a result of densecli; choose another --output")
    if row.get("command") != command:
        raise ArtifactError(
            f"{shown}: is a result of `densecli {row.get('command')}`; choose another --output"
        )
    strange = _strange_files(place, row)
    if strange:
        raise ArtifactError(
            f"{shown}: has files that densecli did not make ({', '.join(strange[:SHOWN])}"
            f"{', ...' * (len(strange) > SHOWN)}); move them away, or choose another --output"
        )
    return row


def _strange_files(place: Path, row: dict[str, Any]) -> list[str]:
    """Return what is in a result and was not when it was made; results of old versions don't tell."""
    made = row.get(FILES)
    if not isinstance(made, dict):
        return []
    files = (path for path in place.rglob("*") if path.is_symlink() or not path.is_dir())
    names = (
        told_path(path.relative_to(place).as_posix()) for path in files if path.name not in LEFT_BY_SYSTEMS
    )
    return sorted(set(names) - made.keys() - ADDED_LATER)
