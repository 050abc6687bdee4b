"""The liposome thesis's experiments on simulated images."""
