"""Requests and answers as HTTP has them: bodies, paths, headers, failures."""
