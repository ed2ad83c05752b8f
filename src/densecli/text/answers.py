"""Whether a passage holds an answer, and where: the `has_answer` of DPR."""

from collections import Counter
from collections.abc import Sequence

from densecli.errors import UsageError
from densecli.text.nfd import Place, nfd, nfd_places
from densecli.text.normalize import exact_match
from densecli.text.pattern_answers import PatternAnswers
from densecli.text.prepared import PreparedText
from densecli.text.token_answers import TokenAnswers


class AnswerMatcher:
    """The answers of one question, prepared once and matched against many texts.

    Text and answers are compared in canonical decomposition. A `string` answer matches where its tokens
    follow each other, lower-cased; accents, punctuation and articles count. A `regex` answer is
    searched with case ignored. The title of a passage is not searched.

    Attributes:
        dropped: answers left out because there is nothing to match in them (the reference finds such
            answers in every text).
        invalid: regex answers that do not compile, and so never match.

    Raises:
        UsageError: `answer_type` is neither `string` nor `regex`.
    """

    def __init__(self, answers: Sequence[str], answer_type: str = "string") -> None:
        # canonical decomposition as in DPR: letters with accents match however they are composed, but accents
        # count
        decomposed = [nfd(answer) for answer in answers]
        self._given = answers
        self._answers: TokenAnswers | PatternAnswers
        if answer_type == "string":
            self._answers = TokenAnswers(decomposed)
        elif answer_type == "regex":
            self._answers = PatternAnswers(decomposed)
        else:
            raise UsageError(f"answer type {answer_type!r} is not known; expected string or regex")
        self.dropped = self._answers.dropped
        self.invalid = self._answers.invalid if isinstance(self._answers, PatternAnswers) else 0

    @property
    def usable(self) -> bool:
        """Whether there is any answer that could match."""
        return len(self._answers) > 0

    @property
    def timed_out(self) -> int:
        """Regex answers given up so far because a text took them more than a second."""
        return self._answers.timed_out if isinstance(self._answers, PatternAnswers) else 0

    def found_in(self, text: str | PreparedText) -> bool:
        """Return whether any answer occurs in `text`; one that many questions meet is prepared once."""
        prepared = PreparedText(text) if isinstance(text, str) else text
        if isinstance(self._answers, TokenAnswers):
            return self._answers.found_in(prepared)
        return self._answers.found_in(prepared.decomposed)

    def equals(self, prediction: str) -> bool:
        """Return whether a predicted answer is one of the answers, as `exact_match` says.

        A pattern that takes too long is given up here, too, so that it costs no time again.
        """
        if isinstance(self._answers, TokenAnswers):
            return exact_match(prediction, self._given)
        whole = nfd(prediction.strip())
        return bool(whole) and self._answers.match_whole(whole)

    def spans(self, text: str) -> list[Place]:
        """Return the (start, end) character offsets into `text` of every occurrence of every answer.

        Sorted, each once; those of different answers may overlap. An occurrence that begins or ends inside
        a composed character takes the whole character.
        """
        found = self._answers.places(nfd(text))
        origins = nfd_places(text)
        if origins is not None:
            found = [(origins[start][0], origins[end - 1][1]) for start, end in found]
        return sorted(set(found))

    def count_problems(self, counts: Counter[str]) -> None:
        """Add the numbers of answers that were dropped, invalid or too slow to `counts`."""
        problems = {
            "empty_answers_dropped": self.dropped,
            "invalid_patterns": self.invalid,
            "patterns_timed_out": self.timed_out,
        }
        counts.update({name: number for name, number in problems.items() if number})
