"""The base: parameters, units, instruments, sessions, errors, the engine."""
