"""The dashboard: a year of ticks in the browser, at the speed of a slider."""
