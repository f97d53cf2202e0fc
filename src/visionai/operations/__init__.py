"""Long work that is not a training, each in a child process with limits."""
