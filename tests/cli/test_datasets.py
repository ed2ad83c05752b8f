"""`--dataset` against servers that answer as the authors' and the Hub do, and with no network at all."""

import gzip
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants

from cli.conftest import CITIES, article
from cli.program import Program
from densecli.registry.sets import registry
from hub_server import Host, Trouble, serving

FILES = "/dpr/data/retriever/"
SMALL = ("--encoder", "base", "--epochs", 1, "--batch-size", 4, "--max-passage-tokens", 64)
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def host() -> Iterator[Host]:
    with serving() as host:
        yield host


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """For runs in this process: the Hub's client has read its environment long ago."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", NOWHERE)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def example(city: str) -> dict[str, Any]:
    passage = {"title": city, "text": article(city), "passage_id": city, "score": "1.5", "title_score": 0}
    other = {"title": "", "text": "a sea", "passage_id": f"no {city}"}
    return {
        "dataset": "made", "question": f"who was born in {city}", "answers": [city],
        "positive_ctxs": [passage], "negative_ctxs": [], "hard_negative_ctxs": [other],
    }  # fmt: skip


EXAMPLES = gzip.compress(json.dumps([example(city) for city in CITIES]).encode())


def parquet(rows: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


def mirror(host: Host) -> dict[str, str]:
    return {"DENSECLI_DPR_URL": f"{host.url}/dpr/"}


def hub(host: Host, folder: Path) -> dict[str, str]:
    """The environment of a process that talks to `host` alone."""
    return mirror(host) | {
        "HF_ENDPOINT": host.url, "HF_HOME": str(folder), "HF_HUB_OFFLINE": "0", "no_proxy": "127.0.0.1",
    }  # fmt: skip


# training


def test_training_fetches_a_dataset_and_resumes_its_download(
    prepared: Program, host: Host, online: None
) -> None:
    """The file comes in three pieces, between which the server is busy."""
    name = "biencoder-nq-train.json.gz"
    host.files[FILES + name] = EXAMPLES
    host.troubles[FILES + name].extend(
        [Trouble(cut_after=300), Trouble(429, retry_after="0"), Trouble(cut_after=200)]
    )
    done = prepared.call("train", "--dataset", "NQ", *SMALL, "-o", "new", **mirror(host)).well()
    assert f"fetching {name}\n" in done.stderr
    assert host.ranges_asked(FILES + name) == [None, "bytes=300-", "bytes=300-", "bytes=500-"]
    kept = prepared.workspace / "data" / name
    assert kept.read_bytes() == EXAMPLES
    manifest = json.loads((prepared.folder / "new" / "manifest.json").read_text())
    assert manifest["counts"]["examples"] == len(CITIES)
    assert manifest["inputs"][0]["path"] == f"WORKSPACE/data/{name}"
    host.asked.clear()
    again = prepared.call("train", "--dataset", "nq", *SMALL, "-o", "new", **mirror(host)).well()
    assert "up to date" in again.stderr
    assert host.asked == []


def test_examples_mined_here_are_preferred_to_published_ones(
    prepared: Program, host: Host, online: None
) -> None:
    name = FILES + "biencoder-curatedtrec-train.json.gz"
    host.files[name] = EXAMPLES
    prepared.call("mine-negatives", "--dataset", "trec", **mirror(host)).well()
    assert len(host.asked) == 1, "the authors publish no other list of these questions"
    row = json.loads(next(open(prepared.workspace / "examples" / "trec-train" / "examples.jsonl")))
    assert row["answer_type"] == "regex"
    done = prepared.call("train", "--dataset", "trec", *SMALL, "-o", "new").well()
    assert "CuratedTREC, train: " in done.stderr
    assert "examples/trec-train" in done.stderr
    there = prepared.folder / "there"
    there.mkdir()
    (there / "biencoder-curatedtrec-train.json.gz").write_bytes(EXAMPLES)
    named = prepared.call("train", "--dataset", "trec", "--data-dir", there, *SMALL, "-o", "other").well()
    assert "there/biencoder-curatedtrec-train.json.gz" in named.stderr


def test_the_mix_repeats_small_sets_four_times(prepared: Program, offline: None) -> None:
    folder = prepared.folder / "data"
    folder.mkdir()
    for stem in ("nq", "trivia", "webquestions", "curatedtrec"):
        (folder / f"biencoder-{stem}-train.json.gz").write_bytes(EXAMPLES)
    done = prepared.call("train", "--dataset", "multi", "--data-dir", folder, *SMALL, "-o", "new").well()
    assert f"training on {len(CITIES) * 4:,} examples" in done.stderr
    for name in ("nq", "trivia", "webq", "trec"):
        assert f"the test questions of {name} are not on this disk" in done.stderr
    manifest = json.loads((prepared.folder / "new" / "manifest.json").read_text())
    names = [Path(row["path"]).name.split("-")[1] for row in manifest["inputs"][:-1]]
    assert names == ["nq", "trivia", "webquestions", "curatedtrec"]
    batches = len(CITIES) // 4
    sets = [(row["rate"], row["batches"]) for row in manifest["facts"]["sets"]]
    assert sets == [(1, batches), (1, batches), (4, 4 * batches), (4, 4 * batches)]
    assert manifest["config"]["sampling_rates"] == "1,1,4,4"
    assert manifest["facts"]["steps"] == 10 * batches
    again = ("train", "--dataset", "multi", "--data-dir", folder, *SMALL, "-o", "new")
    assert "up to date" in prepared.call(*again).well().stderr
    other = prepared.call(*again, "--sampling-rates", "1,1,2,1")
    assert (other.status, "sampling_rates was 1,1,4,4, now 1,1,2,1" in other.error) == (4, True)
    rates = [re.findall(r"train: .*\.gz(?:, (.*))?$", run.stderr, re.MULTILINE) for run in (done, other)]
    assert rates == [["", "", "4 times", "4 times"], ["", "", "2 times", ""]]


def test_datasets_and_splits_are_checked_for_each_command(program: Program, offline: None) -> None:
    for arguments, said in (
        (("train", "--dataset", "nq", "--split", "test"), "--split test is for search and evaluate"),
        (("train", "--dataset", "multi", "--split", "dev"), "--split dev: multi is a mix of train splits"),
        (("train", "--dataset", "nq", "x.jsonl"), "--dataset and files of examples contradict"),
        (("train", "--split", "dev"), "--split has an effect only with --dataset"),
        (("search", "--data-dir", "x", "who"), "--data-dir has an effect only with --dataset"),
        (("search", "who", "--dataset", "nq"), "--dataset and a question"),
        (("search", "--dataset", "multi"), "multi is a mix, for `densecli train` alone; name one of nq,"),
        (("evaluate", "--dataset", "nqq", "-"), "no dataset 'nqq'"),
        (("mine-negatives", "--dataset", "nq", "x.jsonl"), "contradict"),
        (("search", "--dataset", "nq", "--split", "validation"), "validation is test here"),
        (("datasets", "--fetch", "all"), "--fetch needs the name of a dataset"),
    ):
        done = program.call(*arguments)
        assert done.status == 2, done.stderr
        assert said in done.error


# without a network


@pytest.mark.parametrize(
    ("arguments", "what", "name"),
    [
        (("train", "--dataset", "nq"), "training examples of nq train", "biencoder-nq-train.json.gz"),
        (("search", "--dataset", "trivia"), "questions of trivia test", "trivia-test.qa.csv"),
        (("train", "--dataset", "squad", "--split", "dev"), "examples of squad dev",
         "biencoder-squad1-dev.json.gz"),
        (("datasets", "trec", "--fetch", "questions"), "training examples of trec train",
         "biencoder-curatedtrec-train.json.gz"),
    ],
)  # fmt: skip
def test_offline_the_error_names_the_file_and_folder_to_use(
    program: Program, offline: None, arguments: tuple[str, ...], what: str, name: str
) -> None:
    done = program.call(*arguments, "--data-dir", "mine")
    assert done.status == 4
    assert what in done.error
    assert "HF_HUB_OFFLINE is set" in done.error
    assert f"put {name} into mine, or name the folder that has it with --data-dir" in done.error
    if arguments[0] != "datasets":
        assert "warning: --data-dir mine: no such folder; looking elsewhere" in done.stderr
    assert "fetching" not in done.stderr
    assert not (program.folder / "mine").exists()


def test_an_unreachable_server_is_reported_immediately(program: Program, online: None) -> None:
    done = program.call("train", "--dataset", "nq", DENSECLI_DPR_URL=NOWHERE)
    assert done.status == 4
    assert done.error.count("127.0.0.1 is out of reach") == 2


def test_a_missing_split_is_not_replaced_by_another(program: Program, offline: None) -> None:
    folder = program.folder / "data"
    folder.mkdir()
    for split in ("dev", "test"):
        (folder / f"nq-{split}.qa.csv").write_text("who\t['A']\n")
        (folder / f"biencoder-nq-{split}.json.gz").write_bytes(EXAMPLES)
    assert program.call("train", "--dataset", "nq", "--data-dir", folder).status == 4
    assert program.call("search", "--dataset", "nq", "--split", "train", "--data-dir", folder).status == 4


# search and evaluation


def test_results_of_a_dataset_are_compared_with_published_rows(prepared: Program, offline: None) -> None:
    folder = prepared.folder / "data"
    folder.mkdir()
    lines = [f"who was born in {city}\t['{city}']\n" for city in CITIES]
    (folder / "nq-test.qa.csv").write_text("".join(lines))
    own = ("--dataset", "nq", "--data-dir", folder)
    found = prepared.call("search", *own, "--mode", "bm25", "-k", 20, "-o", "nq.jsonl").well()
    assert "nq-test.qa.csv has 12 questions; in the paper Natural Questions test has 3,610" in found.stderr
    rows = prepared.call("evaluate", "nq.jsonl", *own).well().rows
    assert [row["results"] for row in rows] == ["nq.jsonl", *(row.name for row in paper("nq"))]
    assert [row.get("published") for row in rows] == [None, *[True] * 12]
    assert "yours are not comparable" in rows[1]["note"]
    assert rows[2]["top_k"] == {"20": 78.4}
    assert rows[2]["exact_match"] is None
    assert prepared.call("evaluate", "nq.jsonl", *own, "--table").well().stdout.count("paper: ") == 5
    whole = prepared.run("evaluate", *own, "-k", "1,5,20").well()  # it searches and reads by itself
    assert (whole.rows[0]["results"], whole.rows[0]["questions"]) == ("nq", 12)
    assert whole.rows[0]["exact_match"] is not None
    made_by = whole.rows[0]["input"]
    assert made_by["path"] == str(prepared.workspace)
    assert made_by["collection"]
    assert made_by["reader"]
    assert set(whole.rows[0]["latency_ms"]) == {
        "encode the question",
        "search vectors",
        "search words",
        "search in all",
        "read what was found",
        "search and read",
    }
    assert all(
        row["questions"] == 12 and row["p50"] <= row["p95"] <= row["p99"]
        for row in whole.rows[0]["latency_ms"].values()
    )
    # as many passages are read, however few are measured
    few = prepared.run("evaluate", *own, "-k", "1", "--fail-under", "top5=0").well()
    assert few.rows[0]["exact_match"] == whole.rows[0]["exact_match"]
    assert set(few.rows[0]["top_k"]) == {"1", "5"}
    reference = whole.rows[0]["reference"]["questions"]
    assert reference["path"].endswith("nq-test.qa.csv")
    assert len(reference["sha256"]) == 64
    # questions of a file, measured as those of the dataset
    mine, *_ = prepared.run("evaluate", *own, "--questions", "questions.jsonl", "-k", "1,5,20").well().rows
    assert (mine["questions"], mine["exact_match"]) == (12, whole.rows[0]["exact_match"])
    refused = prepared.run("evaluate", *own, "--passages", ".densecli/passages")
    assert (refused.status, "--passages has an effect only on results" in refused.error) == (2, True)


def test_a_dataset_provides_answers_for_results_of_other_programs(program: Program, offline: None) -> None:
    folder = program.folder / "data"
    folder.mkdir()
    (folder / "curatedtrec-test.jsonl").write_text(
        '{"question": "How tall?", "answer": ["[0-9]+ m"]}\n{"question": "Who?", "answer": ["X"]}\n'
    )
    ctxs = [{"id": "1", "score": 1, "title": "", "text": "it is 6194 m tall"}]
    program.write(
        "run.jsonl",
        {"question": "how tall ?", "ctxs": ctxs},
        {"question": "Else?", "answers": ["tall"], "ctxs": ctxs},
    )
    row = program.call("evaluate", "run.jsonl", "--dataset", "trec", "--data-dir", folder).well().rows[0]
    assert row["top_k"] == {"1": 50.0}
    assert row["answer_type"] == "regex"
    assert row["counts"]["questions_without_answer"] == 0
    assert row["questions"] == 2
    assert row["counts"]["questions_not_in_the_set"] == 1
    assert row["counts"]["questions_without_result"] == 1


def paper(name: str) -> tuple[Any, ...]:
    return registry().sets[name].splits["test"].published


# the Hub, in processes of their own: its client reads the environment when it is imported


def webquestions(host: Host) -> None:
    """Serve the repository as it is on the Hub: no configuration in its card, Parquet files in data/."""
    known = registry().sets["webq"].hub
    assert known is not None
    rows = {
        "train": [{"url": "u", "question": f"question {n}", "answers": ["A", f"{n}"]} for n in range(3778)],
        "test": [{"url": "u", "question": f"asked {n}", "answers": ["B"]} for n in range(2032)],
    }
    card = b"---\nlicense: unknown\ndataset_info:\n  dataset_size: 1\n---\n"
    host.add_repo(
        known.repo,
        known.revision,
        {"README.md": card} | {f"data/{name}-00000-of-00001.parquet": parquet(rows[name]) for name in rows},
    )


def tevatron(host: Host) -> None:
    passage = {"docid": "1", "title": "Ulm", "text": "Einstein was born in Ulm"}
    row = {
        "query_id": "1",
        "query": "who",
        "answers": ["A"],
        "positive_passages": [passage],
        "negative_passages": [],
    }
    data = gzip.compress(json.dumps(row).encode() + b"\n")
    script = b"open('it-ran', 'w')\nraise SystemExit\n"
    files = {"wikipedia-wq.py": script, "wq-train.jsonl.gz": data, "wq-dev.jsonl.gz": data, "README.md": b""}
    host.add_repo("Tevatron/wikipedia-wq", "b" * 40, files)


def test_a_dataset_is_read_from_the_hub_and_then_from_the_cache(program: Program, host: Host) -> None:
    webquestions(host)
    tevatron(host)
    settings = hub(host, program.folder / "hf")
    done = program.run("datasets", "webq", "--fetch", "all", **settings).well()
    assert [bool(row["questions_here"]) for row in done.rows] == [True] * 3
    assert [bool(row["examples_here"]) for row in done.rows] == [True, True, False]
    assert "skipped http" in done.stderr, "the authors' examples are not there"
    assert "404 Not Found" in done.stderr
    assert "a cut of the official train questions" in done.stderr
    assert not list(program.folder.rglob("it-ran"))
    data = program.workspace / "data"
    lines = {
        split: [json.loads(line) for line in open(data / f"webquestions-{split}.cut.jsonl")]
        for split in ("train", "dev")
    }
    assert {split: len(rows) for split, rows in lines.items()} == {"train": 3417, "dev": 361}
    asked = [row["question"] for rows in lines.values() for row in rows]
    assert sorted(asked) == sorted(f"question {n}" for n in range(3778))
    assert lines["dev"][0]["answers"][0] == "A"
    assert len(open(data / "webquestions-test.jsonl").readlines()) == 2032
    assert not host.ranges_asked(FILES + "webquestions-test.qa.csv"), "the cache had it by then"

    host.asked.clear()
    settings["HF_HUB_OFFLINE"] = "1"
    again = program.run(
        "datasets", "webq", "--fetch", "questions", "--data-dir", "other", "-w", "w", **settings
    )
    rows = again.well().rows
    names = ("train.cut.jsonl", "dev.cut.jsonl", "test.jsonl")
    assert [row["questions_here"] for row in rows] == [f"other/webquestions-{name}" for name in names]
    assert (program.folder / "other" / "webquestions-dev.cut.jsonl").read_bytes() == (
        data / "webquestions-dev.cut.jsonl"
    ).read_bytes()
    assert host.asked == []


def test_an_unexpected_number_of_questions_is_refused(program: Program, host: Host) -> None:
    known = registry().sets["nq"].hub
    assert known is not None
    files = b"  data_files:\n  - split: validation\n    path: nq_open/v-*\n"
    card = b"---\nconfigs:\n- config_name: nq_open\n" + files + b"---\n"
    rows = parquet([{"question": "who", "answer": ["A"]}])
    host.add_repo(known.repo, known.revision, {"README.md": card, "nq_open/v-0.parquet": rows})
    done = program.run("search", "--dataset", "nq", **hub(host, program.folder / "hf"))
    assert done.status == 4
    assert "nq validation on the Hub: 1 questions, not 3,610" in done.error


def test_a_terminal_shows_a_progress_bar(program: Program, host: Host) -> None:
    host.files[FILES + "biencoder-webquestions-train.json.gz"] = EXAMPLES
    host.files[FILES + "biencoder-webquestions-dev.json.gz"] = EXAMPLES
    status, shown = program.talk(
        "datasets", "webq", "--fetch", "examples", fresh=True, **hub(host, program.folder / "hf")
    )
    assert status == 0, shown
    assert "biencoder-webquestions-train.json.gz" in shown
    assert "━" in shown
    assert re.search(r"\d+/\d+ bytes", shown)


def test_a_corpus_on_the_hub_is_preprocessed(program: Program, host: Host) -> None:
    rows = [{"id": city, "url": "u", "title": city, "text": article(city)} for city in CITIES]
    commit = "c" * 40
    host.add_repo("some/cities", commit, {"README.md": b"", "data/train-0.parquet": parquet(rows)})
    settings = hub(host, program.folder / "hf")
    asked = ("preprocess", "--hf", "some/cities", "--words", 20)
    program.run(*asked, **settings).well()
    manifest = json.loads((program.workspace / "passages" / "manifest.json").read_text())
    assert manifest["inputs"] == [{"path": f"hf://some/cities@{commit}", "sha256": commit}]
    assert manifest["counts"]["passages"] == 3 * len(CITIES)
    assert "up to date" in program.run(*asked, **settings).well().stderr
    host.add_repo("some/cities", "d" * 40, host.repos["some/cities"]["main"])
    assert "its input was" in program.run(*asked, **settings).error


def test_a_corpus_must_be_named(program: Program) -> None:
    assert "no corpus given" in program.call("preprocess").error
    done = program.call("preprocess", "--hf", "a/b", "--input-format", "jsonl")
    assert "--input-format has no effect on corpora of the Hub" in done.error
