"""Payments of whatever purpose, where a person must decide."""
