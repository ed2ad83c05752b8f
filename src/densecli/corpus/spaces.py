"""Where white space is in UTF-8 bytes: what `str.split` splits at, for all of a text at once."""

import numpy as np
from numpy.typing import NDArray

WIDE = (
    "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f"
    "\u3000"
)
CODES = [int.from_bytes(one.encode(), "big") for one in WIDE]
OF_TWO = np.array([code for code in CODES if code < 1 << 16], dtype=np.uint32)
OF_THREE = np.array([code for code in CODES if code >= 1 << 16], dtype=np.uint32)
LEAD = 0xC2
"""The least byte that begins a character of several."""


def is_space(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return whether each byte is white space, or a part of a white-space character of several bytes.

    Args:
        data: (n,) valid UTF-8 that ends with an ASCII character.
    """
    found = (data - np.uint8(9) <= 4) | (data - np.uint8(28) <= 4)  # unsigned: what is less comes out large
    lead = np.flatnonzero(data >= LEAD)
    code = data[lead].astype(np.uint32) << 8 | data[lead + 1]
    two = lead[np.isin(code, OF_TWO)]
    long = lead[code >= 0xE000]
    three = long[np.isin(code[code >= 0xE000] << 8 | data[long + 2], OF_THREE)]
    for places, width in ((two, 2), (three, 3)):
        for byte in range(width):
            found[places + byte] = True
    return found
