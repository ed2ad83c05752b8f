"""`list_datasets` from Python: what is on this disk, without a network."""

import pytest
from huggingface_hub import constants

from densecli.errors import ArtifactError, UsageError
from densecli.workflows.list_datasets import list_datasets

pytestmark = pytest.mark.usefixtures("silence")


def test_files_on_this_disk_are_found_in_both_folders(tmp_path):
    for name in ("w/data/nq-dev.qa.csv", "own/nq-test.qa.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text("who\t['A']\n")
    found = {
        one.split: one for one in list_datasets("nq", workspace=tmp_path / "w", data_dir=tmp_path / "own")
    }
    assert found["dev"].questions_here == str(tmp_path / "w/data/nq-dev.qa.csv")
    assert found["test"].questions_here == str(tmp_path / "own/nq-test.qa.csv")
    assert (found["test"].title, found["test"].questions) == ("Natural Questions", 3610)
    assert {one.examples_here for one in found.values()} == {None}


def test_all_datasets_or_the_datasets_of_a_mix_are_listed(tmp_path):
    names = {one.dataset for one in list_datasets(workspace=tmp_path)}
    assert names == {"nq", "trivia", "webq", "trec", "squad"}
    assert {one.dataset for one in list_datasets("multi", workspace=tmp_path)} == names - {"squad"}


def test_fetching_needs_a_name_and_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match="`fetch` needs the name of a dataset"):
        list_datasets(workspace=tmp_path, fetch="all")
    with pytest.raises(ArtifactError, match="HF_HUB_OFFLINE is set"):
        list_datasets("nq", workspace=tmp_path, fetch="examples")
    with pytest.raises(UsageError, match="no dataset 'nqq'"):
        list_datasets("nqq", workspace=tmp_path)
