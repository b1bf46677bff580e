"""The site: static pages of the worlds, the agents and the scores, which need no network."""
