"""Pure rules of billing: values in, values out; no I/O, clock, randomness or environment."""
