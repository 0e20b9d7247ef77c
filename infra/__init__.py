"""What puts the house together: the `gsi` command, one-machine stack, demo, the demo benchmark."""
