"""Simulated liposomes in cryo electron micrographs."""
