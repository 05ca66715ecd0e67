"""From DBN files to one front-month tape."""
