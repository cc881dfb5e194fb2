"""What all routes share: kinds of route, who calls, idempotency, errors, bodies, headers."""
