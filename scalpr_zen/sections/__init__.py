"""The sections of a result: what each computes from the trades."""
