"""The three kinds of routes, and what each of them does for every request."""
