"""Measures: per question first, then the mean over all questions."""
