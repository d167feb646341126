"""From an account to the credentials of its clients: its hops, and how each is asked for."""
