"""The job domain: what a training is, what it may become, and what makes it so."""
