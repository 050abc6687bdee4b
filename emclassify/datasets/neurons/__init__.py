"""Nerve cord: a public stack of sections, of which every pixel has a class."""
