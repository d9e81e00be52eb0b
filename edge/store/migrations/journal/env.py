"""Alembic's entry for journal.db: runs on the writer's own connection, inside its one transaction (which
Alembic would commit after each migration if it were told that DDL is not part of it)."""

from alembic import context

from edge.store.tables import journal

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=journal,
    transactional_ddl=True,
)
context.run_migrations()
