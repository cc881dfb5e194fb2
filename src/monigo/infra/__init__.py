"""What touches the world: database, clock, settings, logs. It knows no billing."""
