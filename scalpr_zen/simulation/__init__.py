"""Orders, fill rules and the simulator."""
