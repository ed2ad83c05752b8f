"""Which tests `just test-fast` leaves out, and which tests begin first.

The fast loop has no test that trains, loads torch, starts or kills processes, or runs for long. To load torch
and transformers takes longer than most of its tests.
"""

from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
FAST_LOOP = "not slow"
SLOW = (
    "artifacts/test_building.py",
    "artifacts/test_old_workspace.py::test_an_interrupted_training_of_an_old_workspace_resumes",
    "benchmarks",
    "cli",
    "corpus/test_bounded.py",
    "docs/test_evaluate.py",
    "docs/test_python.py",
    "docs/test_readme.py",
    "encoders/test_architectures.py",
    "encoders/test_engines.py",
    "encoders/test_question_encoder.py",
    "encoders/test_torch_base.py",
    "encoders/test_torch_retriever.py",
    "encoders/test_torch_start.py",
    "encoders/test_tower.py",
    "examples",
    "files/test_atomic.py",
    "files/pickled/test_torch_file.py",
    "files/test_parallel.py",
    "fuzz",
    "models/foreign",
    "models/test_compact.py",
    "models/test_folder.py",
    "models/test_hub.py",
    "models/test_tokens.py",
    "reader/test_engines.py",
    "reader/test_read.py",
    "reader/test_runtime.py",
    "reader/test_torch_folder.py",
    "reader/test_torch_forward.py",
    "reader/test_torch_loss.py",
    "registry/test_download.py",
    "registry/test_hub.py",
    "registry/test_local.py::test_real_files_keep_every_question_and_answer",
    "report/test_accuracy_curves.py::test_a_png_is_drawn_by_matplotlib",
    "sample",
    "text/test_snippets.py::test_a_very_long_text_is_cut_quickly",
    "test_skips.py",
    "test_architecture.py::test_imports_point_down",
    "training",
    "workflows",
    "artifacts/passages/test_writer.py",
    "artifacts/test_status.py::test_every_changed_file_is_found_by_a_verification",
    "corpus/test_cut.py::test_any_number_of_workers_gives_the_same_passages",
    "corpus/test_markdown.py::test_hostile_front_matter_is_read_quickly",
    "corpus/test_tables.py::test_a_field_of_a_million_words_is_read",
    "corpus/wikipedia/test_dump.py::test_memory_does_not_grow_with_the_dump",
    "corpus/wikipedia/test_wikitext.py::test_a_real_dump_leaves_no_markup",
    "files/test_lock.py",
    "files/test_remote.py",
    "files/test_streams.py::test_data_before_a_broken_part_is_read",
    "formats/test_broken_files.py::test_a_truncated_download_is_read_up_to_the_end",
    "formats/test_convert.py",
    "formats/test_detect.py::test_a_damaged_file_gives_records_or_one_line",
    "formats/test_qa_table.py::test_a_list_of_100_000_answers_is_read",
    "formats/test_qa_table.py::test_a_published_file_is_written_as_it_was",
    "formats/test_read_questions.py::test_real_files_are_read_completely",
    "lexical/test_merge.py",
    "mining/test_mine.py::test_resuming_gives_the_same_examples",
    "reader/test_selection.py::test_a_sweep_counts_the_same_answers_as_the_selection",
    "mining/test_mine.py::test_any_number_of_workers_gives_the_same_examples",
)
"""Folders, files and single tests, relative to this folder."""
LONGEST = ("docs", "examples", "cli/test_resume.py", "cli/test_joint.py", "cli/test_together.py")
"""What begins first. At the end of a run it would keep one process busy while the others wait."""


def is_slow(path: Path, name: str = "") -> bool:
    """Whether a file of tests, or the test `name` in it, is one of the slow ones."""
    return _is_in(path, SLOW, name)


def _is_in(path: Path, places: tuple[str, ...], name: str = "") -> bool:
    if not path.is_relative_to(TESTS):
        return False
    own = path.relative_to(TESTS).as_posix()
    return any(own == place or own.startswith(f"{place}/") or f"{own}::{name}" == place for place in places)


def pytest_configure(config: pytest.Config) -> None:
    """Try fewer examples of each property in the fast loop."""
    settings.register_profile("fast", max_examples=25)
    if config.option.markexpr == FAST_LOOP:
        settings.load_profile("fast")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave slow files alone in the fast loop: importing them takes time, too."""
    return True if config.option.markexpr == FAST_LOOP and is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests, and move the longest to the front."""
    items.sort(key=lambda item: not _is_in(item.path, LONGEST))
    for item in items:
        if is_slow(item.path, getattr(item, "originalname", item.name)):
            item.add_marker(pytest.mark.slow)
