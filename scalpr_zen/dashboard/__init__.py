"""The dashboard: a year of prints in the browser, at the speed of a slider."""
