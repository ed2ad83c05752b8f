"""The scripts that prepare the starter models' data, on small files of the real forms."""

import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from densecli.files.jsonl import write_lines
from densecli.records import Passage, Question, RankedList, ScoredPassage, TrainingExample

SCRIPTS = Path(__file__).parents[2] / "examples" / "starter"
LONG = " ".join(f"w{n}" for n in range(300))


def run(script: str, *arguments: object) -> str:
    command = [sys.executable, str(SCRIPTS / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def article(title: str, context: str, *asked: tuple[str, str], **more: object) -> dict[str, Any]:
    """Return an article in SQuAD's form with one paragraph; `asked` are questions and answers."""
    qas = [
        {
            "id": f"{title}{number}",
            "question": question,
            "answers": [{"text": answer, "answer_start": context.index(answer)}],
            **more,
        }
        for number, (question, answer) in enumerate(asked)
    ]
    return {"title": title, "paragraphs": [{"context": context, "qas": qas}]}


def write_squad(path: Path, articles: list[dict[str, Any]]) -> None:
    path.parent.mkdir(exist_ok=True)
    content = json.dumps({"version": "1", "data": articles}).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_questions(path: Path, *rows: tuple[str, str]) -> None:
    path.parent.mkdir(exist_ok=True)
    text = "".join(
        json.dumps({"question": question, "answers": [answer]}) + "\n" for question, answer in rows
    )
    opened = gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w")
    with opened as stream:
        stream.write(text)


def numbered(kind: str, count: int) -> list[dict[str, Any]]:
    return [
        article(f"{kind}_{n}", f"The {kind} {n} is here.", (f"What {kind} is {n}?", "here"))
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the one that the scripts read."""
    root = tmp_path_factory.mktemp("data")
    write_squad(root / "train" / "squad-train-v1.1.json.gz", numbered("town", 18))
    write_squad(root / "squad" / "squad-train-36-articles.json", numbered("lake", 6))
    held = article("Tested_Town", "A tested town has a wall.", ("What has it?", "wall"))
    write_squad(root / "squad" / "squad-test-12-articles.json", [held])
    qed = [*numbered("film", 301), article("Tested Town", "More of it.", ("what is more", "More"))]
    qed += [article("film_0b", "Both know it.", ("what is in nq dev", "Both"), in_nq_dev=True)]
    write_squad(root / "train" / "nq-train-qed-passages.json.gz", qed)
    again = [
        article("", "It stands twice.", ("what film is 7", "twice")),
        article("", "It is new.", ("what is new", "new")),
        article("", "The cave 1 is here.", ("what stands there", "cave 1")),
    ]
    write_squad(root / "train" / "nq-train-restored-passages.json.gz", again)
    write_squad(root / "train" / "tydiqa-goldp-en-train.json.gz", numbered("hill", 2))
    write_squad(root / "train" / "tydiqa-goldp-en-dev.json.gz", numbered("cave", 2))
    long = article(
        "Long",
        f"{LONG} answer {LONG}",
        ("Where is the long one?", "answer"),
        ("Who was the first king of the small old town?", "answer"),
        ("Who voiced Meg?", "answer"),
    )
    # an article of TyDi's dev part under another title, and above one without a title
    cave = article("CAVE_0", "It is deep.", ("How is that cavern?", "deep"))
    write_squad(root / "squad" / "mlqa-en-dev.json", [*numbered("road", 2), long, cave])
    questions = root / "questions"
    write_questions(questions / "squad-test.jsonl", ("who was the first king of that small old town", "A"))
    write_questions(questions / "nq-open-dev.jsonl", ("What town is 3", "A"))
    train = [(f"who wrote book {n}", f"B{n}") for n in range(700)]
    write_questions(questions / "webquestions-dev.jsonl", ("what do they speak", "C"))
    write_questions(questions / "webquestions-train.jsonl", *((q + " for us", a) for q, a in train))
    write_questions(questions / "curatedtrec-train.jsonl", *((q + " then", a) for q, a in train))
    write_questions(root / "train" / "nq-train-part.jsonl.gz", ("what is new", "new"), *train)
    trivia = [(q.replace("book", "song"), a) for q, a in train]
    write_questions(root / "train" / "trivia-train-part.jsonl.gz", ("What do they speak?", "C"), *trivia)
    quiz = [
        ("Which of these is a fish?", "Eel"),
        ("Which fish is long?", "Eel"),
        ("which FISH is long", "Eel"),
    ]
    write_questions(root / "train" / "opentriviaqa.jsonl.gz", *quiz)
    rest = ["freebaseqa-dev-eval", "hotpotqa-dev-questions", "mintaka-dev"]
    for name in [*rest, "popqa-sample", "factoid-movies", "qald-1-9"]:
        write_questions(root / "train" / f"{name}.jsonl.gz", (f"what is the {name}", "D"))
    (root / "wiki").mkdir()
    with gzip.open(root / "wiki" / "psgs_main_w100.tsv.gz", "wt", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(("id", "text", "title"))
        writer.writerow(("1", 'A "quoted" text.', "One"))
        writer.writerow(("2", "A tested town has a wall.", "Elsewhere"))
        writer.writerow(("3", "Another part.", "Tested Town"))
        writer.writerow(("4", "The town 4 is here.", "town 4"))
    return root


@pytest.fixture(scope="module")
def spans(data: Path) -> tuple[Path, str]:
    folder = data / "spans"
    return folder, run("spans.py", "--data", data, "--output", folder)


@pytest.fixture(scope="module")
def questions(data: Path, spans: tuple[Path, str]) -> tuple[Path, str]:
    folder = data / "made-questions"
    return folder, run("questions.py", "--data", data, "--spans", spans[0], "--output", folder)


def read(folder: Path, pattern: str) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob(pattern)) for line in path.open(encoding="utf-8")]


def test_span_data_excludes_test_questions_and_articles(spans: tuple[Path, str]) -> None:
    folder, told = spans
    asked = {row["question"] for row in read(folder, "*.jsonl")}
    assert "What town is 3?" not in asked  # equals a test question
    assert "Who was the first king of the small old town?" not in asked  # nearly equals one
    assert "Who voiced Meg?" not in asked  # near the demo
    assert "what is more" not in asked  # of a test article, by its title
    assert "Where is the long one?" in asked
    for reason in ("a test question 1", "nearly a test question 1", "near a question of the demo 1"):
        assert f"dropped: {reason}" in told
    assert "nq-qed: dropped: a test article 1" in told


def test_span_data_splits_by_article(spans: tuple[Path, str]) -> None:
    folder, _ = spans
    train, dev = read(folder, "train-*.jsonl"), read(folder, "dev-*.jsonl")
    titles = [{row["ctxs"][0]["title"] for row in rows} for rows in (train, dev)]
    assert not titles[0] & titles[1] - {""}
    dev_of = {name: len(read(folder, f"dev-{name}.jsonl")) for name in ("squad36", "nq-qed", "tydi-dev")}
    assert dev_of == {"squad36": 4, "nq-qed": 300, "tydi-dev": 2}
    asked = {row["question"] for row in train}
    assert "what is in nq dev" in asked
    # held out by another set
    assert not asked & {"How is that cavern?", "what stands there"}
    for name in ("nq-restored", "mlqa"):
        assert f"{name}: " in spans[1]
        told = next(line for line in spans[1].splitlines() if line.startswith(f"{name}: "))
        assert "dropped: a dev article of another set 1" in told
    # a question that stands alone is used once, even with another paragraph
    assert "nq-restored: dropped: repeated 1" in spans[1]


def test_long_training_paragraphs_are_cut_around_the_answer(spans: tuple[Path, str]) -> None:
    rows = {row["question"]: row for row in read(spans[0], "train-*.jsonl")}
    words = rows["Where is the long one?"]["ctxs"][0]["text"].split()
    assert len(words) == 128
    assert "answer" in words
    assert "mlqa: dropped" in spans[1]
    assert "train, cut 1" in spans[1]


def test_training_questions_are_in_neither_dev_nor_span_data(questions: tuple[Path, str]) -> None:
    folder, told = questions
    dev = {row["question"].lower().rstrip("?") for row in read(folder, "dev-*.jsonl")}
    train = [row["question"].lower().rstrip("?") for row in read(folder, "[!d]*.jsonl")]
    assert not dev & set(train)
    assert len(train) == len(set(train))
    assert "what do they speak" in dev
    assert "what is new" in train
    sizes = {name: len(read(folder, f"dev-{name}.jsonl")) for name in ("webq", "trec", "nq", "trivia")}
    assert sizes == {"webq": 201, "trec": 300, "nq": 600, "trivia": 600}
    assert "opentrivia: dropped: needs the choices of its quiz 1, dropped: repeated 1, train 1" in told
    assert "nq: dropped: in the span data 1, train 100, dev 600" in told
    assert {row["answer_type"] for row in read(folder, "trec.jsonl")} == {"regex"}


def test_the_pool_excludes_test_articles_and_includes_dev_paragraphs(
    data: Path, spans: tuple[Path, str]
) -> None:
    told = run("pool.py", "--data", data, "--spans", spans[0], "--output", data / "pool.tsv")
    with (data / "pool.tsv").open(newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))
    assert rows[:3] == [
        ["id", "text", "title"],
        ["1", 'A "quoted" text.', "One"],
        ["4", "The town 4 is here.", "town 4"],
    ]
    assert "left out: articles of the SQuAD test: 2" in told
    texts = [text for _, text, _ in rows[1:]]
    assert len(texts) == len(set(texts))
    for row in read(spans[0], "dev-*.jsonl"):
        assert " ".join(row["ctxs"][0]["text"].split()[:100]) in texts


def test_distant_examples_use_the_best_passages_with_an_answer(tmp_path: Path) -> None:
    found = [Passage(str(n), "", text) for n, text in enumerate(("no", "in Ulm", "nor here", "Ulm again"))]
    scored = tuple(ScoredPassage(passage, 9.0 - n) for n, passage in enumerate(found))
    lists = [
        RankedList(Question("set-1", "where", ("Ulm",)), scored),
        RankedList(Question("set-2", "who", ("Nobody",)), scored),
    ]
    write_lines(tmp_path / "found.jsonl", (one.to_json() for one in lists))
    made = tmp_path / "made.jsonl"
    told = run("distant.py", tmp_path / "found.jsonl", "--output", made, "--positives", 1, "--negatives", 2)
    (row,) = read(tmp_path, "made.jsonl")
    assert [one["passage_id"] for one in row["positive_ctxs"]] == ["1"]
    assert [one["passage_id"] for one in row["hard_negative_ctxs"]] == ["0", "2"]
    assert "set: dropped: no passage with an answer: 1" in told


def test_articles_of_the_test_are_left_out_of_results(data: Path, tmp_path: Path) -> None:
    texts = [("Tested Town", "by its title"), ("Copy", "A tested town has a wall."), ("Other", "stays")]
    found = tuple(
        ScoredPassage(Passage(str(n), title, text), 9.0 - n) for n, (title, text) in enumerate(texts)
    )
    write_lines(tmp_path / "all.jsonl", [RankedList(Question("1", "what"), found).to_json()])
    told = run("leave_out.py", tmp_path / "all.jsonl", "--data", data, "--output", tmp_path / "kept.jsonl")
    (row,) = read(tmp_path, "kept.jsonl")
    assert [one["id"] for one in row["ctxs"]] == ["2"]
    assert "passages left out: 2" in told


def test_each_round_has_other_questions(tmp_path: Path) -> None:
    scored = (ScoredPassage(Passage("1", "", "Ulm"), 1.0, True),)
    lists = [RankedList(Question(f"nq-{n}", "where", ("Ulm",)), scored) for n in range(5)]
    write_lines(tmp_path / "found.jsonl", (one.to_json() for one in lists))
    for number in range(4):
        before = [tmp_path / f"open-{earlier}.jsonl" for earlier in range(number)]
        made = ("--output", tmp_path / f"open-{number}.jsonl", "--count", 2, "--without", *before)
        run("open_questions.py", tmp_path / "found.jsonl", *made)
    rounds = [[row["id"] for row in read(tmp_path, f"open-{number}.jsonl")] for number in range(4)]
    assert [len(one) for one in rounds] == [2, 2, 1, 2]
    assert len({name for one in rounds[:3] for name in one}) == 5
    assert rounds[3] == rounds[0]


def test_the_recipe_trains_both_models_and_the_reader_teaches_the_retriever(
    data: Path, tmp_path: Path, tiny_base: Path, shell_env: dict[str, str]
) -> None:
    command = ["sh", str(SCRIPTS / "recipe.sh"), str(data), str(tiny_base), "made"]
    env = shell_env | {
        "PATH": f"{shell_env['PATH'].split(':')[0]}:{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    cards = [
        json.loads((tmp_path / "made" / name / "model.json").read_text()) for name in ("retriever", "reader")
    ]
    assert [model_config["kind"] for model_config in cards] == ["retriever", "reader"]

    made = tmp_path / "made"
    texts = [Passage(str(n), f"title {n}", f"the {n} of all is here") for n in range(9)]
    asked = [
        TrainingExample(Question(str(n), f"what is {n}", ("here",)), (texts[n],), tuple(texts[n + 1 : n + 5]))
        for n in range(4)
    ]
    write_lines(made / "asked.jsonl", (one.to_json() for one in asked))
    names = ("--reader", made / "reader", "--output", made / "taught.jsonl")
    run("teach.py", made / "asked.jsonl", *names, "--negatives", 2)
    for row in read(made, "taught.jsonl"):
        passages = row["positive_ctxs"] + row["hard_negative_ctxs"]
        assert len({one["teacher_score"] for one in passages}) == len(passages) == 3
    command = [
        "densecli",
        "train",
        "taught.jsonl",
        "--encoder",
        str(tiny_base),
        "--distill",
        "0.5",
        "-o",
        "student",
    ]
    done = subprocess.run(command, cwd=made, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((made / "student" / "manifest.json").read_text())
    assert "examples_without_teacher_scores" not in manifest["counts"]

    # the small budget takes the data as they are there: a twelfth of such a small set has no positive
    small = tmp_path / "small"
    for name in ("spans", "questions"):
        shutil.copytree(made / name, small / name)
    shutil.copyfile(made / "train.jsonl", small / "train.jsonl")
    command = ["sh", str(SCRIPTS / "budget.sh"), str(data), str(tiny_base), "small"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    measured = [row["results"] for row in read(small, "retriever.json") if "top_k" in row]
    assert measured == ["dev-base.jsonl", "dev-retriever.jsonl", "dev-bm25.jsonl"]
    assert read(small, "reader.json")[0]["exact_match"] is not None
