"""Users, roles, projects and tokens."""
