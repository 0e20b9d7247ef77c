"""An archive that arrives in parts: begin, sign parts, see what has arrived, complete or give up."""
