"""What makes other libraries work with ours: one module for each, imported when it is asked for."""
