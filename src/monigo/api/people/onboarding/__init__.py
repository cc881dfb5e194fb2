"""The first steps of an organisation."""
