"""Signal processing: pure functions on arrays, by topic."""
