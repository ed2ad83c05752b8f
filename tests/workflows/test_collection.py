"""A collection that is searched for many questions at once, and again meanwhile."""

import shutil
from pathlib import Path

import pytest

import densecli
from densecli import open_collection

SAMPLE = Path(densecli.__file__).parent / "sample" / "workspace"
QUESTIONS = ["who voiced Meg", "where is Paris", "when did the war end", "what is an atom", "who was king"]
pytestmark = pytest.mark.usefixtures("silence")


def ids(found):
    return [[ctx.passage.id for ctx in one.ctxs] for one in found]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Path(shutil.copytree(SAMPLE, tmp_path_factory.mktemp("place") / "workspace"))


def test_a_search_within_the_results_of_another_gets_its_own(workspace):
    collection = open_collection(workspace, single=False)
    alone = ids(collection.search(one, k=3) for one in QUESTIONS)
    meanwhile = []
    for found in collection.search(QUESTIONS, k=3, batch_size=2):
        meanwhile.append(collection.search(found.question.question, k=3))
    assert ids(meanwhile) == alone
    assert ids(collection.search(QUESTIONS, k=3, batch_size=2)) == alone
