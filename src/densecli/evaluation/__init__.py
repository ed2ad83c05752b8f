"""Measures of search results and predictions."""
