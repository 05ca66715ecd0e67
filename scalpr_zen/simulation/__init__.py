"""Orders, the rules of fills, and the trades that they give."""
