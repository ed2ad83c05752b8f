import gzip
import io
from pathlib import Path

import pytest

from densecli.errors import InputError
from densecli.files.bad_records import BadRecords
from densecli.formats.read_questions import read_questions
from densecli.records import Question

GOLDEN = Path(__file__).parents[1] / "golden"
DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "questions"
COUNTS = {
    "nq-dev.qa.csv": 8757,
    "nq-test.qa.csv": 3610,
    "nq-open-dev.jsonl": 3610,
    "trivia-dev.qa.csv": 8837,
    "trivia-test.qa.csv": 11313,
    "webquestions-train.jsonl": 3478,
    "webquestions-dev.jsonl": 300,
    "webquestions-test.jsonl": 2032,
    "curatedtrec-train.jsonl": 1778,
    "curatedtrec-test.jsonl": 694,
    "squad-test.jsonl": 3031,
}


def write(folder, name, content):
    path = folder / name
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(path)


def test_json_lines_are_read(tmp_path):
    path = write(
        tmp_path,
        "questions.jsonl",
        '{"id": 7, "question": "who", "answers": ["A", "B"]}\n\n'
        '{"question": "what", "answer": ["C"], "answer_type": "regex"}\n{"question": "where"}\n',
    )
    assert list(read_questions(path)) == [
        Question("7", "who", ("A", "B")),
        Question("3", "what", ("C",), "regex"),
        Question("4", "where"),
    ]


def test_compressed_files_are_read(tmp_path):
    path = write(tmp_path, "questions.jsonl.gz", '{"question": "who", "answers": []}\n')
    assert list(read_questions(path)) == [Question("1", "who")]


def test_a_table_of_the_reference_is_read():
    assert list(read_questions(str(GOLDEN / "tiny.qa.csv"))) == [
        Question("1", "who’s the king of spain", ("Felipe VI", "King's son")),
        Question("2", "how many, exactly?", ("1,000",)),
        Question("3", "empty"),
    ]


def test_quoting_in_a_table_is_handled(tmp_path):
    path = write(
        tmp_path, "x.qa.csv", 'plain\t"[\'a \\\'b\\\'\', ""it\'s""]"\n"two\nlines ""q"""\t[\'\\d+\']\n'
    )
    assert list(read_questions(path)) == [
        Question("1", "plain", ("a 'b'", "it's")),
        Question("3", 'two\nlines "q"', ("\\d+",)),
    ]


def test_a_table_is_detected_by_its_content(tmp_path):
    path = write(tmp_path, "questions.txt", "who\t['A']\n")
    assert list(read_questions(path)) == [Question("1", "who", ("A",))]


def test_plain_lines_are_questions(tmp_path):
    path = write(tmp_path, "questions.txt", "\ufeffwho voiced Meg\r\n\r\n 'what' now \r\n")
    assert [question.question for question in read_questions(path)] == ["who voiced Meg", " 'what' now "]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ('{"question": "who", "answer": "A"}', Question("1", "who", ("A",))),
        ("who\t['A']\n", Question("1", "who", ("A",))),
        ("who\n", Question("1", "who")),
    ],
)
def test_standard_input_accepts_all_three_formats(monkeypatch, text, question):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert list(read_questions("-")) == [question]


def test_the_answer_type_can_be_set(tmp_path):
    path = write(tmp_path, "trec.jsonl", '{"question": "when", "answer": ["19\\\\d\\\\d"]}')
    assert list(read_questions(path, "regex")) == [Question("1", "when", ("19\\d\\d",), "regex")]


def test_questions_are_streamed(tmp_path):
    path = write(tmp_path, "x.jsonl", '{"question": "who"}\n{"question": \n')
    questions = read_questions(path)
    assert next(questions).question == "who"
    with pytest.raises(InputError, match=r"x\.jsonl:2: broken JSON"):
        next(questions)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", "", "is empty"),
        ("x.jsonl", "[1, 2]", r"x\.jsonl:1: a JSON list; expected one JSON object"),
        ("x.jsonl", "who voiced Meg", r"x\.jsonl:1: broken JSON"),
        ("x.jsonl", '{"answers": []}', r":1: no field 'question'"),
        ("x.jsonl", '{"question": 5}', r":1: 'question' is int"),
        ("x.jsonl", '{"question": " "}', r":1: 'question' is empty"),
        ("x.jsonl", '{"question": "q", "answers": [1]}', r":1: 'answers' holds int 1; expected a list"),
        (
            "x.jsonl",
            '{"question": "q", "answers": ["a", null]}',
            r":1: 'answers' holds null; expected a list",
        ),
        (
            "x.jsonl",
            '{"question": "q", "answers": "[\'Paris\', \'Lutetia\']"}',
            r":1: 'answers' is the text of a list: ",
        ),
        (
            "x.jsonl",
            '{"question": "q", "answer": "[\\"Ann Lee\\"]"}',
            r":1: 'answer' is the text of a list: ",
        ),
        (
            "x.jsonl",
            '{"question": "q", "golden_answers": "[]"}',
            r":1: 'golden_answers' is the text of a list",
        ),
        ("x.jsonl", '{"question": "q\\u0000"}', "NUL"),
        ("x.qa.csv", "who\n", r"x\.qa\.csv:1: no list of answers; expected a question and a list"),
        ("x.qa.csv", "who\t['A']\nwhat\t['B'\n", r":2: no list of answers: \"\['B'\""),
        ("x.qa.csv", "who\t__import__('os').getcwd()\n", r":1: no list of answers"),
        ("x.qa.csv", "who\t'A'\n", None),
        ("x.qa.csv", "who\t{'A': 1}\n", r":1: 'answers' is dict"),
        ("x.qa.csv", b"who\t['\xff']\n", r":1: not UTF-8"),
        ("x.txt", b"who\n\xff\n", r":2: not UTF-8"),
        ("x.pdf", b"%PDF-1.7\xff", r"x\.pdf:1: no questions"),
    ],
)
def test_bad_input_is_reported_with_file_and_line(tmp_path, name, content, message):
    path = write(tmp_path, name, content)
    if message is None:
        assert list(read_questions(path)) == [Question("1", "who", ("A",))]
        return
    with pytest.raises(InputError, match=message):
        list(read_questions(path))


def test_a_missing_file_is_reported():
    with pytest.raises(InputError, match="no such file"):
        next(read_questions("nowhere.jsonl"))


@pytest.mark.parametrize("name", COUNTS)
def test_real_files_are_read_completely(name):
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"../shared absent: no {path.name}")
    answer_type = "regex" if "trec" in name else None
    questions = list(read_questions(str(path), answer_type))
    assert len(questions) == COUNTS[name]
    assert all(question.answers for question in questions)
    assert {question.answer_type for question in questions} == {answer_type or "string"}


def test_every_line_of_a_text_file_is_a_question(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("who voiced Meg\nwho wrote it\t['Bo Ray']\n<b>bold</b>\nwhere\n")
    bad = BadRecords(True)
    assert [one.question for one in read_questions(str(path), bad=bad)] == ["who voiced Meg", "where"]
    assert bad.counts == {"skipped_wrong_format": 2}
