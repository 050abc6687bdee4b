"""Off-sample ion images, simulated ones or the gold standard."""
