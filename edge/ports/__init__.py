"""What the line process asks of the world: small protocols, implemented by drivers and store."""
