"""Single hits among simulated diffraction patterns."""
