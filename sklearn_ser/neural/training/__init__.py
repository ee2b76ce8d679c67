"""Training: targets, batches, the loop over epochs, and what is left of it."""
