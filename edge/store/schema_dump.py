"""Writes the statements of a new database of each store: ``python -m edge.store.schema_dump``, after each new
migration."""

import sqlite3

from edge.store.schema import WANTED, newest, upgrade


def dumped(store: str) -> str:
    """What ``newest`` must be."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    upgrade(connection, store, newest(store))
    begin, *statements, commit = connection.iterdump()
    assert (begin, commit) == ("BEGIN TRANSACTION;", "COMMIT;")
    connection.close()
    return "".join(f"{statement}\n" for statement in statements)


def main() -> None:
    for store in WANTED:
        newest(store).write_text(dumped(store), "utf-8")


if __name__ == "__main__":
    main()
