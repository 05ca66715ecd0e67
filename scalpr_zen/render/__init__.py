"""A result as text, CSV, charts and HTML."""
