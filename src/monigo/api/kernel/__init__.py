"""The kernel of the API: kinds of route, authentication, idempotency, errors, bodies, headers."""
