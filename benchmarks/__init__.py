"""Speed, measured beside a reference in the same run."""
