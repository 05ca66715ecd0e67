"""Tables and figures as text, HTML and plain data."""
