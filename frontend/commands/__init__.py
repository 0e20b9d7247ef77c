"""What the command line does, one module for each group of commands; imported only when a command runs."""
