"""Simulated fluorescent cells."""
