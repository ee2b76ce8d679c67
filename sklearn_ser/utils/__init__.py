"""Helpers that every package may import: frames, columns, randomness, scikit-learn's private helpers."""
