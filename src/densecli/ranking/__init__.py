"""Putting ranked rows in order."""
