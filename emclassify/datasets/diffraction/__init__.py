"""Simulated diffraction patterns of single particles."""
