"""Journal → the outside: MQTT and webhooks. The journal is the truth; a target is a cursor in it."""
