"""Models on other domains than their own."""
