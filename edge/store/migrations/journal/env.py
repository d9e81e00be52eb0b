"""Alembic's entry for journal.db: runs on the writer's own connection, inside its one transaction."""

from alembic import context

from edge.store.tables import journal

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=journal,
    transactional_ddl=False,
)
context.run_migrations()
