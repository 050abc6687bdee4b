"""Where a probability becomes a decision."""
