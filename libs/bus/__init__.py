"""The bus as everybody speaks to it: one connection, pulling from a durable, reading what a stream holds."""
