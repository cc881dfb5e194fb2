"""Whose portal it is."""
