"""Training from Python: records in memory, resuming, progress, stops, several processes."""

import json
import signal
import threading
from dataclasses import replace

import pytest

from densecli.errors import ArtifactError, Interrupted, UsageError
from densecli.records import Passage, Question, TrainingExample
from densecli.workflows.train import train
from in_ranks import train_twice
from ranks import together
from workflows.conftest import Recorder

CITIES = ["Ulm", "Rome", "Paris", "Oslo", "Lima", "Cairo", "Quito", "Delhi"]
EXAMPLES = [
    TrainingExample(
        Question(city, f"who was born in {city}", (city,)),
        (Passage(f"p{city}", city, f"the king of {city} wrote a song"),),
        (Passage(f"n{city}", "", f"a sea and no {city}"),),
    )
    for city in CITIES
]
STEPS = 8


class Progress(Recorder):
    """Keeps how far the work was after each item."""

    def __init__(self):
        super().__init__()
        self.done = []

    def progress(self, items, what, total=None, unit="", note=str, done=None, start=0):
        for item in items:
            if done is not None:
                self.done.append((what, done(item), total, start))
            yield item


@pytest.fixture
def run(tiny_base, tmp_path):
    """Trains on records in memory, 4 epochs of 2 updates."""

    def run(examples=EXAMPLES, **more):
        settings = {
            "encoder": str(tiny_base), "epochs": 4, "batch_size": 4, "max_passage_tokens": 32,
            "device": "cpu", "precision": "fp32", "workspace": tmp_path / "workspace",
        }  # fmt: skip
        return train(examples, **{**settings, **more})

    return run


def manifest(made):
    return json.loads((made.folder / "manifest.json").read_text())


def weights(made):
    return {path.relative_to(made.folder): path.read_bytes() for path in made.folder.rglob("*.safetensors")}


def stop_after(updates):
    """Return a `stop_requested` that says yes after so many updates: it is first asked before one."""
    asked = iter(range(updates))
    return lambda: next(asked, None) is None


def test_training_on_records_in_memory_prints_nothing(run, tmp_path, capfd):
    made = run(dev=EXAMPLES[:4])
    assert (made.folder, made.up_to_date) == (tmp_path / "workspace" / "retriever", False)
    inputs = {row["path"]: row for row in manifest(made)["inputs"]}
    assert inputs["training examples"]["sha256"] != inputs["dev examples"]["sha256"]
    assert manifest(made)["facts"]["steps"] == STEPS
    assert capfd.readouterr() == ("", "")


def test_records_in_memory_give_the_same_weights_as_their_file(run, tmp_path):
    file = tmp_path / "examples.jsonl"
    file.write_text("".join(json.dumps(example.to_json()) + "\n" for example in EXAMPLES))
    in_memory, from_file = run(output=tmp_path / "a"), run(file, output=tmp_path / "b")
    assert weights(in_memory) == weights(from_file)


def test_the_same_records_are_up_to_date_and_other_records_are_refused(run):
    made = run()
    before = weights(made)
    assert run(tuple(EXAMPLES)).up_to_date
    other = [*EXAMPLES[:-1], replace(EXAMPLES[-1], hard_negatives=())]
    with pytest.raises(ArtifactError, match="its input was training examples, sha256 "):
        run(other)
    assert weights(made) == before
    assert not run(other, force=True).up_to_date


def test_an_iterator_is_read_once_and_never_up_to_date_and_does_not_resume(run):
    with pytest.raises(Interrupted, match="nothing is saved, because a pipe or an iterator"):
        run(iter(EXAMPLES), stop_requested=stop_after(2))
    made = run(iter(EXAMPLES), epochs=1)
    assert manifest(made)["counts"]["examples"] == len(EXAMPLES)
    with pytest.raises(ArtifactError, match="cannot be read twice"):
        run(iter(EXAMPLES), epochs=1)
    with pytest.raises(TypeError, match="expected TrainingExample, got str"):
        run(iter(["examples.jsonl"]), force=True)


@pytest.mark.parametrize("updates", [1, 3, 6])
def test_a_stopped_training_resumes_to_the_same_weights(run, tmp_path, updates):
    whole = run(output=tmp_path / "whole")
    with pytest.raises(Interrupted, match=f"interrupted; saved after update {updates}: start the same"):
        run(stop_requested=stop_after(updates))
    progress = Progress()
    made = run(observer=progress)
    assert f"resuming after update {updates}" in progress.messages
    assert progress.done == [("train", step, STEPS, updates + 1) for step in range(updates + 1, STEPS + 1)]
    assert weights(made) == weights(whole)


def test_a_stop_before_the_first_update_leaves_nothing(run, tmp_path):
    with pytest.raises(Interrupted, match="before update 1"):
        run(stop_requested=lambda: True)
    assert not list((tmp_path / "workspace").iterdir())


def test_a_stop_after_the_last_update_is_ignored(run):
    assert manifest(run(stop_requested=stop_after(STEPS)))["facts"]["steps"] == STEPS


def test_training_installs_no_signal_handler_and_runs_in_any_thread(run):
    seen, failed = [], []

    def stop_requested():
        seen.append(signal.getsignal(signal.SIGINT))
        return False

    def work():
        try:
            run(stop_requested=stop_requested)
        except BaseException as error:  # a thread would only print it
            failed.append(error)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failed
    assert seen == [before] * STEPS


def test_several_sets_in_memory_have_rates_and_names(run):
    made = run([EXAMPLES[:4], tuple(EXAMPLES[4:])], sampling_rates="1,2", epochs=1)
    sets = manifest(made)["facts"]["sets"]
    assert [(one["path"], one["rate"]) for one in sets] == [
        ("training examples 1", 1.0), ("training examples 2", 2.0),
    ]  # fmt: skip


def test_excluded_questions_in_memory_are_left_out(run, observer):
    made = run(exclude=[Question("1", "Who was born in  Rome?")], epochs=1, observer=observer)
    assert manifest(made)["counts"]["questions_equal_to_a_test_question"] == 1
    assert any("left out of training: questions of excluded questions;" in one for one in observer.messages)


def test_a_wrong_call_is_refused_before_anything_is_written(run, tmp_path):
    with pytest.raises(TypeError, match="training examples: expected TrainingExample, got dict"):
        run([{"question": "who"}])
    with pytest.raises(TypeError, match="'epoch' is not a setting"):
        run(epoch=3)
    with pytest.raises(UsageError, match="`early_stop` has an effect only with `dev`"):
        run(early_stop=2)
    with pytest.raises(UsageError, match="`validate_k` has an effect only with `dev`"):
        run(preset="dpr-nq", validate_k=50)
    with pytest.raises(UsageError, match="`average_gradients` has an effect only where several processes"):
        run(average_gradients=True)
    with pytest.raises(UsageError, match="contradict each other"):
        run(dataset="nq")
    with pytest.raises(UsageError, match="no training example is left to train on"):
        run([])
    assert not list(tmp_path.rglob("*.safetensors"))


def test_several_processes_return_when_the_model_is_complete(tiny_base, tmp_path):
    found = together(2, train_twice, str(tiny_base), tmp_path / "workspace", EXAMPLES)
    assert found == [[(False, True), (True, True)]] * 2


def test_a_retriever_that_is_trained_further_keeps_its_lengths(run, tmp_path):
    base = run(epochs=1, max_question_tokens=24, output=tmp_path / "base").folder
    for more, lengths in (({}, (24, 32)), ({"max_question_tokens": 16}, (16, 32))):
        settings = {"encoder": str(base), "epochs": 1, "batch_size": 4, "device": "cpu", **more}
        made = train(EXAMPLES, workspace=tmp_path / "workspace", force=True, **settings).folder
        config = json.loads((made / "model.json").read_text())
        assert (config["max_question_tokens"], config["max_passage_tokens"]) == lengths
