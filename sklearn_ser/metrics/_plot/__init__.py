"""Displays of what the metrics measure; `sklearn_ser.plotting` has them all."""
