import json

from cli.program import Program


def test_a_table_shows_intervals_and_differences(program: Program) -> None:
    asked = [{"id": str(n), "question": f"capital {n}", "answers": ["Ulm"]} for n in range(60)]
    for name, right in (("weak", 20), ("good", 50)):
        texts = ("Ulm" if n < right else "no" for n in range(60))
        found = ({"id": "p", "text": text, "score": 1} for text in texts)
        rows = [{**one, "ctxs": [ctx]} for one, ctx in zip(asked, found, strict=True)]
        program.write(f"{name}.jsonl", *map(json.dumps, rows))
    ended = program.call("evaluate", "weak.jsonl", "good.jsonl", "--table", "-k", 1).well()
    shown = [line.split() for line in ended.stdout.splitlines()]
    assert shown[0] == ["results", "questions", "top-1"]
    assert shown[1] == ["weak.jsonl", "60", "33.3"]
    assert shown[2][:2] == ["95", "%"]
    assert shown[5] == ["difference", "+50.0*"]
    assert "Holm's correction for 1 comparisons" in ended.stderr
