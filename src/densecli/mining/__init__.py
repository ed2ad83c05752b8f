"""Positives and hard negatives for training examples."""
