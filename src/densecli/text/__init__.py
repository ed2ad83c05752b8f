"""Words: blocks of a hundred, answers in passages, exact match."""
