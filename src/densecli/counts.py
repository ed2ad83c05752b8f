"""What is counted: stable codes, which manifests and --json show, and their English for people."""

import re
from collections.abc import Mapping

MESSAGES = {
    # what was read and made
    "copies": "copies of a vector",
    "examples": "examples",
    "further_positives": "further positives",
    "passages": "passages",
    "questions": "questions",
    "questions_read": "questions read",
    "questions_trained_on": "questions trained on",
    "questions_with_gold_page": "questions with a passage of the gold page",
    "records": "records",
    "vectors": "vectors",
    # corpora
    "dropped_disambiguation": "disambiguation pages dropped",
    "dropped_list": "list pages dropped",
    "dropped_not_an_article": "pages dropped that are not articles",
    "dropped_of_another_kind": "files of another kind dropped",
    "dropped_redirect": "redirects dropped",
    "dropped_too_long": "pages dropped that are too long",
    "dropped_too_short": "dropped as too short",
    "dropped_unparsable": "pages dropped that cannot be parsed",
    "dropped_without_text": "dropped without text",
    "passages_cut": "passages cut because they are too long",
    "passages_without_text": "passages without text",
    "passages_without_title": "passages without title",
    "passages_without_vector": "passages without a vector",
    "vectors_of_other_passages": "vectors of other passages",
    # parts of Wikipedia's pages that are left out
    "html_lists": "HTML lists",
    "infoboxes": "infoboxes",
    "links_to_files_categories_and_languages": "links to files, categories and languages",
    "list_items": "list items",
    "other_elements": "other elements",
    "other_templates": "other templates",
    "references": "references",
    "sections_without_prose": "sections without prose",
    "tables": "tables",
    "templates_not_understood": "templates that were not understood",
    # questions, answers and results
    "answer_types_left_out": "answer types left out",
    "empty_answers_dropped": "empty answers dropped",
    "invalid_patterns": "invalid patterns",
    "judged_questions_without_result": "judged questions without result",
    "lists_with_ranks_for_scores": "lists with ranks in place of scores",
    "patterns_timed_out": "patterns that took too long",
    "questions_not_in_the_set": "questions that are not in the set",
    "questions_without_a_judgment": "questions without a judgment",
    "questions_without_answer": "questions without answer",
    "questions_without_judgments": "questions without judgments",
    "questions_without_result": "questions without result",
    "questions_without_text": "questions without the text of any passage",
    "questions_without_their_answers": "questions without their answers",
    "negatives_without_a_judgment": "negatives without a judgment",
    "predicted_answers_left_out": "predicted answers left out",
    "random_negatives_left_out": "random negatives left out",
    "repeated_passages_left_out": "repeated passages left out",
    "teacher_scores_left_out": "teacher scores left out",
    "without_answer": "without answer",
    "without_passages": "without passages",
    "without_result": "without result",
    # mining
    "dropped_without_answer": "dropped without answer",
    "dropped_without_given_positive": "dropped without a positive of their own",
    "dropped_without_gold_passage": "dropped because the collection lacks their gold passage",
    "dropped_without_positive": "dropped without positive",
    "refused_same_as_question": "negatives refused because they repeat the question",
    "refused_same_text": "negatives refused because they equal a positive",
    "refused_with_answer": "negatives refused because they hold an answer",
    "refused_within_margin": "negatives refused because they score like the positive",
    "without_answer_filter": "mined without answers to filter by",
    # training
    "examples_without_positive": "examples without a positive passage",
    "examples_without_teacher_scores": "examples without teacher scores",
    "negatives_equal_to_a_positive": "negative passages that equal a positive",
    "pairs_left_out": "pairs of question and passage left out as equal",
    "positives_given_twice": "positive passages given twice",
    "questions_equal_to_a_test_question": "training questions that equal a test question",
    "questions_left_over_per_epoch": "questions left over in each epoch",
    "questions_short_of_a_batch": "questions short of one full batch",
    "questions_with_answers_cut_off": "questions whose answers are cut off",
    "questions_with_fewer_negatives": "questions with fewer negatives than asked for",
    "questions_without_passage_with_answer": "questions whose passages hold no answer",
    # records that cannot be used, counted as skipped_<code>
    "skipped_bad_character": "skipped: a character that cannot be stored",
    "skipped_broken_file": "skipped: broken file",
    "skipped_broken_json": "skipped: broken JSON",
    "skipped_broken_table": "skipped: not a table",
    "skipped_damaged_file": "skipped: damaged file",
    "skipped_duplicate": "skipped: given twice",
    "skipped_duplicate_id": "skipped: duplicate id",
    "skipped_empty_field": "skipped: empty field",
    "skipped_encrypted": "skipped: encrypted",
    "skipped_missing_field": "skipped: missing field",
    "skipped_needs_too_much_memory": "skipped: needs too much memory",
    "skipped_no_text": "skipped: no text",
    "skipped_null_field": "skipped: null field",
    "skipped_parser_failed": "skipped: its parser failed",
    "skipped_rest_of_broken_file": "skipped: rest of a broken file",
    "skipped_too_large": "skipped: too large",
    "skipped_took_too_long": "skipped: took too long",
    "skipped_two_texts": "skipped: two texts for one id",
    "skipped_unknown_id": "skipped: unknown id",
    "skipped_unknown_text": "skipped: unknown text",
    "skipped_unreadable_file": "skipped: unreadable file",
    "skipped_unsorted": "skipped: not in order",
    "skipped_unusable": "skipped: cannot be used",
    "skipped_wrong_encoding": "skipped: wrong encoding",
    "skipped_wrong_format": "skipped: wrong format",
    "skipped_wrong_number_of_columns": "skipped: wrong number of columns",
    "skipped_wrong_type": "skipped: field of a wrong type",
    "skipped_wrong_value": "skipped: wrong value",
}
PATTERNS = (
    (re.compile(r"lists_shorter_than_(\d+)"), r"lists shorter than \1"),
    (re.compile(r"with_fewer_(\w+)_negatives"), r"with fewer \1 negatives than asked for"),
    (re.compile(r"(\w+)_(positives|negatives)"), r"\1 \2"),
)
"""Codes that hold a number or the name of a source."""
LEFT_OUT = "left_out_"
"""Before the codes of what is left out of an article."""


def describe_count(code: str) -> str:
    """Return the English of a code; one that is not known is shown as it is."""
    if code in MESSAGES:
        return MESSAGES[code]
    if code.startswith(LEFT_OUT):
        return f"{describe_count(code.removeprefix(LEFT_OUT))} left out"
    for pattern, words in PATTERNS:
        match = pattern.fullmatch(code)
        if match:
            return match.expand(words)
    return code.replace("_", " ")


def format_counts(counts: Mapping[str, int]) -> str:
    """Return counts in one line: `passages 1,200, skipped: broken JSON 3`."""
    return ", ".join(f"{describe_count(code)} {count:,}" for code, count in counts.items())
