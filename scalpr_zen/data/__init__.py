"""From files to a tape."""
