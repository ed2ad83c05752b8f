"""Limits of a container, as files of control groups of both versions say them."""

from pathlib import Path

import pytest

from densecli.files import container
from densecli.files.container import core_limit, memory_left
from densecli.files.memory import available_memory
from densecli.files.parallel import cores


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(container, "ROOT", tmp_path)
    for name in ("cpu", "memory"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu.max": "broken"}, None),
    ],
)
def test_cores_of_a_container_are_counted(group: Path, files: dict[str, str], limit: int | None) -> None:
    for name, text in files.items():
        (group / name).write_text(text)
    assert core_limit() == limit


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({}, None),
        ({"memory.max": "max\n", "memory.current": "500\n"}, None),
        ({"memory.max": "1000\n", "memory.current": "700\n"}, 300),
        (
            {
                "memory.max": "1000\n",
                "memory.current": "700\n",
                "memory.stat": "anon 9\ninactive_file 150\nactive_file 50\n",
            },
            500,
        ),
        ({"memory.max": "1000\n", "memory.current": "1200\n"}, 0),
        ({"memory/memory.limit_in_bytes": f"{2**63 - 4096}\n", "memory/memory.usage_in_bytes": "7\n"}, None),
        (
            {
                "memory/memory.limit_in_bytes": "1000\n",
                "memory/memory.usage_in_bytes": "900\n",
                "memory/memory.stat": "inactive_file 5\ntotal_inactive_file 30\ntotal_active_file 20\n",
            },
            150,
        ),
    ],
)
def test_memory_of_a_container_is_what_it_has_left(
    group: Path, files: dict[str, str], left: int | None
) -> None:
    for name, text in files.items():
        (group / name).write_text(text)
    assert memory_left() == left


def test_a_container_limits_what_the_machine_has(group: Path) -> None:
    (group / "cpu.max").write_text("100000 100000\n")
    (group / "memory.max").write_text("1048576\n")
    assert (cores(), available_memory()) == (1, 1 << 20)
