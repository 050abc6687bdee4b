"""What was asked of fluorescence images of cells, on simulated and real ones."""
