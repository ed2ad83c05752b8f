"""Where words may begin in scripts that put no spaces between them: Chinese, Japanese, Thai and their kin.

A Chinese character or a kana counts as a word. The words of Thai, Lao, Khmer and Burmese cannot be found
without a dictionary: three consonants count as one. So a block of 100 words holds about as much as in other
languages, and no character is parted from its marks.
"""

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Mask = NDArray[np.bool_]

LEAST = 0xE0
"""The least byte that begins a character of three bytes or more, as all characters below do."""
IDEOGRAPHS = (
    (0x3041, 0x3096), (0x309D, 0x309F), (0x30A1, 0x30FA), (0x30FD, 0x312F), (0x31F0, 0x31FF),
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip
"""Chinese characters, kana and bopomofo, without the marks that lengthen or voice a kana."""
WIDE_MARKS = ((0x3001, 0x303F), (0xFF01, 0xFFEF), (0x30FB, 0x30FC))
OPENING = np.array([ord(mark) for mark in "〈《「『【〔〖（［｛"], dtype=np.uint32)
"""Stand with the character after them; all other marks with that before."""
CONSONANTS = ((0x0E01, 0x0E2E), (0x0E81, 0x0EAE), (0x1780, 0x17A2), (0x1000, 0x1021))
LEADING_VOWELS = ((0x0E40, 0x0E44), (0x0EC0, 0x0EC4))
"""Of Thai and Lao; written before the consonant that they are spoken after."""
JOINERS = np.array([0x17D2, 0x1039], dtype=np.uint32)
"""Of Khmer and Burmese; the consonant behind is written below that before."""
ASAT = 0x103A
"""Of Burmese; the consonant before it ends a syllable."""
SYLLABLES = 3
DIGITS_AND_LETTERS = np.array([chr(code).isalnum() for code in range(128)] + [False] * 128)


def unspaced_words(data: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where words begin in `data` that have no space before them, in order.

    Args:
        data: (n,) valid UTF-8, words with a space behind each.
        places: where those begin, and n, (words + 1,).
    """
    lead = np.flatnonzero(data >= LEAST)
    if not len(lead):
        return lead
    long = data[lead] >= 0xF0
    width = np.where(long, 4, 3)
    code = _codes(data, lead, long)
    joined = np.append(False, lead[:-1] + width[:-1] == lead[1:])
    before = np.where(joined, np.append(np.uint32(0), code[:-1]), np.uint32(0))
    after = np.where(np.append(joined[1:], False), np.append(code[1:], np.uint32(0)), np.uint32(0))
    ideograph, opening = _within(code, IDEOGRAPHS), np.isin(code, OPENING)
    begins = lead[(ideograph | opening) & ~np.isin(before, OPENING)]
    ends = (lead + width)[ideograph | _within(code, WIDE_MARKS)]
    latin = ends[DIGITS_AND_LETTERS[data[ends]]]
    consonant = _within(code, CONSONANTS) & ~_within(before, LEADING_VOWELS) & ~np.isin(before, JOINERS)
    syllable = lead[(consonant & (after != ASAT)) | _within(code, LEADING_VOWELS)]
    found = np.unique(np.concatenate((begins, latin, _every(syllable, places))))
    without_space: NDArray[np.int64] = found[places[np.searchsorted(places, found)] != found]
    return without_space


def _codes(data: NDArray[np.uint8], lead: NDArray[np.int64], long: Mask) -> Codes:
    """Return the code points of the characters of three and four bytes that begin at `lead`."""
    first, second, third, fourth = (data[lead + byte].astype(np.uint32) for byte in range(4))
    three = (first & 0x0F) << 12 | (second & 0x3F) << 6 | third & 0x3F
    four = (first & 0x07) << 18 | (second & 0x3F) << 12 | (third & 0x3F) << 6 | fourth & 0x3F
    return np.where(long, four, three)


def _within(code: Codes, ranges: tuple[tuple[int, int], ...]) -> Mask:
    found = np.zeros(len(code), dtype=bool)
    for low, high in ranges:
        found |= code - np.uint32(low) <= high - low  # unsigned: what is less comes out large
    return found


def _every(syllables: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return every third syllable of each run between spaces."""
    run = np.searchsorted(places, syllables, side="right")
    number = np.arange(len(syllables)) - np.searchsorted(run, run)
    third: NDArray[np.int64] = syllables[number % SYLLABLES == 0]
    return third
