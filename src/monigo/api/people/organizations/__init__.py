"""The organisations of a person."""
