"""What every package here may use and which uses none of them: frames, columns, randomness, scikit-learn's private helpers."""
