import re
from pathlib import Path

import pytest

from densecli.errors import UsageError
from densecli.registry.sets import SPLITS, QuestionSet, members, registry, split_of

REFERENCE = Path(__file__).parents[2] / ".." / "shared" / "reference"
needs_reference = pytest.mark.skipif(not REFERENCE.exists(), reason="../shared absent")
SETS = list(registry().sets.values())
PAPER = {"nq": "Natural Questions", "trivia": "TriviaQA", "webq": "WebQuestions", "trec": "CuratedTREC",
         "squad": "SQuAD"}  # fmt: skip
ROWS = ["BM25", "DPR, single", "BM25+DPR, single", "DPR, multi", "BM25+DPR, multi"]


def only(name: str) -> QuestionSet:
    ((one, times),) = members(name)
    assert times == 1
    return one


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nq", "nq"), ("NQ", "nq"), ("natural-questions", "nq"), ("Natural Questions", "nq"),
        ("nq-open", "nq"), ("nq_open", "nq"), ("google-research-datasets/nq_open", "nq"),
        ("trivia", "trivia"), ("triviaqa", "trivia"), ("TriviaQA", "trivia"), ("trivia_qa", "trivia"),
        ("tqa", "trivia"), ("webq", "webq"), ("webquestions", "webq"), ("WebQuestions", "webq"),
        ("web_questions", "webq"), ("wq", "webq"), ("trec", "trec"), ("curatedtrec", "trec"),
        ("CuratedTREC", "trec"), ("curated-trec", "trec"), ("squad", "squad"), ("squad1", "squad"),
        ("squad1.1", "squad"), ("SQuAD v1.1", "squad"), ("rajpurkar/squad", "squad"),
    ],
)  # fmt: skip
def test_common_spellings_of_names_are_known(name: str, expected: str) -> None:
    assert only(name).name == expected


def test_no_name_is_used_for_two_datasets() -> None:
    names = [
        re.sub(r"\W|_", "", name.lower())
        for one in [*SETS, *registry().mixes.values()]
        for name in (one.name, *one.aliases)
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["", "hotpotqa", "squad2", "nqq"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="known: nq, trivia, webq, trec, squad, multi"):
        members(name)


def test_a_misspelled_name_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean trivia"):
        members("tirviaqa")
    with pytest.raises(UsageError) as error:
        members("nope")
    assert "did you mean" not in str(error.value)


@pytest.mark.parametrize("name", ["multi", "multiset", "Multi-Set"])
def test_the_mix_has_the_datasets_of_the_paper(name: str) -> None:
    assert [(one.name, times) for one, times in members(name)] == [
        ("nq", 1), ("trivia", 1), ("webq", 4), ("trec", 4)
    ]  # fmt: skip


def test_the_validation_split_of_the_hub_is_explained() -> None:
    with pytest.raises(UsageError, match="what the Hub calls validation is test here"):
        split_of(only("nq"), "validation")
    with pytest.raises(UsageError, match="'all'; webq has train, dev, test"):
        split_of(only("webq"), "all")


@pytest.mark.parametrize("one", SETS, ids=lambda one: one.name)
def test_every_dataset_is_described_completely(one: QuestionSet) -> None:
    assert tuple(one.splits) == SPLITS
    assert one.answer_type == ("regex" if one.name == "trec" else "string")
    assert one.license
    assert one.stems
    assert one.hub is None or re.fullmatch("[0-9a-f]{40}", one.hub.revision)
    assert one.splits["train"].dpr_examples
    assert one.splits["dev"].dpr_examples
    assert one.splits["test"].dpr_questions
    assert one.splits["test"].dpr_examples is None
    names = [row.name for row in one.splits["test"].published]
    assert [name for name in names if name.startswith("paper: ")] == [f"paper: {name}" for name in ROWS]
    assert {"Pyserini: BM25", "Pyserini: DPR, multi"} <= set(names)


def test_dev_is_cut_from_the_official_train() -> None:
    """So that together they are as many as the official train: 87,925, 87,622, 3,778 and 87,599."""
    sums = {
        one.name: one.splits["train"].questions + one.splits["dev"].questions
        for one in SETS
        if one.is_cut(one.splits["dev"]) and one.is_cut(one.splits["train"])
    }
    assert sums == {"nq": 87_925, "trivia": 87_622, "webq": 3_778, "squad": 87_599}
    assert not any(one.is_cut(one.splits["test"]) for one in SETS)


def test_checksums_belong_to_files_of_the_registry() -> None:
    known = {path for one in SETS for split in one.splits.values() for path in [split.dpr_examples] if path}
    assert set(registry().md5) <= known
    assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in registry().md5.values())


@needs_reference
def test_counts_match_table_1_of_the_paper() -> None:
    text = (REFERENCE / "dpr-paper.txt").read_text()
    for one in SETS:
        found = re.search(rf"^{PAPER[one.name]} ([\d,]+) ([\d,]+) ([\d,]+) ([\d,]+)$", text, re.MULTILINE)
        assert found
        train, kept, dev, test = (int(number.replace(",", "")) for number in found.groups())
        assert (one.splits["train"].questions, one.splits["train"].examples) == (train, kept)
        assert (one.splits["dev"].questions, one.splits["test"].questions) == (dev, test)


@needs_reference
def test_published_results_match_tables_2_and_4_of_the_paper() -> None:
    text = (REFERENCE / "dpr-paper.txt").read_text()
    second = text[: text.index("Table 2: Top-20")].splitlines()[-5:]
    fourth = text[: text.index("Table 4: End-to-end")].splitlines()[-5:]
    for place, name in enumerate(ROWS):
        accuracy, exact = numbers(second[place]), numbers(fourth[place])
        assert (len(accuracy), len(exact)) == (10, 5)
        for column, one in enumerate(PAPER):
            row = registry().sets[one].splits["test"].published[place]
            assert row.name == f"paper: {name}"
            assert row.top_k == {20: accuracy[column], 100: accuracy[5 + column]}
            assert row.exact_match == exact[column]


@needs_reference
def test_published_results_of_nq_dev_match_table_3() -> None:
    text = (REFERENCE / "dpr-paper.txt").read_text()
    for begun, row in zip(("Gold 127", "G.+BM25(1)127"), only("nq").splits["dev"].published, strict=True):
        (line,) = [line for line in text.splitlines() if line.startswith(begun)]
        assert list(row.top_k.values()) == numbers(line)[-3:]
        assert list(row.top_k) == [5, 20, 100]


@needs_reference
def test_the_authors_publish_these_files() -> None:
    listed = set(re.findall(r"`(data/retriever/[^`]+)`", (REFERENCE / "dpr-behaviour.md").read_text()))
    paths = {
        path
        for one in SETS
        for split in one.splits.values()
        for path in (split.dpr_questions, split.dpr_examples)
        if path
    }
    assert paths <= listed
    questions_and_examples = {path for path in listed if "adv-hn" not in path}
    assert paths == questions_and_examples


def numbers(line: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+\.\d", line)]
