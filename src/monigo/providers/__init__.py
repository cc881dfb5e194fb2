"""Payment providers: one port, an adapter for each, the one way to call them, a simulator."""
