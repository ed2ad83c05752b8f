from types import NoneType
from typing import get_args

import pytest
import typer

from densecli.cli.main import app
from densecli.cli.setting_names import name_options
from densecli.configs.asking import SearchConfig
from densecli.configs.corpus import IndexConfig, PreprocessConfig
from densecli.configs.file import CONFIGS
from densecli.configs.layers import resolve_options
from densecli.configs.setting import described_fields, variable
from densecli.errors import InputError, UsageError

COMMANDS = typer.main.get_command(app).commands


def toml(folder, text):
    (folder / "my.toml").write_text(text)
    return folder / "my.toml"


def test_an_option_overrides_the_file_and_the_file_the_default(tmp_path):
    path = toml(tmp_path, "words = 50\n[preprocess]\ninput_format = 'jsonl'")
    given = {"words": None, "input_format": None, "split": None}
    assert resolve_options(PreprocessConfig, "preprocess", given, None, set()) == PreprocessConfig()
    assert resolve_options(PreprocessConfig, "preprocess", given, path, set()) == PreprocessConfig(
        words=50, input_format="jsonl"
    )
    assert resolve_options(PreprocessConfig, "preprocess", given | {"words": 7}, path, set()).words == 7
    with pytest.raises(UsageError, match="^`words` has an effect only with `split`$"):
        resolve_options(PreprocessConfig, "preprocess", given | {"words": 7, "split": False}, None, {"words"})


def test_environment_and_file_settings_without_effect_are_ignored(program):
    program.write("article.jsonl", {"id": 1, "text": "word " * 200})
    path = toml(program.folder, "words = 11")
    done = program.call("preprocess", "article.jsonl", "--no-split", "--config", path, DENSECLI_STRIDE="3")
    assert "passages 1" in done.well().stderr
    done = program.call("preprocess", "article.jsonl", "--no-split", "--stride", 3)
    assert (done.status, done.error) == (2, "--stride has an effect only with --split")


@pytest.mark.parametrize(
    ("config", "command", "text", "failure", "message"),
    [
        (PreprocessConfig, "preprocess", "words = '50'", InputError, "my.toml: words is '50'; expected int"),
        (PreprocessConfig, "preprocess", "words = true", InputError, "words is True; expected int"),
        (PreprocessConfig, "preprocess", "words = 1.5", InputError, "words is 1.5; expected int"),
        (PreprocessConfig, "preprocess", "split = 1", InputError, "split is 1; expected bool"),
        (PreprocessConfig, "preprocess", "words = 0", UsageError, "`words` is 0; the smallest value is 1"),
        (
            PreprocessConfig,
            "preprocess",
            "input_format = 'xml'",
            UsageError,
            "`input_format` is 'xml'; expected one of auto",
        ),
        (SearchConfig, "search", "mode = 5", InputError, "mode is 5; expected str"),
        (IndexConfig, "index", "k1 = nan\nkind = 'bm25'", UsageError, "`k1` is nan"),
    ],
)
def test_settings_of_a_file_are_checked_as_options(tmp_path, config, command, text, failure, message):
    given = {name: None for name, _, _, _ in described_fields(config)}
    with pytest.raises(failure, match=message):
        resolve_options(config, command, given, toml(tmp_path, text), set())


def test_an_integer_is_accepted_for_a_float_setting(tmp_path):
    given = {name: None for name, _, _, _ in described_fields(IndexConfig)}
    found = resolve_options(IndexConfig, "index", given, toml(tmp_path, "kind = 'bm25'\nk1 = 1"), set())
    assert (found.k1, type(found.k1)) == (1.0, float)


def test_every_command_takes_its_settings_from_option_and_environment():
    assert list(COMMANDS) == list(CONFIGS) == [*CONFIGS]
    for command, config in CONFIGS.items():
        options = {option.name: option for option in COMMANDS[command].params}
        for name, _, default, known in described_fields(config):
            assert options[name].envvar == variable(name)
            assert name_options(known.help) in options[name].help
            assert default is None or isinstance(default, bool) or f"default: {default}" in options[name].help


def test_a_setting_of_several_commands_takes_the_same_values_in_all():
    taken = {}
    for command, config in CONFIGS.items():
        for name, kind, _, known in described_fields(config):
            given = frozenset(get_args(kind) or (kind,)) - {NoneType}  # none is no value to give
            taken.setdefault(name, {})[command] = given, known.choices
    disagreeing = {name: found for name, found in taken.items() if len(set(found.values())) > 1}
    assert not disagreeing, "one DENSECLI_ variable, or key of a --config file, would break a command"


def words_of(program, *arguments, **environment):
    """Preprocess 12 words and tell how many words the first passage has."""
    program.call("preprocess", "article.jsonl", "--force", *arguments, **environment).well()
    from densecli.artifacts.passages.store import PassageStore

    return len(PassageStore.open(program.workspace / "passages")[0].text.split())


def test_option_environment_file_and_default_have_this_order(program):
    program.write("article.jsonl", {"id": 1, "text": "word " * 200})
    path = toml(program.folder, "words = 11")
    assert words_of(program) == 100
    assert words_of(program, "--config", path) == 11
    assert words_of(program, "--config", path, DENSECLI_WORDS="12") == 12
    assert words_of(program, "--config", path, "--words", 13, DENSECLI_WORDS="12") == 13
    assert words_of(program, "--no-split") == 200
    assert words_of(program, DENSECLI_SPLIT="0") == 200


@pytest.mark.parametrize(
    ("line", "option"),
    [
        (("preprocess", "x.csv", "--text-column", "a", "--text-column", "b"), "--text-column"),
        (("search", "who", "--mode", "bm25", "--mode=dense"), "--mode"),
        (("evaluate", "x", "-o", "a", "--output", "b"), "--output"),
        (("search", "who", "--lambda", "1", "--fusion-weight", "2"), "--fusion-weight"),
    ],
)
def test_an_option_with_two_values_is_refused(program, line, option):
    ended = program.call(*line)
    command = f"densecli {line[0]}"
    expected = f"{option} is given 2 times; give it once; see `{command} --help`"
    assert (ended.status, ended.error) == (2, expected)


def test_list_options_and_flags_may_be_repeated(prepared):
    line = ("search", "who was born in Rome", "-q", "-q", "--json", "--json", "-k", 1)
    assert len(prepared.call(*line).well().rows) == 1
    assert prepared.call("train", "--help", "--epochs", 1, "--epochs", 2).status == 0
    ended = prepared.call("train", "x", "--exclude", "a", "--exclude", "b")
    assert "given" not in ended.error


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"DENSECLI_FUSION": "rrf"}, ("search", "who was born in Rome", "--mode", "bm25")),
        ({"DENSECLI_PRESET": "paper"}, ("search", "who was born in Rome", "--lambda", 2)),
        ({"DENSECLI_FORMAT": "text"}, ("search", "who was born in Rome", "--json")),
        ({"DENSECLI_FORMAT": "text"}, ("search", "who was born in Rome", "-o", "x.jsonl")),
        ({"DENSECLI_ON_ERROR": "skip"}, ("search", "who was born in Rome")),
        ({"DENSECLI_K": ""}, ("read", "who was born in Rome")),
        ({"DENSECLI_K": "3"}, ("search", "--tune-lambda", "questions.jsonl")),
        (
            {"DENSECLI_MARGIN": "0.1"},
            ("mine-negatives", "questions.jsonl", "--negatives", "random:2", "-o", "m"),
        ),
        ({"DENSECLI_MODE": "bm25"}, ("search", "who was born in Rome", "--compare", "bm25,dense")),
    ],
)
def test_a_variable_without_effect_is_ignored(prepared, variables, line):
    prepared.call(*line, **variables).well()
