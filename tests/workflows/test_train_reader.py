"""Training a reader from Python: on records in memory, resumed, and with a retriever."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

import densecli
from densecli import Article, TrainingExample, open_collection
from densecli.errors import ArtifactError, InputError, Interrupted, UsageError
from densecli.formats.gold import squad_results
from densecli.records import Passage, Question, RankedList, ScoredPassage
from densecli.workflows.train_reader import train_reader, with_negatives

CITIES = ["Ulm", "Rome", "Paris", "Oslo", "Lima", "Cairo", "Quito", "Delhi"]
RESULTS = [
    RankedList(
        Question(city, f"where is the king of {city}", (city,)),
        (
            ScoredPassage(Passage(f"p{city}", city, f"the king of {city} is in {city}"), 2.0),
            ScoredPassage(Passage(f"n{city}", "sea", "a song of the sea"), 1.0),
        ),
    )
    for city in CITIES
]
STEPS = 6
pytestmark = pytest.mark.usefixtures("silence")


@pytest.fixture
def run(tiny_base, tmp_path):
    """Trains on records in memory, 3 epochs of 2 updates."""

    def run(results=RESULTS, **more):
        settings = {
            "encoder": str(tiny_base), "epochs": 3, "batch_size": 4, "passages": 2, "max_tokens": 48,
            "device": "cpu", "precision": "fp32", "workspace": tmp_path / "workspace",
        }  # fmt: skip
        settings = {name: value for name, value in {**settings, **more}.items() if value is not None}
        return train_reader(results, **settings)

    return run


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def weights(made):
    return {path.relative_to(made.folder): path.read_bytes() for path in made.folder.rglob("*.safetensors")}


def test_results_in_memory_give_the_same_weights_as_their_file(run, tmp_path):
    file = tmp_path / "results.jsonl"
    file.write_text("".join(json.dumps(one.to_json()) + "\n" for one in RESULTS))
    in_memory, from_file = run(dev=RESULTS[:4]), run(file, dev=file, dev_questions=4, output=tmp_path / "b")
    assert in_memory.folder == tmp_path / "workspace" / "reader"
    assert weights(in_memory) == weights(from_file)
    inputs = [row["path"] for row in manifest(in_memory.folder)["inputs"]]
    assert inputs[:2] == ["search results", "dev results"]
    assert manifest(in_memory.folder)["facts"]["steps"] == STEPS


def test_the_same_results_are_up_to_date_and_other_results_are_refused(run):
    run()
    assert run().up_to_date
    with pytest.raises(ArtifactError, match="its input was search results, sha256 "):
        run(RESULTS[:-1])


def test_a_stopped_training_resumes_to_the_same_weights(run, tmp_path, observer):
    whole = run(output=tmp_path / "whole")
    asked = iter(range(3))
    with pytest.raises(Interrupted, match="saved after update 3"):
        run(stop_requested=lambda: next(asked, None) is None)
    assert weights(run(observer=observer)) == weights(whole)
    assert "resuming after update 3" in observer.messages
    assert "8 questions in batches of 4, epochs: 3" in observer.messages
    assert observer.work == ["train-reader, first update", "train-reader"]


def test_a_retriever_is_trained_together_with_the_reader(run, tiny_retriever):
    made = run(joint=str(tiny_retriever), epochs=1)
    new = made.folder / "retriever"
    kept = (tiny_retriever / "passage" / "weights.safetensors").read_bytes()
    assert (new / "passage" / "weights.safetensors").read_bytes() == kept
    assert manifest(made.folder)["facts"]["retriever"] == manifest(new)["fingerprint"]


def test_results_without_texts_are_named_or_skipped(run):
    bare = RankedList(Question("q", "who", ("x",)), (ScoredPassage(Passage("p", "", ""), 1.0),))
    with pytest.raises(
        InputError, match="^search results: record 9: question 'q': its passages have no text"
    ):
        run([*RESULTS, bare])
    made = run([*RESULTS, bare], on_error="skip")
    assert sum(manifest(made.folder)["counts"][name] for name in manifest(made.folder)["counts"]
               if name.startswith("skipped")) == 1  # fmt: skip


def test_a_wrong_call_is_refused_with_a_reason(run, tmp_path):
    with pytest.raises(TypeError, match="search results: expected RankedList, got Question"):
        run([RESULTS[0].question])
    with pytest.raises(UsageError, match="`passages` 50 cannot be sampled from `depth` 3"):
        run(passages=50, depth=3)
    with pytest.raises(UsageError, match="no question is left to train on"):
        run([replace(one, question=replace(one.question, answers=("none",))) for one in RESULTS])
    assert not list(tmp_path.rglob("*.safetensors"))


CONTEXTS = {city: f"{city} is far. The king of {city} is in {city}." for city in CITIES[1:5]}
SQUAD = {
    "data": [
        {
            "title": "Kings",
            "paragraphs": [
                {
                    "context": text,
                    "qas": [
                        {
                            "id": city,
                            "question": f"where is the king of {city}",
                            "answers": [{"text": city, "answer_start": text.rindex(city)}],
                        }
                    ],
                }
            ],
        }
        for city, text in CONTEXTS.items()
    ]
}


@pytest.fixture
def squad(tmp_path):
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(SQUAD))
    return path


def test_a_reader_is_trained_on_squad_articles(run, squad, tmp_path):
    made = run(squad, dev=squad, epochs=1)
    counts = manifest(made.folder)["counts"]
    assert counts["questions_trained_on"] == 4
    assert counts["questions_with_fewer_negatives"] == 4
    last = json.loads((made.folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["validation"]["questions"] == 4


def test_negatives_come_from_a_collection(run, squad, tmp_path):
    articles = [
        Article(f"a{n}", "sea", text) for n, text in enumerate(("the song of the king", "Rome has a king"))
    ]
    place = tmp_path / "collection"
    densecli.preprocess(articles, workspace=place)
    densecli.index(workspace=place, kind="bm25")
    made = run(squad, negatives_from=place, epochs=1)
    assert run(squad, negatives_from=place, epochs=1).up_to_date
    assert "questions_with_fewer_negatives" not in manifest(made.folder)["counts"]
    unmarked: list[str] = []
    both = [*RESULTS[:1], *squad_results(SQUAD["data"][0], "0")]
    found = list(with_negatives(both, open_collection(place), 9, lambda: unmarked.append("both")))
    assert found[0] == RESULTS[0]  # its answers are matched, not marked
    assert [ctx.passage.text for ctx in found[1].ctxs[1:]] == ["the song of the king"]
    assert not unmarked
    list(with_negatives(RESULTS[:1], open_collection(place), 9, lambda: unmarked.append("one")))
    assert unmarked == ["one"]
    densecli.index(workspace=place, kind="bm25", k1=0.5, force=True)
    with pytest.raises(ArtifactError, match="built differently"):
        run(squad, negatives_from=place, epochs=1)


def test_several_sets_are_repeated_according_to_rates(run, squad, observer):
    made = run([squad, squad], sampling_rates="1,0.5", epochs=1, observer=observer)
    assert manifest(made.folder)["facts"]["steps"] == 2  # 6 questions in batches of 4
    with pytest.raises(UsageError, match="has 2 rates for 1 set"):
        run(squad, sampling_rates="1,2", force=True)
    with pytest.raises(UsageError, match="set 2 of 2 has 4 questions, and at rate 0.2 gives none"):
        run([squad, squad], sampling_rates="1,0.2", force=True)
    run([squad, squad], sampling_rates="1,0.5", epochs=1, warmup_steps=2, observer=observer, force=True)
    assert "is not below the 2 updates" in observer.warnings[-1]


def test_articles_and_search_results_are_mixed(run, squad, tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_text("".join(json.dumps(one.to_json()) + "\n" for one in RESULTS))
    made = run([results, squad], sampling_rates="1,0.5", epochs=1)
    found = manifest(made.folder)
    # all 8 results and 2 of the 4 questions of the articles, in batches of 4
    assert (found["counts"]["questions_trained_on"], found["facts"]["steps"]) == (12, 3)
    assert found["counts"]["questions_with_fewer_negatives"] == 4


def test_a_set_without_a_usable_question_is_named(run, tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_text("".join(json.dumps(one.to_json()) + "\n" for one in RESULTS))
    empty = tmp_path / "empty.jsonl"
    empty.write_text("".join(json.dumps(replace(one, ctxs=one.ctxs[1:]).to_json()) + "\n" for one in RESULTS))
    with pytest.raises(UsageError, match="no question of set 2 of 2 can be trained on: "):
        run([results, empty], sampling_rates="1,4")


def test_a_reader_continues_from_another(run, squad, tiny_base, tmp_path):
    first = run(squad, epochs=1, output=tmp_path / "first")
    again = run(
        squad, epochs=1, learning_rate=1e-12, init=str(first.folder), encoder=None, output=tmp_path / "second"
    )
    before, after = (load_file(made.folder / "encoder" / "weights.safetensors") for made in (first, again))
    assert all(np.allclose(before[name], after[name], atol=1e-6) for name in before)
    with pytest.raises(UsageError, match="contradict each other"):
        run(squad, init=str(first.folder), output=tmp_path / "third")
    with pytest.raises(UsageError, match="is not a reader"):
        run(squad, init=str(tiny_base), encoder=None, output=tmp_path / "third")


def test_gold_pages_need_the_release_selection(run, tmp_path):
    gold = [TrainingExample(RESULTS[0].question, (Passage("g", "Ulm", "Ulm"),))]
    made = run(gold=gold, choice="dpr", epochs=1)
    assert manifest(made.folder)["counts"]["questions_with_gold_page"] == 1
    with pytest.raises(UsageError, match="`gold` has an effect only with"):
        run(gold=gold, force=True)


def test_a_training_set_is_no_dev_set(run, tmp_path, observer):
    """The same files in another role are another training, also for what is kept of it."""
    one, other = RESULTS[:4], RESULTS[4:]
    run([one, other], epochs=1)
    with pytest.raises(ArtifactError, match=r"its input was .*\(train\), now .*\(dev\)"):
        run([one], dev=other, epochs=1)
    run([one], dev=other, epochs=1, output=tmp_path / "b", observer=observer)
    assert not any("prepared before" in text for text in observer.messages)
    assert "4 questions in batches of 4, epochs: 1" in observer.messages


def test_questions_to_leave_out_may_come_once(run, tmp_path):
    out = (one.question for one in RESULTS[::4])
    made = run([RESULTS[:4], RESULTS[4:]], exclude=out, epochs=1)
    assert manifest(made.folder)["counts"]["questions_equal_to_a_test_question"] == 2


def test_prepared_examples_are_found_again_by_their_content(run, tmp_path, observer, squad):
    first = run(RESULTS, epochs=1, output=tmp_path / "a")
    (kept,) = (tmp_path / "workspace/cache/train-reader").glob("*.jsonl")
    again = run(RESULTS, epochs=1, output=tmp_path / "b", observer=observer)
    assert f"examples prepared before: {kept}" in observer.messages
    assert weights(again) == weights(first)
    assert manifest(again.folder)["counts"] == manifest(first.folder)["counts"]
    kept.write_bytes(kept.read_bytes().replace(b"king", b"ring"))
    observer.messages.clear()
    third = run(RESULTS, epochs=1, output=tmp_path / "c", observer=observer)
    assert not any("prepared before" in one for one in observer.messages)
    assert weights(third) == weights(first)
    run(RESULTS[:4], epochs=1, output=tmp_path / "d", observer=observer)
    run(RESULTS, epochs=1, depth=1, passages=1, output=tmp_path / "e", observer=observer)
    assert not any("prepared before" in one for one in observer.messages)
